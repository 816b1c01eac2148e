import { beforeAll, describe, it } from 'vitest';
import { loadScenarios } from '../scenarios/index.ts';
import { replay, stagesOf } from './driver/replay.ts';
import type { Scenario, StageName } from './scenario-schema.ts';

const TIMEOUT_MS = 300_000;
/** Most of their time is waiting for timers, so many run at once; processes take turns at the processors. */
const AT_ONCE: Readonly<Record<StageName, number>> = { memory: 16, disk: 8, processes: 3 };

/** One test for each scenario that this stage can replay. */
export function testScenarios(
  stage: StageName,
  isChosen: (scenario: Scenario) => boolean = () => true,
): void {
  const scenarios = loadScenarios().filter((each) => stagesOf(each).includes(stage) && isChosen(each));
  const results = new Map<string, Promise<unknown>>();

  function startAll(): void {
    const waiting = scenarios.map((scenario) => {
      const { promise, resolve } = Promise.withResolvers<unknown>();
      results.set(scenario.name, promise);
      return { scenario, resolve };
    });
    async function work(): Promise<void> {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        next.resolve(
          await replay(next.scenario, stage).then(
            () => null,
            (error: unknown) => error,
          ),
        );
      }
    }
    for (let worker = 0; worker < AT_ONCE[stage]; worker++) void work();
  }

  describe(`scenarios (${stage})`, () => {
    beforeAll(startAll);
    for (const { name, title, shows, knownError } of scenarios) {
      const test = knownError === undefined ? it : it.fails;
      test(
        `${name}: ${title} (${shows.join(', ')})`,
        async () => {
          const error = await results.get(name);
          if (error !== null) throw error;
        },
        TIMEOUT_MS,
      );
    }
  });
}
