import type { ChangesetId, Entry, JournalChange } from '@cairn/model';
import type { LocalNode, SyncedNode } from '@cairn/planner';
import type { TreeStore } from '@cairn/tree-store';
import { descendantsIn } from '../local-tree.ts';
import { syncedFrom } from '../observe/follow.ts';
import { forgetMark } from './conflict-marks.ts';
import type { ExecuteDeps } from './deps.ts';

/** Name of the value in the tree store. */
const SENT_VALUE = 'sentChangesets';
/**
 * More than are sent between two looks at the journal, as a rule. What an older one brought, and the user changed since,
 * would become a conflict with himself; nothing would be lost.
 */
const MAX_SENT = 256;

/**
 * Notes the id of a changeset, to be made durable before it is sent, so that a device that does not hear the answer, or is killed
 * before it keeps what the answer said, knows its own rows in the journal from those of others. Otherwise what the
 * user did since would be taken for a conflict with himself. An id stays also after its answer: what the answer led to
 * becomes durable later, and the row says the same again.
 */
export function noteSent(trees: TreeStore, changesetId: ChangesetId): void {
  const sent = [...readSent(trees), changesetId].slice(-MAX_SENT);
  trees.setValue(SENT_VALUE, sent.join(' '));
}

/** The ids of the changesets that were sent last. */
export function readSent(trees: TreeStore): ReadonlySet<string> {
  return new Set((trees.getValue(SENT_VALUE) ?? '').split(' ').filter((each) => each !== ''));
}

/**
 * Notes what a row of an own changeset agreed on: the fields in which it changed what the server had.
 * @param before the entry in the remote tree before the row was folded
 */
export function settleOwnRow(
  deps: Pick<ExecuteDeps, 'trees' | 'local'>,
  row: JournalChange,
  before: Entry | undefined,
): void {
  const { synced } = deps.trees;
  if (row.entry === null) {
    for (const id of descendantsIn(synced, row.entryId).reverse()) synced.delete(id);
    synced.delete(row.entryId);
    return;
  }
  const node = deps.local.get(row.entryId);
  const agreed = syncedFrom(row.entry);
  const old = synced.get(row.entryId);
  // Renamed to make room, and never on this disk: noted as agreed, it would look like deleted here.
  if (before !== undefined && old === undefined && node === undefined) return;
  synced.put(
    before === undefined || old === undefined ? agreed : { ...old, ...changedFields(before, agreed, node) },
  );
  forgetMark(deps, row.entry);
}

function changedFields(before: Entry, after: SyncedNode, local: LocalNode | undefined): Partial<SyncedNode> {
  const base = syncedFrom(before);
  // Where the disk still has the old place, the file only made room on the server: the disk has to follow.
  const moved =
    (base.parentId !== after.parentId || base.name !== after.name) &&
    (base.parentId !== local?.parentId || base.name !== local.name);
  return {
    sequence: after.sequence,
    ...(moved ? { parentId: after.parentId, name: after.name } : {}),
    ...(base.contentId === after.contentId ? {} : { contentId: after.contentId }),
    ...(base.target === after.target ? {} : { target: after.target }),
    ...(base.executable === after.executable ? {} : { executable: after.executable }),
    ...(base.modifiedAtUs === after.modifiedAtUs ? {} : { modifiedAtUs: after.modifiedAtUs }),
  };
}
