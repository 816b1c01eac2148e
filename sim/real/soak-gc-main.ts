import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runSoak } from './soak/run-soak.ts';

const HELP = `npm run soak:gc -- [options]

A real server, and storage nodes if wanted, under users who save, delete, restore, purge and revert the same few
contents, while it collects garbage again and again, its calendar jumps by hours and days, and it is killed, most of all
while it collects. After each round all rests: every file that a user believes stored must be there by its hash, verify
must be clean, no reference may dangle, and after two clean-ups no garbage may be left. Exit status 1 if anything is wrong.

  --minutes N        (2)
  --nodes N          storage nodes; 0: a folder of the server (0)
  --seed TEXT        (by chance); repeats the choices, not the timing
  --round-seconds N  (20)
  --users N          (8)
  --folder DIR       where to work (the system's folder for temporary files); left there when something is wrong
  --json FILE        write the report there
`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    nodes: { type: 'string', default: '0' },
    seed: { type: 'string' },
    'round-seconds': { type: 'string', default: '20' },
    users: { type: 'string', default: '8' },
    folder: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}

const seed = values.seed ?? randomBytes(6).toString('hex');
const startMs = performance.now();
console.log(`seed ${seed}`);
const result = await runSoak({
  seed,
  minutes: Number(values.minutes),
  roundSeconds: Number(values['round-seconds']),
  users: Number(values.users),
  nodes: Number(values.nodes),
  ...(values.folder === undefined ? {} : { base: values.folder }),
  report: (line) =>
    console.log(`${((performance.now() - startMs) / 1000).toFixed(1).padStart(7)} s  ${line}`),
});
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);

const { actions, disturbance: done, atTheEnd } = result;
const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const total = Object.values(actions).reduce((sum, each) => sum + each, 0);
console.log(`
${result.nodes === 0 ? 'a folder' : `${result.nodes} storage nodes`}, ${result.minutes} minutes, seed ${seed}
rounds       ${result.rounds}, ${result.roundsWithoutGarbage} of them without any garbage afterwards; ${result.checkedFiles} times a file was looked at afterwards
deeds        ${total}
${Object.entries(actions)
  .map(([name, count]) => `             ${count} ${name}`)
  .sort()
  .join('\n')}
clean-ups    ${done.collections} to the end, ${done.interruptedCollections} interrupted, over ${Math.round(done.days)} days
kills        server ${done.serverKills}, nodes ${done.nodeKills}
condemned    ${done.condemnedBlocks} blocks; ${done.orphansNoted} without metadata
collected    ${done.reclaimedBlocks} blocks, ${mebibytes(done.reclaimedBytes)}; ${done.thinnedVersions} versions thinned, ${done.purgedItems} items of the trash purged
at the end   ${atTheEnd === null ? 'not reached' : `${atTheEnd.blocks} blocks, ${mebibytes(atTheEnd.storedBytes)} stored, ${mebibytes(atTheEnd.diskBytes)} on disk`}; ${mebibytes(result.largestDiskBytes)} on disk at most`);
for (const failure of result.failures.slice(0, 40)) console.error(`WRONG ${failure}`);
if (result.failures.length > 0) {
  console.error(
    `${result.failures.length} wrong. Repeat the choices with --seed ${seed}. Everything is left in ${result.folder}`,
  );
}
process.exit(result.failures.length > 0 ? 1 : 0);
