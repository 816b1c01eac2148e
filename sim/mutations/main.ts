import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Budget, type Detection, detect } from './detect.ts';
import { PLANTED_BUGS, type PlantedBug } from './planted-bugs.ts';
import { createPlantedCopy } from './planted-copy.ts';

const HELP = `npm run mutations -- [options]

Plants one known bug after the other in a copy of the sources and shows which test notices it, after how many runs.
Fails when one is not noticed.

  --only NAME        only bugs whose name contains this
  --runs N           histories of the simulated world for each, at most (2000)
  --property-runs N  cases of each property, at most (3000)
  --seconds N        for each detector, at most (300)
  --json FILE        where to write the results
  --list             the bugs, nothing is run
`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    runs: { type: 'string', default: '2000' },
    'property-runs': { type: 'string', default: '3000' },
    seconds: { type: 'string', default: '300' },
    json: { type: 'string' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  const bugs = PLANTED_BUGS.filter(({ name }) => name.includes(values.only));
  if (values.list) {
    for (const { name, harm, file } of bugs) console.log(`${name}\n  ${harm}\n  ${file}`);
    return;
  }
  const budget = {
    simRuns: Number(values.runs),
    propertyRuns: Number(values['property-runs']),
    timeoutMs: Number(values.seconds) * 1000,
  };
  const results: { bug: PlantedBug; detection: Detection | null }[] = [];
  const copy = createPlantedCopy(join(import.meta.dirname, '..', '..'));
  try {
    await assertQuiet(copy.path, bugs, budget);
    for (const bug of bugs) {
      copy.plant(bug);
      let detection: Detection | null = null;
      for (const detector of bug.detectors) {
        const found = await detect(copy.path, detector, budget);
        if (!found.caught) continue;
        detection = found;
        break;
      }
      results.push({ bug, detection });
      console.error(
        detection === null
          ? `${bug.name}: NOT NOTICED`
          : `${bug.name}: ${detection.detector}, ${Math.round(detection.timeMs / 1000)} s`,
      );
    }
  } finally {
    copy.remove();
  }
  console.log('| planted bug | noticed by | runs | what was seen |\n| --- | --- | --- | --- |');
  for (const { bug, detection } of results) {
    const what = detection?.what.replaceAll('|', '/').slice(0, 100) ?? '';
    console.log(
      `| ${bug.name} | ${detection?.detector ?? '**nobody**'} | ${detection?.runs ?? ''} | ${what} |`,
    );
  }
  const missed = results.filter(({ detection }) => detection === null).length;
  console.log(`\n${results.length} planted, ${results.length - missed} noticed`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
  if (missed > 0) process.exitCode = 1;
}

/** A detector that complains about the sources as they are would notice everything. */
async function assertQuiet(path: string, bugs: readonly PlantedBug[], budget: Budget): Promise<void> {
  for (const detector of new Set(bugs.flatMap(({ detectors }) => detectors))) {
    const { caught, what } = await detect(path, detector, { ...budget, simRuns: 20 });
    if (caught) throw new Error(`${detector} fails without any planted bug: ${what}`);
  }
}

if (values.help) console.log(HELP);
else await main();
