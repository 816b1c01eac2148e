import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readUsage } from '../../world/process-usage.ts';
import type { Device, World } from '../../world/two-device-world.ts';
import { createBulkDevice } from '../bulk-changes.ts';
import { requireEqualFolders } from '../compare-folders.ts';
import { type Context, openSite } from '../context.ts';
import { measureEdits } from '../edits.ts';
import type { CatchUp, JournalPoint } from '../points.ts';
import { startUntilInSync, waitUntilAtRest } from '../wait.ts';

const GIB = 1024 ** 3;
const FILES = 100;
const PRIVATE_FOLDER = '.cairn';

/** So many changes of a few files while A was away; then A comes back, and a new device joins. */
export async function measureJournal(changes: number, context: Context): Promise<JournalPoint> {
  const { options, defer, say } = context;
  const { timeoutMs } = options;
  const { world, settle } = await openSite(context, {
    name: `journal-${changes}`,
    diskBytes: 8 * GIB,
    mostFiles: 100_000,
    wantsOwnDisk: false,
    countsWire: false,
    cachesFiles: true,
  });
  const { deviceA, deviceB } = world;
  await deviceB.daemon.stop();
  const bulk = await createBulkDevice(world, FILES);
  defer(() => bulk.close());
  await waitUntilAtRest(world, [deviceA], FILES, timeoutMs);
  await deviceA.daemon.stop();
  const startMs = performance.now();
  await bulk.change(changes);
  say(`${changes} changes are made in ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
  const expected = bulk.expected();

  settle();
  const away = await catchUp(world, deviceA, timeoutMs);
  requireContents(deviceA.folder, expected);
  const newDevice = await world.signIn('new');
  settle();
  const joins = await catchUp(world, newDevice, timeoutMs);
  requireContents(newDevice.folder, expected);
  await requireEqualFolders(deviceA.folder, newDevice.folder);

  const [path] = expected.keys();
  if (path === undefined) throw new Error('there is no file to edit');
  const edits = await measureEdits({
    world,
    sender: deviceA,
    receivers: [newDevice],
    path,
    samples: options.samples,
  });
  await requireEqualFolders(deviceA.folder, newDevice.folder);
  return { changes, files: FILES, away, joins, edits, databaseBytes: sumDatabase(world.serverData) };
}

async function catchUp(world: World, device: Device, timeoutMs: number): Promise<CatchUp> {
  const before = readUsage(world.server.processId).cpuSeconds;
  const seconds = await startUntilInSync(world, device, FILES, timeoutMs);
  const { cpuSeconds, peakRssBytes } = readUsage(device.daemon.processId);
  const server = readUsage(world.server.processId).cpuSeconds - before;
  return { seconds, cpuSeconds: { server, device: cpuSeconds }, peakBytes: peakRssBytes };
}

/** @throws Error where the folder holds anything else */
function requireContents(folder: string, expected: ReadonlyMap<string, Buffer>): void {
  const names = readdirSync(folder).filter((name) => name !== PRIVATE_FOLDER);
  const wrong = names.filter((name) => expected.get(name)?.equals(readFileSync(join(folder, name))) !== true);
  if (names.length === expected.size && wrong.length === 0) return;
  throw new Error(
    `${names.length} files instead of ${expected.size}; of other bytes or names: ${wrong.slice(0, 5).join(', ')}`,
  );
}

function sumDatabase(folder: string): number {
  return readdirSync(folder)
    .filter((name) => name.includes('.sqlite'))
    .reduce((total, name) => total + statSync(join(folder, name)).size, 0);
}
