import type { Environment } from '@cairn/environment';
import { type Cursor, type Entry, type EntryId, isCairnError, type JournalChange } from '@cairn/model';
import type { SyncedNode } from '@cairn/planner';
import type { TreeStore } from '@cairn/tree-store';
import { forgetAgreements } from '../execute/placing-notes.ts';
import { descendantsIn } from '../local-tree.ts';
import type { SpaceConnection } from '../ports.ts';

interface FollowDeps {
  readonly space: SpaceConnection;
  readonly trees: TreeStore;
  readonly environment: Environment;
  /** Called with each row of the journal that is news, before it is folded, and the entry as it was. */
  onRow(row: JournalChange, before: Entry | undefined): void;
}

export interface FollowResult {
  readonly changes: number;
  /** The server's history was not the one we knew: both sides are merged by union, nothing is deleted. */
  readonly rebased: boolean;
}

/**
 * Brings the remote tree up to the server's journal. Folding is idempotent, so a page may be seen twice; the
 * cursor is set together with the nodes it covers and both become durable in one flush.
 */
export async function followJournal(deps: FollowDeps, signal: AbortSignal): Promise<FollowResult> {
  const { space, trees, environment } = deps;
  let changes = 0;
  let rebased = false;
  let cursor = trees.cursor;
  if (cursor === null) cursor = await takeSnapshot(deps, signal);
  for (;;) {
    try {
      const page: Awaited<ReturnType<SpaceConnection['changes']>> = await space.changes(cursor, {
        waitMs: 0,
        signal,
      });
      for (const change of page.changes) fold(deps, change);
      changes += page.changes.length;
      cursor = page.cursor;
      trees.cursor = cursor;
      if (!page.more) break;
    } catch (error) {
      if (!isCairnError(error, 'cursor-unknown') || rebased) throw error;
      environment.log.warn('follow.history-changed', { cursor });
      // Another or an older history: what was agreed with the old one proves nothing about this one.
      forgetAgreements(trees);
      cursor = await takeSnapshot(deps, signal);
      rebased = true;
    }
  }
  return { changes, rebased };
}

/** How often a snapshot is taken anew because something was committed between its pages. */
const MAX_SNAPSHOTS = 4;

async function takeSnapshot({ space, trees }: FollowDeps, signal: AbortSignal): Promise<Cursor> {
  let { entries, first, last } = await readPages(space, signal);
  // Pages of different moments may hold what a removal between them would have taken along.
  for (let taken = 1; taken < MAX_SNAPSHOTS && last.sequence !== first.sequence; taken++)
    ({ entries, first, last } = await readPages(space, signal));

  const present = new Set<EntryId>();
  for (const entry of entries) {
    present.add(entry.entryId);
    trees.remote.put(entry);
  }
  for (const id of [...trees.remote.values()].map((node) => node.entryId)) {
    if (!present.has(id)) trees.remote.delete(id);
  }
  trees.cursor = first;
  return first;
}

async function readPages(
  space: SpaceConnection,
  signal: AbortSignal,
): Promise<{ entries: Entry[]; first: Cursor; last: Cursor }> {
  const entries: Entry[] = [];
  let first: Cursor | null = null;
  let after: EntryId | null = null;
  for (;;) {
    const page: Awaited<ReturnType<SpaceConnection['snapshot']>> = await space.snapshot(after, signal);
    first ??= page.cursor;
    for (const entry of page.entries) entries.push(entry);
    after = page.next;
    if (after === null) return { entries, first, last: page.cursor };
  }
}

function fold({ trees, onRow }: FollowDeps, change: JournalChange): void {
  const { remote } = trees;
  const known = remote.get(change.entryId);
  if (change.entry === null) {
    onRow(change, known);
    for (const id of descendantsIn(remote, change.entryId).reverse()) remote.delete(id);
    remote.delete(change.entryId);
    return;
  }
  // Our own commit may have put a later state already.
  if (known !== undefined && known.sequence > change.entry.sequence) return;
  onRow(change, known);
  remote.put(change.entry);
}

/** What the synced tree says once both sides are as `entry`. */
export function syncedFrom(entry: Entry): SyncedNode {
  return {
    entryId: entry.entryId,
    parentId: entry.parentId,
    name: entry.name,
    kind: entry.kind,
    sequence: entry.sequence,
    contentId: entry.kind === 'file' ? entry.content.contentId : null,
    target: entry.kind === 'link' ? entry.target : null,
    executable: entry.kind === 'file' && entry.executable,
    modifiedAtUs: entry.kind === 'folder' ? 0 : entry.modifiedAtUs,
  };
}
