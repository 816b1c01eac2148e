import type { Clock, Environment } from '@cairn/environment';
import { type PlanOptions, plan } from '@cairn/planner';
import type { TreeStore } from '@cairn/tree-store';
import { createCounters } from './execute/deps.ts';
import { type Explanation, explainPath } from './explain-path.ts';
import { Failures } from './failures.ts';
import { LocalTree } from './local-tree.ts';
import { parseIgnoreRules } from './observe/ignore-rules.ts';
import { Selection } from './selection.ts';
import { SelectionChanges } from './selection-changes.ts';
import { describeStatus, LAST_IN_SYNC, type SyncStatus } from './status.ts';

export interface StoredStateOptions {
  readonly trees: TreeStore;
  /** Text of `.cairnignore` as it is now, `''` when there is none. */
  readonly ignoreText: string;
  readonly deviceName: string;
  readonly environment: Environment;
}

/** What is known about a folder while no daemon works on it: as of when one last did. */
export interface StoredState {
  status(): SyncStatus;
  explain(path: string): Explanation;
}

/** Reads trees that no engine works on. Looks neither at the disk nor at the server, and changes nothing. */
export function createStoredState(options: StoredStateOptions): StoredState {
  const { trees, environment, deviceName } = options;
  const clock: Clock = environment.clock;
  const local = new LocalTree(trees.local, trees.rootId);
  const rules = parseIgnoreRules(options.ignoreText);
  const selection = new Selection(trees, trees.rootId);
  const changes = new SelectionChanges({
    selection,
    trees,
    local,
    rules: () => rules,
    flush: async () => undefined,
    reservedNames: 'none',
    lookAtAll: () => undefined,
  });
  const planOptions: PlanOptions = {
    deviceName,
    date: new Date(clock.now()).toISOString().slice(0, 10),
    foldsNames: false,
    brake: { count: 200, share: 0.5 },
    confirmed: new Set(),
    leavesOut: (path, isFolder) =>
      rules.isIgnored(path, isFolder) ? 'ignored' : selection.isOut(path) ? 'not-selected' : null,
  };
  const failures = new Failures(environment);
  const unsynced = new Map();
  const trouble = null;
  return {
    status() {
      const planned = plan(trees, planOptions, trees.touched());
      const lastInSync = trees.getValue(LAST_IN_SYNC);
      return describeStatus(
        {
          state: 'stopped',
          connection: 'offline',
          trouble,
          lastInSyncAt: lastInSync === null ? null : Number(lastInSync),
        },
        {
          trees,
          local,
          plan: planned,
          failures,
          unsynced,
          transfers: [],
          receivingAhead: [],
          counters: createCounters(),
          watch: { mode: 'events', reason: null, fullScanMs: 0 },
          selection: selection.list(),
          differing: planned.operations.length + planned.issues.length,
          clock,
          nextRetryMs: null,
        },
      );
    },
    explain: (path) =>
      explainPath(
        {
          trees,
          local,
          failures,
          rules,
          unsynced,
          options: planOptions,
          state: 'stopped',
          trouble,
          clock,
          nextRetryMs: null,
          isLeftOut: (entryId) => changes.isLeftOut(entryId),
          isTransferring: () => false,
          receivingAhead: [],
        },
        path,
      ),
  };
}
