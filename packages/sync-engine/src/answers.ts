import type { Plan, PlanOptions } from '@cairn/planner';
import { countDiffering } from './cycle.ts';
import type { SyncEngineOptions } from './engine-types.ts';
import type { DownloadDeps } from './execute/deps.ts';
import type { LargeTransfers } from './execute/large-transfers.ts';
import type { ReceivingAhead } from './execute/receive-ahead.ts';
import { type Explanation, explainPath } from './explain-path.ts';
import type { Scanner } from './observe/scan.ts';
import type { Retries } from './retries.ts';
import type { ScanSchedule } from './scan-schedule.ts';
import type { Selection } from './selection.ts';
import { describeStatus, type EngineFacts, type SyncStatus } from './status.ts';

/** What questions about an engine are answered from. */
export interface AnswerSources {
  readonly options: SyncEngineOptions;
  readonly facts: EngineFacts;
  readonly execute: DownloadDeps;
  readonly scanner: Scanner;
  readonly large: LargeTransfers;
  readonly ahead: Pick<ReceivingAhead, 'receiving'>;
  readonly selection: Selection;
  readonly schedule: ScanSchedule;
  readonly retries: Retries;
}

export function answerStatus(sources: AnswerSources, plan: Plan | null): SyncStatus {
  const { options, facts, execute, scanner, large, selection, schedule, retries } = sources;
  // While there is much to do, what has been touched is counted: looking at each would take long.
  const rests = ['in-sync', 'waiting', 'held'].includes(facts.state);
  return describeStatus(facts, {
    trees: options.trees,
    local: execute.local,
    plan,
    failures: execute.failures,
    unsynced: scanner.unsynced,
    transfers: [...large.running],
    receivingAhead: sources.ahead.receiving,
    counters: execute.counters,
    watch: schedule.watch,
    selection: selection.list(),
    differing: rests ? countDiffering(execute, plan) : [...options.trees.touched()].length,
    clock: options.environment.clock,
    nextRetryMs: retries.nextDueMs(),
  });
}

export function answerWhy(sources: AnswerSources, planOptions: PlanOptions, path: string): Explanation {
  const { options, facts, execute, scanner, large, retries } = sources;
  return explainPath(
    {
      trees: options.trees,
      local: execute.local,
      failures: execute.failures,
      rules: scanner.rules,
      unsynced: scanner.unsynced,
      options: planOptions,
      state: facts.state,
      trouble: facts.trouble,
      clock: options.environment.clock,
      nextRetryMs: retries.nextDueMs(),
      isLeftOut: execute.isLeftOut,
      isTransferring: (entryId) => large.isRunning(entryId),
      receivingAhead: sources.ahead.receiving,
    },
    path,
  );
}
