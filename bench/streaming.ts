import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { runCairn } from './world/cairn-program.ts';
import { withCleanup } from './world/cleanup.ts';
import { startCountingProxy } from './world/counting-proxy.ts';
import { askDaemonStatus } from './world/daemon-status.ts';
import { readUsage } from './world/process-usage.ts';
import { writeRandomFile } from './world/seeded-random.ts';
import { median } from './world/statistics.ts';
import { hashFile } from './world/trees.ts';
import { type Device, startWorld, waitUntilInSync } from './world/two-device-world.ts';
import { createWorkFolder } from './world/work-folder.ts';

const HELP = `npm run bench:streaming -- [options]

Measures how long a large file takes from device A over a server to device B when B receives it while A still sends it,
beside each half alone (A to the server while B is paused; then the server to B) in the same run. The link of each device
is limited, in each direction, by a proxy: on one machine processors would be the limit otherwise. Contents that differ
fail the run; times never do.

  --mib N              size of the file (256)
  --link-mib N         bytes each second of each link, in MiB (40; 0: no limit)
  --runs N             repetitions, each with other bytes (3)
  --on auto|loop|temp  a new ext4 in a loop image, or a folder in the system's temporary one (auto)
  --folder DIR         where to put either
  --json               print JSON instead of a table
`;

