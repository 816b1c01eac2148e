import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Budget, detect } from './detect.ts';
import { type Detector, PLANTED_BUGS, type PlantedBug } from './planted-bugs.ts';
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
    show: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  const wanted = values.only.split(',');
  const bugs = values.show
    ? []
    : PLANTED_BUGS.filter(({ name }) => wanted.some((part) => name.includes(part)));
  if (values.list) {
    for (const { name, harm, file } of bugs) console.log(`${name}\n  ${harm}\n  ${file}`);
    return;
  }
  const budget = {
    simRuns: Number(values.runs),
    propertyRuns: Number(values['property-runs']),
    timeoutMs: Number(values.seconds) * 1000,
  };
  let results = values.json === undefined ? [] : readResults(values.json);
  const keep = (result: Result): void => {
    results = inOrder(PLANTED_BUGS, [...results, result]);
    if (values.json !== undefined) writeResults(values.json, results);
  };
  if (bugs.length > 0) await plantAll(bugs, budget, keep);
  const missed = results.filter(({ noticed }) => noticed === null);
  console.log(showTable(PLANTED_BUGS, results));
  console.log(`\n${results.length} planted, ${results.length - missed.length} noticed`);
  if (values.markdown !== undefined) writeFileSync(values.markdown, showPage(PLANTED_BUGS, results, budget));
  if (missed.length > 0) process.exitCode = 1;
}

async function plantAll(
  bugs: readonly PlantedBug[],
  budget: Budget,
  keep: (result: Result) => void,
): Promise<void> {
  const copy = createPlantedCopy(join(import.meta.dirname, '..', '..'));
  try {
    const trusted = new Set<Detector>();
    for (const bug of bugs) {
      const result = await plantOne(copy, bug, budget, trusted);
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
  trusted: Set<Detector>,
): Promise<Result> {
  const missedBy: Result['missedBy'][number][] = [];
  for (const detector of bug.detectors) {
    copy.plant(bug);
    const detection = await detect(copy.path, detector, budget);
    if (!detection.caught) {
      missedBy.push({ detector, runs: detection.runs });
      continue;
    }
    if (!trusted.has(detector)) await assertQuiet(copy, detector, budget);
    trusted.add(detector);
    return { name: bug.name, noticed: detection, missedBy };
  }
  return { name: bug.name, noticed: null, missedBy };
}

/** A detector that complains about the sources as they are would notice everything. */
async function assertQuiet(copy: PlantedCopy, detector: Detector, budget: Budget): Promise<void> {
  copy.restore();
  const { caught, what } = await detect(copy.path, detector, { ...budget, simRuns: 20 });
  if (caught) throw new Error(`${detector} fails without any planted bug: ${what}`);
}

if (values.help) console.log(HELP);
else await main();
