import { createHash } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createSeededRandom, readTree } from '@cairn/bench';
import { createCairnContestant } from './differential/cairn-contestant.ts';
import type { Contestant } from './differential/contestant.ts';
import { doDeed } from './differential/do-deed.ts';
import { createScript, type Script } from './differential/script.ts';
import { createSyncthingContestant } from './differential/syncthing-contestant.ts';
import { createUnisonContestant } from './differential/unison-contestant.ts';

const HELP = `npm run differential -- [options]

Plays the same random scripts of two users on Cairn, Unison and Syncthing (where installed) and compares which
contents survive. Exit status 1 if Cairn lost a content that another tool keeps.

  --seed TEXT    (1)
  --scripts N    (20)
`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    scripts: { type: 'string', default: '20' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}

const hashOf = (content: string) => createHash('sha256').update(content).digest('hex');

/** Contents that the users wrote, and those that are in either folder at the end. */
interface Outcome {
  readonly written: Set<string>;
  readonly live: Set<string>;
  syncFailures: number;
}

async function play(contestant: Contestant, script: Script, outcome: Outcome): Promise<void> {
  const folders = contestant.folders.map((folder) => join(folder, script.name));
  const [first, second] = folders;
  if (first === undefined || second === undefined) throw new Error('two folders are needed');
  const written: string[] = [];
  let isStuck = false;
  for (const { first: ofFirst, second: ofSecond } of script.rounds) {
    await contestant.rest();
    for (const [folder, deeds] of [
      [first, ofFirst],
      [second, ofSecond],
    ] as const) {
      mkdirSync(folder, { recursive: true });
      for (const deed of deeds) {
        const content = doDeed(folder, deed);
        if (content !== null) written.push(content);
      }
    }
    await contestant.sync().catch((error: Error) => {
      outcome.syncFailures++;
      isStuck = true;
      console.error(`${contestant.name}, ${script.name}: ${error.message}`);
    });
  }
  const hashes = new Set<string>();
  for (const folder of folders)
    for (const { hash } of readTree(folder).values()) if (hash !== null) hashes.add(hash);
  for (const content of written) {
    outcome.written.add(content);
    if (hashes.has(hashOf(content))) outcome.live.add(content);
  }
  // What a tool cannot get equal must not hold up the scripts that follow.
  if (isStuck) for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

const contestants: Contestant[] = [await createCairnContestant()];
for (const [name, create] of [
  ['unison', createUnisonContestant],
  ['syncthing', createSyncthingContestant],
] as const) {
  const contestant = await create().catch((error: Error) => {
    console.log(`${name} does not start: ${error.message}`);
    return null;
  });
  if (contestant === null)
    console.log(`${name} is not installed (Debian: apt-get install ${name}); left out`);
  else contestants.push(contestant);
}

try {
  const outcomes = new Map<Contestant, Outcome>();
  for (const contestant of contestants)
    outcomes.set(contestant, { written: new Set(), live: new Set(), syncFailures: 0 });
  const count = Number(values.scripts);
  for (let index = 1; index <= count; index++) {
    const name = `s${index}`;
    const script = createScript(name, createSeededRandom(`differential ${values.seed} ${index}`));
    // Each on folders of its own; they do not disturb one another.
    await Promise.all([...outcomes].map(([contestant, outcome]) => play(contestant, script, outcome)));
  }
  const [cairn, ...others] = contestants;
  const own = cairn === undefined ? undefined : outcomes.get(cairn);
  if (cairn === undefined || own === undefined) throw new Error('Cairn does not take part');
  await cairn.rest();
  const inHistory = (await cairn.findInHistory([...own.written])) ?? new Set();
  console.log(`${count} scripts, seed ${values.seed}`);
  for (const [{ name }, { written, live, syncFailures }] of outcomes)
    console.log(
      `${name.padEnd(26)} ${written.size} contents written, ${live.size} live at the end${syncFailures > 0 ? `, ${syncFailures} syncs not finished` : ''}`,
    );
  const unreachable = [...own.written].filter((content) => !own.live.has(content) && !inHistory.has(content));
  console.log(
    `Cairn besides: ${inHistory.size} reachable (live, versions, trash, rescued), ${unreachable.length} neither`,
  );
  let lost = 0;
  for (const other of others) {
    const { live } = outcomes.get(other) as Outcome;
    const common = [...live].filter((content) => own.written.has(content));
    const onlyHistory = common.filter((content) => !own.live.has(content) && inHistory.has(content));
    const missing = common.filter((content) => !own.live.has(content) && !inHistory.has(content));
    const theirs = [...own.live].filter((content) => !live.has(content));
    lost += missing.length;
    console.log(
      `beside ${other.name}: it keeps ${live.size} live; Cairn has ${common.length - onlyHistory.length - missing.length} of them live, ${onlyHistory.length} in history, lost ${missing.length}. Cairn keeps ${theirs.length} live that it does not`,
    );
    for (const content of onlyHistory.slice(0, 5)) console.log(`  in history only: ${content.trim()}`);
    for (const content of missing.slice(0, 10))
      console.error(`WRONG lost by Cairn, kept by ${other.name}: ${content.trim()}`);
  }
  process.exitCode = lost > 0 || own.syncFailures > 0 ? 1 : 0;
} finally {
  for (const contestant of contestants) await contestant.close();
}
