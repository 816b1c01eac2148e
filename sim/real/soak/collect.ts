import { setTimeout as sleep } from 'node:timers/promises';
import { CairnError } from '@cairn/model';
import type { CollectionReport } from '@cairn/protocol';
import type { SoakServer } from './soak-server.ts';

const ASK_EVERY_MS = 50;
/** How a clean-up ends that is stopped or kept away by another one, or by nodes that do not answer. */
const PASSING_PROBLEM = /already|took over|stopping|storage node/;

/**
 * Starts a clean-up and waits for its end.
 * @throws what the client throws; CairnError `unavailable` when it went with its process or was kept away, `internal` when it failed
 */
export async function collectGarbage({ admin }: SoakServer): Promise<CollectionReport> {
  let answer = await admin.admin.beginCollection({ dryRun: false });
  while (answer.state === 'running') {
    await sleep(ASK_EVERY_MS);
    answer = await admin.admin.collection();
  }
  if (answer.report !== null) return answer.report;
  const problem = answer.problem ?? 'the server was started anew';
  const isPassing = answer.problem === null || PASSING_PROBLEM.test(problem);
  throw new CairnError(isPassing ? 'unavailable' : 'internal', `the clean-up ended early: ${problem}`);
}
