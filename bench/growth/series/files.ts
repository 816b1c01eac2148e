import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { readPeak, readResidentBytes, readUsage, resetPeak } from '../../world/process-usage.ts';
import { createByteStream, createSeededRandom } from '../../world/seeded-random.ts';
import { requireEqualFolders } from '../compare-folders.ts';
import { type Context, openSite } from '../context.ts';
import { measureEdits } from '../edits.ts';
import type { FilesPoint } from '../points.ts';
import { startUntilInSync } from '../wait.ts';

const GIB = 1024 ** 3;
const MIN_BYTES = 4;
const MAX_BYTES = 1024;
const BYTES_ON_DISK = 20 * 1024;
/** Fewer files than this do not slow down a filesystem that was used before. */
const MANY_FILES = 1500;
const FOLDER = 'many';

/** So many tiny files are in A's folder; a new device B receives them; A starts again; one of them is edited. */
export async function measureFiles(files: number, context: Context): Promise<FilesPoint> {
  const { options, say } = context;
  const { timeoutMs, filesInFolder } = options;
  const { world, settle } = await openSite(context, {
    name: `files-${files}`,
    diskBytes: 4 * GIB + files * BYTES_ON_DISK,
    mostFiles: 100_000 + 3 * files,
    wantsOwnDisk: files >= MANY_FILES,
    countsWire: false,
    cachesFiles: true,
  });
  const { server, deviceA, deviceB } = world;
  await deviceB.daemon.stop();
  await deviceA.daemon.stop();
  await writeTinyFiles(join(deviceA.folder, FOLDER), files, filesInFolder);
  settle();

  resetPeak(server.processId);
  const serverBefore = readUsage(server.processId).cpuSeconds;
  const sendSeconds = await startUntilInSync(world, deviceA, files, timeoutMs);
  const serverBetween = readUsage(server.processId).cpuSeconds;
  const sendCpuSeconds = readUsage(deviceA.daemon.processId).cpuSeconds;
  const peakA = readPeak(deviceA.daemon.processId);
  say(`A has sent ${files} files: ${sendSeconds.toFixed(1)} s, ${sendCpuSeconds.toFixed(1)} s of CPU`);

  const newDevice = await world.signIn('new');
  settle();
  const receiveSeconds = await startUntilInSync(world, newDevice, files, timeoutMs);
  const serverAfter = readUsage(server.processId).cpuSeconds;
  const receiveCpuSeconds = readUsage(newDevice.daemon.processId).cpuSeconds;
  const places = { server: server.processId, a: deviceA.daemon.processId, b: newDevice.daemon.processId };
  const peakBytes = { server: readPeak(places.server), a: peakA, b: readPeak(places.b) };
  say(`B has received them: ${receiveSeconds.toFixed(1)} s, ${receiveCpuSeconds.toFixed(1)} s of CPU`);
  const found = await requireEqualFolders(deviceA.folder, newDevice.folder);
  if (found !== files) throw new Error(`there are ${found} files, ${files} were written`);

  await sleep(options.calmMs);
  const residentBytes = {
    server: readResidentBytes(places.server),
    a: readResidentBytes(places.a),
    b: readResidentBytes(places.b),
  };

  const startSeconds: number[] = [];
  const startCpuSeconds: number[] = [];
  for (let index = 0; index < options.starts; index++) {
    await deviceA.daemon.stop();
    startSeconds.push(await startUntilInSync(world, deviceA, files, timeoutMs));
    startCpuSeconds.push(readUsage(deviceA.daemon.processId).cpuSeconds);
    await sleep(options.calmMs / 4);
  }

  const edits = await measureEdits({
    world,
    sender: deviceA,
    receivers: [newDevice],
    path: join(FOLDER, nameOf(0, 0)),
    samples: options.samples,
  });
  await requireEqualFolders(deviceA.folder, newDevice.folder);
  return {
    files,
    folders: Math.ceil(files / filesInFolder) + 1,
    sendSeconds,
    sendCpuSeconds: { server: serverBetween - serverBefore, device: sendCpuSeconds },
    receiveSeconds,
    receiveCpuSeconds: { server: serverAfter - serverBetween, device: receiveCpuSeconds },
    peakBytes,
    residentBytes,
    startSeconds,
    startCpuSeconds,
    edits,
  };
}

/** Files of 4 bytes to 1 KiB that do not compress, each with other bytes. */
async function writeTinyFiles(root: string, files: number, filesInFolder: number): Promise<void> {
  const random = createSeededRandom('tiny files');
  const next = createByteStream('tiny files');
  for (let index = 0; index < files; index++) {
    const folder = Math.floor(index / filesInFolder);
    if (index % filesInFolder === 0) {
      mkdirSync(join(root, `folder-${folder}`), { recursive: true });
      // Signals are heard in between.
      await nextTurn();
    }
    writeFileSync(join(root, nameOf(folder, index)), next(random.integer(MIN_BYTES, MAX_BYTES)));
  }
}

function nameOf(folder: number, index: number): string {
  return join(`folder-${folder}`, `file-${index}.bin`);
}
