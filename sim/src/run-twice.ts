import type { RunResult } from './run-result.ts';
import type { WorldKind } from './world-kind.ts';

/**
 * A seed's history, twice: both must be the same to the last event. A failure of the first run is final.
 */
export async function runTwice<Script>(kind: WorldKind<Script>, seed: number): Promise<RunResult> {
  const script = kind.writeScript(seed);
  const first = await kind.run(script);
  if (first.failure !== null) return first;
  const second = await kind.run(script);
  if (first.hash === second.hash) return first;
  const failure = new Error(
    `[determinism] two runs of seed ${seed} differ: ${first.hash} (${first.events} events), ${second.hash} (${second.events} events)`,
  );
  return { ...first, failure };
}
