import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Budget, detect } from './detect.ts';
import type { Detector, PlantedBug } from './planted-bug.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';
import { createPlantedCopy, type PlantedCopy } from './planted-copy.ts';
import { inOrder, type Result, readResults, showPage, showTable, writeResults } from './results.ts';

const HELP = `npm run mutations -- [options]

Plants one known bug after the other in a copy of the sources and shows which test notices it, after how many runs.
Fails when one is not noticed.

  --only NAMES       only bugs whose name contains one of these, separated by commas
  --runs N           histories of the simulated world for each, at most (2000)
  --property-runs N  cases of each property, at most (3000)
  --seconds N        for each detector, at most (300)
  --json FILE        where the results are kept; those of bugs that are not planted now stay
  --continue         only bugs that nobody in --json has noticed; the simulated world goes on after the last seed
  --markdown FILE    where to write the page about all results
  --show             plants nothing, shows what --json has
  --list             the bugs, nothing is run
`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    runs: { type: 'string', default: '2000' },
    'property-runs': { type: 'string', default: '3000' },
    seconds: { type: 'string', default: '300' },
    json: { type: 'string' },
    markdown: { type: 'string' },
    continue: { type: 'boolean', default: false },
    show: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  const wanted = values.only.split(',');
  let results = values.json === undefined ? [] : inOrder(PLANTED_BUGS, readResults(values.json));
  const done = new Set(results.filter(({ noticed }) => noticed !== null).map(({ name }) => name));
  const bugs = PLANTED_BUGS.filter(
    ({ name }) => wanted.some((part) => name.includes(part)) && !(values.continue && done.has(name)),
  );
  if (values.list) {
    for (const { name, harm, file } of bugs) console.log(`${name}\n  ${harm}\n  ${file}`);
    return;
  }
  const budget = {
    simRuns: Number(values.runs),
    propertyRuns: Number(values['property-runs']),
    timeoutMs: Number(values.seconds) * 1000,
  };
  const earlier = values.continue ? results : [];
  const keep = (result: Result): void => {
    results = inOrder(PLANTED_BUGS, [...results, result]);
    if (values.json !== undefined) writeResults(values.json, results);
  };
  if (!values.show) await plantAll(bugs, budget, earlier, keep);
  const missed = results.filter(({ noticed }) => noticed === null);
  console.log(showTable(PLANTED_BUGS, results));
  console.log(`\n${results.length} planted, ${results.length - missed.length} noticed`);
  if (values.markdown !== undefined) writeFileSync(values.markdown, showPage(PLANTED_BUGS, results));
  if (missed.length > 0) process.exitCode = 1;
}

async function plantAll(
  bugs: readonly PlantedBug[],
  budget: Budget,
  earlier: readonly Result[],
  keep: (result: Result) => void,
): Promise<void> {
  const copy = createPlantedCopy(join(import.meta.dirname, '..', '..'));
  try {
    const trusted = new Map<Detector, boolean>();
    for (const bug of bugs) {
      const result = await plantOne(copy, bug, budget, earlier, trusted);
      keep(result);
      const { noticed } = result;
      const words =
        noticed === null
          ? 'NOT NOTICED'
          : `${noticed.detector}, ${noticed.runs ?? '?'} runs, ${Math.round(noticed.timeMs / 1000)} s`;
      console.error(`${bug.name}: ${words}`);
    }
  } finally {
    copy.remove();
  }
}

async function plantOne(
  copy: PlantedCopy,
  bug: PlantedBug,
  budget: Budget,
  earlier: readonly Result[],
  trusted: Map<Detector, boolean>,
): Promise<Result> {
  const missedBy: Result['missedBy'][number][] = [];
  for (const detector of bug.detectors) {
    const before = earlier.find(({ name }) => name === bug.name)?.missedBy ?? [];
    const runsBefore = before.find((each) => each.detector === detector)?.runs ?? 0;
    copy.plant(bug);
    const detection = await detect(copy.path, detector, budget, runsBefore);
    if (!detection.caught) {
      missedBy.push({ detector, runs: detection.runs });
      continue;
    }
    const isTrusted = trusted.get(detector) ?? (await isQuiet(copy, detector, budget));
    trusted.set(detector, isTrusted);
    if (!isTrusted) continue;
    return { name: bug.name, noticed: detection, missedBy };
  }
  return { name: bug.name, noticed: null, missedBy };
}

/** A detector that complains about the sources as they are would notice everything: it does not count. */
async function isQuiet(copy: PlantedCopy, detector: Detector, budget: Budget): Promise<boolean> {
  copy.restore();
  const { caught, what } = await detect(copy.path, detector, { ...budget, simRuns: 20 });
  if (!caught) return true;
  console.error(`${detector} fails without any planted bug: ${what}`);
  process.exitCode = 1;
  return false;
}

if (values.help) console.log(HELP);
else await main();
