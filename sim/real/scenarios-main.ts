import { parseArgs } from 'node:util';
import { loadScenarios } from '../scenarios/index.ts';
import { replay, stagesOf } from './driver/replay.ts';
import { type Scenario, STAGE_NAMES, type StageName } from './scenario-schema.ts';

const HELP = `npm run scenarios -- [options]

Replays the scenario files and checks their ends. Exit status 1 if any is not as it must be.

  --stage NAME    memory: simulated disks and the services in this process
                  disk: real folders and HTTP in this process
                  processes: real daemons and a real server over loopback, through the fault proxy
                  (all three, one after the other)
  --only TEXT     those whose name contains the text
  --at-once N     replayed at the same time (memory 8, disk 4, processes 2)
  --list          print names, numbers and titles
`;

const { values } = parseArgs({
  options: {
    stage: { type: 'string' },
    only: { type: 'string', default: '' },
    'at-once': { type: 'string' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}

const chosen = loadScenarios().filter(({ name }) => name.includes(values.only));
if (values.list) {
  for (const { name, shows, title } of chosen)
    console.log(`${name.padEnd(34)} ${shows.join(' ').padEnd(18)} ${title}`);
  console.log(`${chosen.length} scenarios`);
  process.exit(0);
}

const AT_ONCE: Readonly<Record<StageName, number>> = { memory: 8, disk: 4, processes: 2 };
const stages = values.stage === undefined ? STAGE_NAMES : STAGE_NAMES.filter((each) => each === values.stage);
if (stages.length === 0) throw new Error(`--stage is one of ${STAGE_NAMES.join(', ')}`);

let failures = 0;
for (const stage of stages) {
  const waiting = chosen.filter((scenario) => stagesOf(scenario).includes(stage));
  const startMs = performance.now();
  const total = waiting.length;
  let failed = 0;
  async function work(): Promise<void> {
    for (let scenario = waiting.shift(); scenario !== undefined; scenario = waiting.shift()) {
      if (!(await passes(scenario, stage))) failed++;
    }
  }
  await Promise.all(Array.from({ length: Number(values['at-once'] ?? AT_ONCE[stage]) }, work));
  failures += failed;
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(`${stage}: ${total - failed} of ${total} scenarios as they must be, ${seconds} s`);
}
process.exitCode = failures === 0 ? 0 : 1;

async function passes(scenario: Scenario, stage: StageName): Promise<boolean> {
  try {
    await replay(scenario, stage);
    return true;
  } catch (error) {
    if (scenario.knownError !== undefined) {
      console.log(`${scenario.name} (${stage}): known, not mended yet: ${scenario.knownError}`);
      return true;
    }
    console.error(
      `WRONG ${scenario.name} (${stage}; ${scenario.shows.join(' ')}): ${(error as Error).message}\n`,
    );
    return false;
  }
}