const { values } = parseArgs({
  options: {
    mib: { type: 'string', default: '256' },
    'link-mib': { type: 'string', default: '40' },
    runs: { type: 'string', default: '3' },
    on: { type: 'string', default: 'auto' },
    folder: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const place = values.on;
if (place !== 'auto' && place !== 'loop' && place !== 'temp') throw new Error('--on is auto, loop or temp');
const MIB = 1024 * 1024;
const sizeBytes = Number(values.mib) * MIB;
const linkBytes = Number(values['link-mib']) * MIB;
const runs = Number(values.runs);
const STEP_TIMEOUT_MS = 600_000;

interface Run {
  /** From the file's name in A's folder until the server has the version. */
  readonly upMs: number;
  /** From there, with a device that was paused, until B has the file. */
  readonly downMs: number;
  /** From the name in A's folder to the name in B's, with both at work. */
  readonly bothMs: number;
  /** CPU seconds of all three processes, one half after the other and both at once. */
  readonly halvesCpu: number;
  readonly bothCpu: number;
  /** Bytes that B received, of which those that came before the commit. */
  readonly aheadBytes: number;
}

const results: Run[] = [];
let where = '';
await withCleanup(async (defer) => {
  const work = createWorkFolder(place, (runs * 8 + 4) * sizeBytes + 1024 ** 3, values.folder);
  defer(() => work.remove());
  where = work.description;
  const limit = linkBytes === 0 ? null : linkBytes;
  const world = await startWorld(work.path, {
    connect: async (_name, port) => {
      const proxy = await startCountingProxy(port, limit);
      defer(() => proxy.close());
      return proxy.port;
    },
  });
  defer(() => world.stop());
  const { deviceA, deviceB, server } = world;
  const stage = join(work.path, 'stage');
  mkdirSync(stage);
  await waitUntilInSync([deviceA, deviceB], STEP_TIMEOUT_MS);
  const cpu = () =>
    [server, deviceA.daemon, deviceB.daemon].reduce(
      (sum, program) => sum + readUsage(program.processId).cpuSeconds,
      0,
    );

  /** Puts a new file into A's folder; returns when that was. */
  async function begin(name: string): Promise<number> {
    writeRandomFile(join(stage, name), sizeBytes, `streaming ${name}`);
    await sleep(1000);
    const startMs = performance.now();
    renameSync(join(stage, name), join(deviceA.folder, name));
    return startMs;
  }

  /** Waits for the name on B. */
  async function arrival(name: string): Promise<number> {
    const deadline = performance.now() + STEP_TIMEOUT_MS;
    while (!existsSync(join(deviceB.folder, name))) {
      if (performance.now() > deadline) throw new Error(`${name} does not come`);
      await sleep(4);
    }
    const endMs = performance.now();
    const [sent, received] = await Promise.all(
      [deviceA, deviceB].map(({ folder }) => hashFile(join(folder, name))),
    );
    if (sent !== received) throw new Error(`${name} differs on B`);
    return endMs;
  }

  for (let run = 1; run <= runs; run++) {
    const cpuBefore = cpu();
    await tell(deviceB, 'pause');
    const halfName = `halves-${run}`;
    const startMs = await begin(halfName);
    const committedMs = await untilCommitted(deviceA, run * 2 - 1);
    await sleep(1000);
    const resumedMs = performance.now();
    await tell(deviceB, 'resume');
    const arrivedMs = await arrival(halfName);
    await waitUntilInSync([deviceA, deviceB], STEP_TIMEOUT_MS);
    const cpuBetween = cpu();
    const bothName = `both-${run}`;
    const bothStartMs = await begin(bothName);
    const bothEndMs = await arrival(bothName);
    await waitUntilInSync([deviceA, deviceB], STEP_TIMEOUT_MS);
    const { aheadBytes } = (await countersOf(deviceB)) as { aheadBytes: number };
    const result: Run = {
      upMs: committedMs - startMs,
      downMs: arrivedMs - resumedMs,
      bothMs: bothEndMs - bothStartMs,
      halvesCpu: cpuBetween - cpuBefore,
      bothCpu: cpu() - cpuBetween,
      aheadBytes: aheadBytes - results.reduce((sum, each) => sum + each.aheadBytes, 0),
    };
    results.push(result);
    console.error(`run ${run}: ${JSON.stringify(result)}`);
  }
});

async function tell(device: Device, command: 'pause' | 'resume'): Promise<void> {
  await runCairn(['sync', command, device.folder], device.variables);
}

async function countersOf(device: Device): Promise<Readonly<Record<string, number>>> {
  const status = await askDaemonStatus(device.variables['CAIRN_HOME'] ?? '');
  return (status as { counters?: Record<string, number> } | null)?.counters ?? {};
}

async function untilCommitted(device: Device, files: number): Promise<number> {
  const deadline = performance.now() + STEP_TIMEOUT_MS;
  while (((await countersOf(device))['commits'] ?? 0) < files) {
    if (performance.now() > deadline) throw new Error('the file is not committed');
    await sleep(20);
  }
  return performance.now();
}

const of = (pick: (run: Run) => number) => median(results.map(pick));
const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 1024 ** 3)} GiB`;
if (values.json) console.log(JSON.stringify({ machine, where, sizeBytes, linkBytes, results }, null, 2));
else {
  const slower = of(({ upMs, downMs }) => Math.max(upMs, downMs));
  const sum = of(({ upMs, downMs }) => upMs + downMs);
  const both = of(({ bothMs }) => bothMs);
  const link = linkBytes === 0 ? 'links without limit' : `links of ${values['link-mib']} MiB/s`;
  console.log(`\n${machine}; ${where}; ${values.mib} MiB over ${link}; ${runs} run(s), median\n`);
  console.log(`A to the server            ${seconds(of(({ upMs }) => upMs))}`);
  console.log(`the server to B            ${seconds(of(({ downMs }) => downMs))}`);
  console.log(
    `one after the other        ${seconds(sum)}  CPU ${of(({ halvesCpu }) => halvesCpu).toFixed(1)} s`,
  );
  console.log(
    `both at once               ${seconds(both)}  CPU ${of(({ bothCpu }) => bothCpu).toFixed(1)} s  ${(both / slower).toFixed(2)} x the slower half, ${(both / sum).toFixed(2)} x the sum`,
  );
  const ahead = of(({ aheadBytes }) => aheadBytes / sizeBytes);
  console.log(`received before the commit ${(100 * ahead).toFixed(0)} %`);
}
