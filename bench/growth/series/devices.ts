import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readResidentBytes } from '../../world/process-usage.ts';
import type { Device } from '../../world/two-device-world.ts';
import { requireEqualFolders } from '../compare-folders.ts';
import { type Context, openSite } from '../context.ts';
import { measureEdits } from '../edits.ts';
import type { DevicesPoint } from '../points.ts';
import { waitUntilAtRest } from '../wait.ts';

const GIB = 1024 ** 3;
const FOLDER = 'documents';
const NAME = 'note.bin';

/** So many daemons of one account; one of them edits a file, all others receive it. */
export async function measureDevices(devices: number, context: Context): Promise<DevicesPoint> {
  const { options } = context;
  const { world, settle } = await openSite(context, {
    name: `devices-${devices}`,
    diskBytes: 4 * GIB,
    mostFiles: 100_000,
    wantsOwnDisk: false,
    countsWire: false,
    cachesFiles: true,
  });
  const { server, deviceA, deviceB } = world;
  const receivers: Device[] = [deviceB];
  while (receivers.length < devices - 1) receivers.push(await world.addDevice(`${receivers.length + 2}`));
  const all = [deviceA, ...receivers];
  mkdirSync(join(deviceA.folder, FOLDER));
  writeFileSync(join(deviceA.folder, FOLDER, NAME), 'first');
  await waitUntilAtRest(world, all, 1, options.timeoutMs);
  settle();
  const edits = await measureEdits({
    world,
    sender: deviceA,
    receivers,
    path: join(FOLDER, NAME),
    samples: options.samples,
  });
  await waitUntilAtRest(world, all, 1, options.timeoutMs);
  for (const { folder } of receivers) await requireEqualFolders(deviceA.folder, folder);
  await sleep(options.calmMs);
  const resident = all.map(({ daemon }) => readResidentBytes(daemon.processId));
  return {
    devices,
    edits,
    residentBytes: {
      server: readResidentBytes(server.processId),
      device: resident.reduce((total, bytes) => total + bytes, 0) / resident.length,
    },
  };
}
