import type { EntryId } from '@cairn/model';
import type { Operation, PlanIssue, ReasonCode } from './plan.ts';

/** An operation that has a reason but no place in the order yet. */
export interface Step<Kind extends Operation['kind'] = Operation['kind']> {
  readonly operation: Extract<Operation, { kind: Kind }>;
  readonly reason: ReasonCode;
}

export type LocalStep = Step<
  'make-folder' | 'make-link' | 'download' | 'move-local' | 'remove-local' | 'fork'
>;
export type PushStep = Step<'push-create' | 'push-update' | 'push-remove' | 'push-rename'>;

/**
 * What the decisions about single entries have produced, before anything is ordered or held. An entry has at
 * most one step of each list.
 */
export interface Draft {
  /** Bookkeeping and learning; needs nothing and changes no name. */
  readonly first: Map<EntryId, Step>;
  /** Changes of names and places on disk; ordered so that names are free and parents there. */
  readonly local: Map<EntryId, LocalStep>;
  /** Replaces content or attributes where the file is; comes after `local`. */
  readonly refresh: Map<EntryId, Step>;
  readonly push: Map<EntryId, PushStep>;
  readonly issues: Map<EntryId, PlanIssue['code']>;
  /** Remote entries that a local node takes over in this plan; nothing else is done to them. */
  readonly adopted: Set<EntryId>;
}

export function createDraft(): Draft {
  return {
    first: new Map(),
    local: new Map(),
    refresh: new Map(),
    push: new Map(),
    issues: new Map(),
    adopted: new Set(),
  };
}
