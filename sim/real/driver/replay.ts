import type { Scenario, StageName } from '../scenario-schema.ts';
import { STAGE_NAMES } from '../scenario-schema.ts';
import { createDiskStage } from './disk-stage.ts';
import { createMemoryStage } from './memory-stage.ts';
import { createProcessStage } from './process-stage.ts';
import { runScenario } from './run-scenario.ts';
import type { Stage } from './stage.ts';

const STAGES: Readonly<Record<StageName, { create(): Promise<Stage>; timeoutMs: number; pollMs: number }>> = {
  memory: { create: createMemoryStage, timeoutMs: 20_000, pollMs: 5 },
  disk: { create: createDiskStage, timeoutMs: 30_000, pollMs: 20 },
  processes: { create: createProcessStage, timeoutMs: 60_000, pollMs: 50 },
};

export function stagesOf(scenario: Scenario): readonly StageName[] {
  return scenario.stages ?? STAGE_NAMES;
}

/** Replays a scenario on a stage of its own. */
export async function replay(scenario: Scenario, stageName: StageName): Promise<void> {
  const { create, ...options } = STAGES[stageName];
  const stage = await create();
  try {
    await runScenario(scenario, stage, options);
  } finally {
    await stage.close();
  }
}
