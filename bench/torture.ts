import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runTorture, type TortureResult } from './torture/run-torture.ts';
import { withCleanup } from './world/cleanup.ts';
import { createWorkFolder } from './world/work-folder.ts';

const HELP = `npm run torture -- [options]

Two people work on two devices while the server and both daemons are killed (kill -9) again and again. At the end
both folders, and that of a new device, must be equal byte for byte, and nothing that somebody wrote may be lost.
Exit status 1 if anything is wrong, with the seed to repeat the choices.

  --kills N            (30)
  --gap-ms A-B         shortest and longest time between two kills (500-4000)
  --small-files N      (0)
  --large-mib N        size of the large file (1024; 0: none)
  --node-modules DIR   an existing folder to take along (this project's node_modules)
  --no-node-modules    leave it out
  --quick              500 small files, 32 MiB, no node_modules, gaps 200-1500
  --settle-seconds N   longest wait for both to be equal (900)
  --no-new-device      do not check what a new device gets
  --seed TEXT          (by chance)
  --keep               leave the folder there when something is wrong
  --on auto|loop|temp  a new ext4 in a loop image, or a folder in the system's temporary one (auto)
  --folder DIR         where to put either
`;

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '30' },
    'gap-ms': { type: 'string' },
    'small-files': { type: 'string' },
    'large-mib': { type: 'string' },
    'node-modules': { type: 'string' },
    'no-node-modules': { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    'settle-seconds': { type: 'string', default: '900' },
    'no-new-device': { type: 'boolean', default: false },
    seed: { type: 'string' },
    keep: { type: 'boolean', default: false },
    on: { type: 'string', default: 'auto' },
    folder: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(HELP);
  process.exit(0);
}

const place = values.on;
if (place !== 'auto' && place !== 'loop' && place !== 'temp') throw new Error('--on is auto, loop or temp');
const seed = values.seed ?? randomBytes(6).toString('hex');
const largeBytes = Number(values['large-mib'] ?? (values.quick ? 32 : 1024)) * 1024 ** 2;
const [shortestMs = 500, longestMs = 4000] = (values['gap-ms'] ?? (values.quick ? '200-1500' : '500-4000'))
  .split('-')
  .map(Number);
const withoutExisting = values['no-node-modules'] || (values.quick && values['node-modules'] === undefined);
/** Three devices and the server, twice after edits, with copies set aside and what conflicts make of them. */
const COPIES = 14;

const startMs = performance.now();
console.log(`seed ${seed}`);
let result: TortureResult | null = null;
try {
  result = await withCleanup(async (defer) => {
    const work = createWorkFolder(place, 8 * 1024 ** 3 + COPIES * largeBytes, values.folder);
    let isWrong = true;
    defer(() => {
      if (isWrong && values.keep) console.log(`everything is left in ${work.path}`);
      else work.remove();
    });
    const outcome = await runTorture(
      work.path,
      {
        seed,
        kills: Number(values.kills),
        gapMs: [shortestMs, longestMs],
        smallFiles: Number(values['small-files'] ?? (values.quick ? 500 : 0)),
        largeBytes,
        existingFolder: withoutExisting
          ? null
          : (values['node-modules'] ?? join(import.meta.dirname, '..', 'node_modules')),
        settleTimeoutMs: Number(values['settle-seconds']) * 1000,
        checksNewDevice: !values['no-new-device'],
        report: (line) =>
          console.log(`${((performance.now() - startMs) / 1000).toFixed(1).padStart(7)} s  ${line}`),
      },
      defer,
    );
    isWrong = outcome.failures.length > 0;
    return outcome;
  });
} catch (error) {
  console.error((error as Error).message);
}

if (result === null) {
  console.error(`The run did not come to its end. Repeat its choices with --seed ${seed}`);
  process.exitCode = 1;
} else {
  const { kills, elsewhere } = result;
  console.log(`
kills            ${kills.server + kills.a + kills.b}: server ${kills.server}, A ${kills.a}, B ${kills.b}
user actions     ${result.actions}
contents         ${result.contents} written and accounted for
kept             ${elsewhere.inVersions.length} only in the server's versions, ${elsewhere.inRescue.length} only in a rescue folder
conflict copies  ${result.conflictCopies}
items at the end ${result.items}
duration         ${result.tortureSeconds.toFixed(1)} s of torture, ${result.settleSeconds.toFixed(1)} s until equal
`);
  for (const text of elsewhere.inRescue) console.log(`only rescued: ${text}`);
  for (const failure of result.failures.slice(0, 50)) console.error(`WRONG ${failure}`);
  if (result.failures.length > 0) {
    console.error(`${result.failures.length} wrong. Repeat the choices with --seed ${seed}`);
    process.exitCode = 1;
  }
}
