import type { PlanOptions } from '@cairn/planner';
import type { SyncEngineOptions } from './engine-types.ts';
import type { IgnoreRules } from './observe/ignore-rules.ts';
import type { RemovalWindow } from './removal-window.ts';
import type { Selection } from './selection.ts';

interface PlanState {
  readonly rules: IgnoreRules;
  readonly selection: Selection;
  readonly removals: RemovalWindow;
  readonly confirmed: ReadonlySet<'up' | 'down'>;
}

/** What a plan for this device has to respect at this moment. */
export function makePlanOptions(options: SyncEngineOptions, state: PlanState): PlanOptions {
  const { filesystem, deviceName, brake, environment } = options;
  const { rules, selection, removals, confirmed } = state;
  // Where marked entries are may just have changed.
  selection.refresh();
  return {
    deviceName,
    date: new Date(environment.clock.now()).toISOString().slice(0, 10),
    foldsNames: !(filesystem.capabilities.caseSensitive && filesystem.capabilities.unicodeSensitive),
    reservedNames: filesystem.capabilities.reservedNames,
    brake: { ...(brake ?? { count: 200, share: 0.5 }), recent: removals.recent() },
    confirmed,
    leavesOut: (path, isFolder) =>
      rules.isIgnored(path, isFolder) ? 'ignored' : selection.isOut(path) ? 'not-selected' : null,
  };
}
