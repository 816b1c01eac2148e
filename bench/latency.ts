import { closeSync, mkdirSync, openSync, readFileSync, watch, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { monotonicMs } from './latency/marks.ts';
import { describeTimeline, type Sample } from './latency/timeline.ts';
import { withCleanup } from './world/cleanup.ts';
import { createByteStream, createSeededRandom } from './world/seeded-random.ts';
import { median, quantile } from './world/statistics.ts';
import { startWorld, waitUntilInSync } from './world/two-device-world.ts';
import { createWorkFolder } from './world/work-folder.ts';

const HELP = `npm run bench:latency -- [options]

From close() of a 1 KiB file on device A until a program on device B reads the new content, over a real server, all
processes on this machine. Each sample begins when everything has been at rest for a while. Times never fail a run.

  --samples N          (30)
  --kind edit|new      the same file each time, or another one (edit)
  --rest-ms N          pause before each sample, plus up to half as much (700)
  --trace              also prints what the three processes did meanwhile, and when (costs about a millisecond)
  --profile DIR        where to put a CPU profile of each process
  --on auto|loop|temp  a new ext4 in a loop image, or a folder in the system's temporary one (temp)
  --json               prints the times as JSON, too
`;

const BYTES = 1024;
const LONGEST_MS = 30_000;
/** The watcher tells; this is for what it might miss. */
const POLL_MS = 20;

const { values } = parseArgs({
  options: {
    samples: { type: 'string', default: '30' },
    kind: { type: 'string', default: 'edit' },
    'rest-ms': { type: 'string', default: '700' },
    trace: { type: 'boolean', default: false },
    profile: { type: 'string' },
    on: { type: 'string', default: 'temp' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const { kind, on } = values;
const restMs = Number(values['rest-ms']);
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
if (kind !== 'edit' && kind !== 'new') throw new Error('--kind is edit or new');
if (on !== 'auto' && on !== 'loop' && on !== 'temp') throw new Error('--on is auto, loop or temp');

const random = createSeededRandom('latency');
const nextBytes = createByteStream('latency');

await withCleanup(async (defer) => {
  const work = createWorkFolder(on, 2 * 1024 ** 3);
  defer(() => work.remove());
  const traceUrl = pathToFileURL(join(import.meta.dirname, 'latency', 'trace-process.ts'));
  traceUrl.searchParams.set('folder', work.path);
  const world = await startWorld(work.path, {
    profileFolder: values.profile ?? null,
    runtimeFlags: values.trace ? ['--import', traceUrl.href] : [],
  });
  defer(() => world.stop());
  const { server, deviceA, deviceB } = world;
  for (const { folder } of [deviceA, deviceB]) mkdirSync(join(folder, 'documents'), { recursive: true });
  await take(deviceA.folder, deviceB.folder, 'documents/first.bin');
  await waitUntilInSync([deviceA, deviceB], LONGEST_MS);

  const samples: Sample[] = [];
  for (let index = 0; index < Number(values.samples); index++) {
    await sleep(restMs * (1 + 0.5 * random.fraction()));
    const path = `documents/${kind === 'edit' ? 'first' : `file ${index}`}.bin`;
    samples.push(await take(deviceA.folder, deviceB.folder, path));
  }
  const times = samples.map(({ closedAtMs, seenAtMs }) => seenAtMs - closedAtMs);
  const [low, high] = [Math.min(...times), Math.max(...times)];
  console.log(
    `${times.length} × 1 KiB (${kind}): median ${median(times).toFixed(1)} ms, p95 ${quantile(times, 0.95).toFixed(1)} ms, ` +
      `min ${low.toFixed(1)} ms, max ${high.toFixed(1)} ms; ${work.description}`,
  );
  if (values.json) console.log(JSON.stringify({ kind, times }));
  if (!values.trace) return;
  // What the processes noted is written once they are quiet.
  await sleep(1000);
  const processes = [
    { name: 'A', processId: deviceA.daemon.processId },
    { name: 'server', processId: server.processId },
    { name: 'B', processId: deviceB.daemon.processId },
  ];
  console.log(`\n${describeTimeline(work.path, processes, samples)}`);
});

/** Writes new bytes under the path on one side and waits until they are read on the other. */
async function take(from: string, to: string, path: string): Promise<Sample> {
  const bytes = nextBytes(BYTES);
  const seen = waitForContent(to, path, bytes);
  const descriptor = openSync(join(from, path), 'w');
  writeSync(descriptor, bytes);
  closeSync(descriptor);
  const closedAtMs = monotonicMs();
  return { closedAtMs, seenAtMs: await seen };
}

function waitForContent(root: string, path: string, wanted: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const deadline = monotonicMs() + LONGEST_MS;
    const watcher = watch(join(root, 'documents'), look);
    const timer = setInterval(look, POLL_MS);
    function look(): void {
      const now = monotonicMs();
      const isThere = read(join(root, path))?.equals(wanted) === true;
      if (!isThere && now < deadline) return;
      clearInterval(timer);
      watcher.close();
      if (isThere) resolve(monotonicMs());
      else reject(new Error(`${path} did not arrive within ${LONGEST_MS / 1000} s`));
    }
  });
}

function read(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
