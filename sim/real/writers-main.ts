import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runWriters } from './writers/run-writers.ts';

const HELP = `npm run writers -- [options]

Real daemons and a real server on one space; simulated users write, move, swap and delete unique contents while
daemons and server are killed and networks fail. At the end all folders must equal the server, and every content
that no user gave up must be found by its hash. Exit status 1 if anything is wrong.

  --minutes N       (2)
  --writers N       (10)
  --seed TEXT       (by chance); repeats the choices, not the timing
  --user-gap A-B    milliseconds between two deeds of one user (300-3000)
  --chaos-gap A-B   milliseconds between two misfortunes (1000-6000)
  --settle-seconds N  (600)
  --folder DIR      where to work (the system's folder for temporary files)
  --json FILE       write the report there
`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    writers: { type: 'string', default: '10' },
    seed: { type: 'string' },
    'user-gap': { type: 'string', default: '300-3000' },
    'chaos-gap': { type: 'string', default: '1000-6000' },
    'settle-seconds': { type: 'string', default: '600' },
    folder: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}

function range(text: string): readonly [number, number] {
  const [from, to] = text.split('-').map(Number);
  if (from === undefined || to === undefined || !(from <= to))
    throw new Error(`"${text}" is no range such as 300-3000`);
  return [from, to];
}

const seed = values.seed ?? randomBytes(6).toString('hex');
const startMs = performance.now();
console.log(`seed ${seed}`);
const result = await runWriters(
  {
    seed,
    writers: Number(values.writers),
    minutes: Number(values.minutes),
    userGapMs: range(values['user-gap']),
    chaosGapMs: range(values['chaos-gap']),
    settleTimeoutMs: Number(values['settle-seconds']) * 1000,
    report: (line) =>
      console.log(`${((performance.now() - startMs) / 1000).toFixed(1).padStart(7)} s  ${line}`),
  },
  values.folder,
);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
const { chaos, found, wire } = result;
const total = (counts: Readonly<Record<string, number>>) =>
  Object.values(counts).reduce((sum, each) => sum + each, 0);
const list = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
console.log(`
${result.writers} writers, ${result.minutes} minutes, seed ${seed}
deeds            ${total(result.actions)}: ${list(result.actions)}
kills            server ${chaos.serverKills}, daemons ${chaos.daemonKills}
network faults   ${total(chaos.networkFaults)}: ${list(chaos.networkFaults)}
on the wire      ${list({ ...wire })}
contents         ${result.contentsWritten} written, ${result.contentsToKeep} that nobody gave up
found            ${found === null ? 'not looked for' : `${found.live} live, ${found.rescued} rescued, ${found.inVersions} in versions, ${found.inTrash} in the trash, ${found.lost.length} lost`}
at the end       ${result.items} items, ${result.conflictCopies} conflict copies, journal at ${result.sequence}
until equal      ${result.settleSeconds.toFixed(1)} s
peak memory      server ${result.peakRssMib.server} MiB, largest daemon ${result.peakRssMib.largestDaemon} MiB`);
for (const failure of result.failures.slice(0, 40)) console.error(`WRONG ${failure}`);
if (result.failures.length > 0) {
  console.error(`${result.failures.length} wrong. Repeat the choices with --seed ${seed}`);
  process.exitCode = 1;
}
// Node's own end was seen to wait for ever for the handle of a connection that was closed long ago.
process.exit();
