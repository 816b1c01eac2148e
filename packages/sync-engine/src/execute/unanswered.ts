import type { Change, Entry, UpdateChange } from '@cairn/model';
import type { SyncedNode } from '@cairn/planner';
import { syncedFrom } from '../observe/follow.ts';
import { forgetMark } from './conflict-marks.ts';
import type { ExecuteDeps } from './deps.ts';

/** Commits whose answer may have been lost; older ones are forgotten. */
const MAX_UNANSWERED = 5000;

/** Keeps what was sent until a look at the journal tells what became of it. */
export function rememberUnanswered(
  { unanswered }: Pick<ExecuteDeps, 'unanswered'>,
  changes: readonly Change[],
): void {
  for (const change of changes) {
    if (change.kind !== 'create' && change.kind !== 'update') continue;
    unanswered.push(change);
  }
  unanswered.splice(0, Math.max(0, unanswered.length - MAX_UNANSWERED));
}

/**
 * Changes whose commit got no answer: where the server now says just what was sent, that is what both sides agreed
 * on. Otherwise what the user did since would be taken for a conflict with himself. Call after a look at the journal.
 */
export function settleUnanswered(deps: Pick<ExecuteDeps, 'trees' | 'local' | 'unanswered'>): void {
  const { trees, unanswered } = deps;
  for (const change of unanswered.splice(0)) {
    if (change.kind === 'remove' || change.kind === 'restore') continue;
    const remote = trees.remote.get(change.entryId);
    if (remote === undefined) continue;
    const agreed = syncedFrom(remote);
    if (change.kind === 'update') {
      const old = trees.synced.get(change.entryId);
      const sent = sentFields(change, agreed);
      if (old !== undefined && remote.sequence > change.baseSequence && holds(remote, change))
        trees.synced.put({ ...old, ...sent });
      continue;
    }
    const { kind, ...fields } = change.entry;
    const sent = { parentId: change.parentId, name: change.name, ...fields };
    if (trees.synced.get(change.entryId) === undefined && remote.kind === kind && holds(remote, sent)) {
      trees.synced.put(agreed);
      forgetMark(deps, change.entryId);
    }
  }
}

/** Whether the entry has every field that was sent. */
function holds(entry: Entry, sent: Partial<UpdateChange>): boolean {
  const file = entry.kind === 'file' ? entry : null;
  const time = entry.kind === 'folder' ? undefined : entry.modifiedAtUs;
  return (
    (sent.parentId === undefined || sent.parentId === entry.parentId) &&
    (sent.name === undefined || sent.name === entry.name) &&
    (sent.content === undefined || sent.content.contentId === file?.content.contentId) &&
    (sent.executable === undefined || sent.executable === file?.executable) &&
    (sent.target === undefined || (entry.kind === 'link' && sent.target === entry.target)) &&
    (sent.modifiedAtUs === undefined || sent.modifiedAtUs === time)
  );
}

/** What an update agreed on: the fields that were sent. */
export function sentFields(change: UpdateChange, agreed: SyncedNode): Partial<SyncedNode> {
  return {
    sequence: agreed.sequence,
    ...(change.name === undefined ? {} : { parentId: agreed.parentId, name: agreed.name }),
    ...(change.content === undefined ? {} : { contentId: agreed.contentId }),
    ...(change.target === undefined ? {} : { target: agreed.target }),
    ...(change.executable === undefined ? {} : { executable: agreed.executable }),
    ...(change.modifiedAtUs === undefined ? {} : { modifiedAtUs: agreed.modifiedAtUs }),
  };
}
