import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { StepResult } from './two-devices/measurement.ts';
import { formatTable, summarise } from './two-devices/report.ts';
import { runSteps } from './two-devices/run-steps.ts';
import { withCleanup } from './world/cleanup.ts';
import { createWorkFolder } from './world/work-folder.ts';

const HELP = `npm run bench -- [options]

Measures how long it takes from device A over a server to device B, beside cp -r + sync (and rsync -a, where
installed) of the same data in the same run. All processes are real and on this machine. Times never fail a run;
trees that differ do.

  --runs N             repetitions, each in a new world (1)
  --small-files N      number of small files, 1-32 KiB (20000; 0: leave them out)
  --small-folders N    folders they are in (500)
  --large-mib N        size of the large file (1024; 0: leave it out)
  --node-modules DIR   an existing folder to take along (this project's node_modules)
  --no-node-modules    leave it out
  --no-wire            no counting proxies between the devices and the server
  --quick              2000 small files, 64 MiB, no node_modules
  --on auto|loop|temp  a new ext4 in a loop image, or a folder in the system's temporary one (auto)
  --folder DIR         where to put either
  --step-seconds N     longest wait for one step (600)
  --seed TEXT          of the data (cairn)
  --json FILE          where to write the results as JSON (printed after the table by default)
  --profile DIR        where to put a CPU profile of each process
`;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1' },
    'small-files': { type: 'string' },
    'small-folders': { type: 'string' },
    'large-mib': { type: 'string' },
    'node-modules': { type: 'string' },
    'no-node-modules': { type: 'boolean', default: false },
    'no-wire': { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    on: { type: 'string', default: 'auto' },
    folder: { type: 'string' },
    'step-seconds': { type: 'string', default: '600' },
    seed: { type: 'string', default: 'cairn' },
    json: { type: 'string' },
    profile: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(HELP);
  process.exit(0);
}

const place = values.on;
if (place !== 'auto' && place !== 'loop' && place !== 'temp') throw new Error('--on is auto, loop or temp');
const withoutExisting = values['no-node-modules'] || (values.quick && values['node-modules'] === undefined);
const options = {
  smallFiles: Number(values['small-files'] ?? (values.quick ? 2000 : 20_000)),
  smallFolders: Number(values['small-folders'] ?? (values.quick ? 100 : 500)),
  largeBytes: Number(values['large-mib'] ?? (values.quick ? 64 : 1024)) * 1024 ** 2,
  existingFolder: withoutExisting
    ? null
    : (values['node-modules'] ?? join(import.meta.dirname, '..', 'node_modules')),
  countsWire: !values['no-wire'],
  profileFolder: values.profile === undefined ? null : resolve(values.profile),
  stepTimeoutMs: Number(values['step-seconds']) * 1000,
  seed: values.seed,
};
/** A's, the server's and B's copy, that of the floor and two of rsync, an edited one, and what is beside. */
const COPIES = 8;
const workBytes = 4 * 1024 ** 3 + COPIES * (options.largeBytes + 1024 ** 3);

const results: StepResult[] = [];
let where = '';
try {
  for (let run = 1; run <= Number(values.runs); run++) {
    await withCleanup(async (defer) => {
      const work = createWorkFolder(place, workBytes, values.folder);
      defer(() => work.remove());
      where = work.description;
      await runSteps(work.path, options, defer, (result) => {
        results.push(result);
        const { step, timeMs, floorMs, differences } = result;
        const floor = floorMs === null ? '' : ` (floor ${(floorMs / 1000).toFixed(2)} s)`;
        console.error(`run ${run}: ${step}: ${(timeMs / 1000).toFixed(2)} s${floor}`);
        for (const difference of differences.slice(0, 20)) console.error(`  differs: ${difference}`);
      });
    });
  }
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

const summaries = summarise(results);
const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 1024 ** 3)} GiB`;
console.log(`\n${machine}; ${where}; ${values.runs} run(s), median (min–max)\n\n${formatTable(summaries)}\n`);
const json = JSON.stringify({ machine, where, options, summaries, results }, null, 2);
if (values.json === undefined) console.log(json);
else writeFileSync(values.json, `${json}\n`);
if (results.some(({ differences }) => differences.length > 0)) {
  console.error('The trees differed: see above.');
  process.exitCode = 1;
}
