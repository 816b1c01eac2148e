import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { withCleanup } from './world/cleanup.ts';
import { readPeak, readResidentBytes, readThreadSeconds, readUsage } from './world/process-usage.ts';
import { spread } from './world/statistics.ts';
import { type Device, startWorld } from './world/two-device-world.ts';
import { createWorkFolder } from './world/work-folder.ts';

const HELP = `npm run bench:rest -- [options]

A daemon with many small files that nobody touches: how long it takes from its start until it is in sync with nothing
changed, and what it costs while it rests. Real server, real daemon, all on this machine. Figures never fail a run.

  --files N            (100000)
  --folders N          they are in (1000)
  --starts N           (5)
  --idle-seconds N     how long resting is watched, after a pause of half as much (60)
  --profile DIR        where to put a CPU profile of each process
  --on auto|loop|temp  a new ext4 in a loop image, or a folder in the system's temporary one (temp)
`;

const POLL_MS = 2;
const FIRST_SYNC_MS = 30 * 60_000;
const START_MS = 120_000;

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '100000' },
    folders: { type: 'string', default: '1000' },
    starts: { type: 'string', default: '5' },
    'idle-seconds': { type: 'string', default: '60' },
    profile: { type: 'string' },
    on: { type: 'string', default: 'temp' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const { on } = values;
if (on !== 'auto' && on !== 'loop' && on !== 'temp') throw new Error('--on is auto, loop or temp');
const files = Number(values.files);
const folders = Number(values.folders);
const idleMs = Number(values['idle-seconds']) * 1000;

await withCleanup(async (defer) => {
  const work = createWorkFolder(on, 8 * 1024 ** 3);
  defer(() => work.remove());
  const world = await startWorld(work.path, { profileFolder: values.profile ?? null });
  defer(() => world.stop());
  const { deviceA, deviceB } = world;
  await deviceB.daemon.stop();
  await deviceA.daemon.stop();
  makeFiles(deviceA.folder);

  const firstMs = await startUntilInSync(deviceA, FIRST_SYNC_MS);
  console.log(`${files} files in ${folders} folders; ${work.description}`);
  console.log(`first sync            ${(firstMs / 1000).toFixed(1)} s`);
  await describeRest('at rest after it', deviceA);

  const startsMs: number[] = [];
  const cpuSeconds: number[] = [];
  for (let index = 0; index < Number(values.starts); index++) {
    await deviceA.daemon.stop();
    startsMs.push(await startUntilInSync(deviceA, START_MS));
    cpuSeconds.push(readUsage(deviceA.daemon.processId).cpuSeconds);
  }
  console.log(`start until in sync   ${spread(startsMs)} ms, ${spread(cpuSeconds, 2)} s of CPU`);
  await describeRest('at rest after a start', deviceA);
});

function makeFiles(root: string): void {
  const perFolder = Math.ceil(files / folders);
  for (let made = 0, folder = 0; made < files; folder++) {
    const path = join(root, `group ${Math.floor(folder / 50)}`, `folder ${folder}`);
    mkdirSync(path, { recursive: true });
    for (let index = 0; index < perFolder && made < files; index++, made++)
      writeFileSync(join(path, `document ${made}.txt`), `${made}\n`);
  }
}

/** Milliseconds from the start of the process until it notes that it is in sync. */
async function startUntilInSync(device: Device, timeoutMs: number): Promise<number> {
  const path = findLog(device);
  const before = statSync(path).size;
  const startMs = performance.now();
  device.daemon.launch();
  for (let size = before; ; ) {
    await sleep(POLL_MS);
    const tookMs = performance.now() - startMs;
    if (tookMs > timeoutMs || !device.daemon.isRunning)
      throw new Error(`not in sync after ${Math.round(tookMs / 1000)} s\n${device.daemon.readLogTail()}`);
    const now = statSync(path).size;
    if (now === size) continue;
    size = now;
    if (readFileSync(path).subarray(before).includes('"state":"in-sync"')) return tookMs;
  }
}

/** The log of the daemon, as JSON lines. */
function findLog(device: Device): string {
  const links = join(device.variables['CAIRN_HOME'] ?? '', 'links');
  const [link] = readdirSync(links);
  return join(links, link ?? '', 'daemon.log');
}

async function describeRest(when: string, { daemon }: Device): Promise<void> {
  await sleep(idleMs / 2);
  const before = readThreadSeconds(daemon.processId);
  const startMs = performance.now();
  await sleep(idleMs);
  const seconds = readThreadSeconds(daemon.processId) - before;
  const share = seconds / ((performance.now() - startMs) / 1000);
  const resident = toMegabytes(readResidentBytes(daemon.processId));
  const peak = toMegabytes(readPeak(daemon.processId));
  console.log(
    `${when.padEnd(21)} ${resident} MB resident (peak ${peak} MB), ${(share * 100).toFixed(3)} % of a core`,
  );
}

function toMegabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
