import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { serveAsChild } from './children.ts';
import { runMany } from './run-many.ts';
import { findBlindSpots, showTally } from './wanted-states.ts';
import type { WorldKind } from './world-kind.ts';

const USAGE = `-- [options]
  --seed N       one history, told line by line; SIM_TRACE=all tells every event
  --runs N       so many histories (1000)
  --minutes N    as many as fit
  --from N       first seed (1); "random" for a new one
  --jobs N       processes (as many as there are cores)
  --once         each seed once; otherwise twice, and both must be the same
  --keep-going   do not end with the first failure
  --no-shrink    do not make failing histories smaller
  --json         results as JSON`;

/** Fewer runs than this prove nothing about what was never met. */
const RUNS_TO_SEE = 1000;
const SHRINK_RUNS = 400;

/** Plays histories of one kind as the arguments of this process say, or as a child of a process that does. */
export async function runCommand<Script>(kind: WorldKind<Script>): Promise<void> {
  if (process.env['SIM_CHILD'] === '1') serveAsChild(kind);
  else process.exitCode = await main(kind);
}

async function main<Script>(kind: WorldKind<Script>): Promise<number> {
  const { values: options } = parseArgs({
    options: {
      seed: { type: 'string' },
      runs: { type: 'string' },
      minutes: { type: 'string' },
      from: { type: 'string', default: '1' },
      jobs: { type: 'string' },
      once: { type: 'boolean', default: false },
      'keep-going': { type: 'boolean', default: false },
      'no-shrink': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (options.help) {
    console.log(`${kind.command} ${USAGE}`);
    return 0;
  }
  if (options.seed !== undefined) return tellOne(kind, Number(options.seed), !options['no-shrink']);

  const from = options.from === 'random' ? Math.floor(Math.random() * 2 ** 31) : Number(options.from);
  const minutes = options.minutes === undefined ? null : Number(options.minutes);
  const startedAt = Date.now();
  const outcome = await runMany(kind, {
    from,
    runs: options.runs === undefined ? (minutes === null ? 1000 : null) : Number(options.runs),
    untilAt: minutes === null ? null : startedAt + minutes * 60_000,
    jobs: Number(options.jobs ?? availableParallelism()),
    twice: !options.once,
    keepGoing: options['keep-going'],
    onProgress: (runs, failures) => {
      if (!options.json && process.stderr.isTTY)
        process.stderr.write(`\r${runs} runs, ${failures} failures `);
    },
  });
  const seconds = (Date.now() - startedAt) / 1000;
  const { tally, failures } = outcome;
  const blind = findBlindSpots(tally, kind.wantedStates);
  const isBlind = tally.runs >= RUNS_TO_SEE && blind.length > 0;
  if (options.json) {
    console.log(
      JSON.stringify({ from, seconds, events: outcome.events, failures, blind, ...tally.toJson() }),
    );
  } else {
    console.log(showTally(tally));
    console.log(
      `\n${tally.runs} histories from seed ${from}${options.once ? '' : ', each twice'}, ${outcome.events} events, in ${seconds.toFixed(0)} s (${(tally.runs / seconds).toFixed(1)} a second)`,
    );
    if (blind.length > 0) console.log(`${isBlind ? 'BLIND: ' : ''}never met: ${blind.join(', ')}`);
    for (const { seed, message } of failures.slice(0, 20))
      console.log(`\nseed ${seed}: ${message.split('\n').slice(0, 3).join('\n')}`);
  }
  const [first] = failures;
  if (first !== undefined && !options.json && !options['no-shrink']) {
    console.log(`\nThe first one, smaller (${kind.command} -- --seed ${first.seed} tells it all):`);
    await tellShrunk(kind, first.seed);
  }
  return failures.length > 0 ? 1 : isBlind ? 2 : 0;
}

async function tellOne<Script>(kind: WorldKind<Script>, seed: number, shrinks: boolean): Promise<number> {
  const result = await kind.run(kind.writeScript(seed), (line) => console.log(line));
  if (result.failure === null) {
    console.log(`seed ${seed}: all is well; trace ${result.hash} of ${result.events} events`);
    return 0;
  }
  console.log(`\nseed ${seed}: ${result.failure.message}`);
  if (shrinks) {
    console.log('\nThe same, smaller:');
    await tellShrunk(kind, seed);
  }
  return 1;
}

async function tellShrunk<Script>(kind: WorldKind<Script>, seed: number): Promise<void> {
  const script = kind.writeScript(seed);
  const { failure } = await kind.run(script);
  if (failure === null) {
    console.log('(it went well this time: something in it is not from its seed)');
    return;
  }
  const shrunk = await kind.shrink(script, failure, SHRINK_RUNS);
  console.log(kind.describe(shrunk.script));
  console.log(`${kind.compare(shrunk.script, script)}, after ${shrunk.runs} runs:`);
  for (const line of shrunk.result.lines) console.log(line);
  console.log(shrunk.result.failure?.message);
}
