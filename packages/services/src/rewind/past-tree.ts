import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MetadataReader, SpaceRecord } from '@cairn/metadata-store';
import { CairnError, type Entry, type EntryId, foldName } from '@cairn/model';

const PARENTS_AT_ONCE = 200;

/** The last sequence that was committed at an instant. @throws CairnError `horizon-passed` before the space existed */
export async function sequenceAt(reader: MetadataReader, space: SpaceRecord, at: number): Promise<number> {
  if (at < space.createdAt) throw horizonPassed(space.createdAt);
  return (await reader.findJournalAt(space.spaceId, at))?.sequence ?? 0;
}

function horizonPassed(oldestAt: number): CairnError {
  return new CairnError(
    'horizon-passed',
    `the folder was not there at that time; choose ${new Date(oldestAt).toISOString()} or later`,
    { details: { oldestAt } },
  );
}

/** Whether an entry was in the live tree at a sequence: it and all folders around it. */
export async function wasLiveAt(
  reader: MetadataReader,
  space: SpaceRecord,
  entryId: EntryId,
  sequence: number,
): Promise<boolean> {
  let child: EntryId = entryId;
  while (child !== space.rootId) {
    const [row] = await reader.listStates(space.spaceId, [{ entryId: child, sequence }]);
    const parentId = row?.change.entry?.parentId ?? null;
    if (row === undefined || parentId === null) return false;
    // What was in a folder when that was removed went with it, without a row of its own.
    if ((await reader.findRemoval(space.spaceId, parentId, sequence)) > row.sequence) return false;
    child = parentId;
  }
  return true;
}

/** @throws CairnError `horizon-passed` when the folder was not in the live tree then */
export async function requireLiveAt(
  reader: MetadataReader,
  space: SpaceRecord,
  folderId: EntryId,
  sequence: number,
): Promise<void> {
  if (await wasLiveAt(reader, space, folderId, sequence)) return;
  const [row] = await reader.listStates(space.spaceId, [{ entryId: folderId, sequence: space.sequence }]);
  throw horizonPassed(row?.change.committedAt ?? space.createdAt);
}

export interface PastTree {
  /** Level by level, each by folded name; parents before children. Without the folder itself. */
  readonly entries: readonly Entry[];
  readonly complete: boolean;
}

/**
 * What was in a live folder at a sequence.
 * @param limit entries to find, at most
 */
export async function readPastTree(
  reader: MetadataReader,
  space: SpaceRecord,
  folderId: EntryId,
  sequence: number,
  { deep, limit }: { readonly deep: boolean; readonly limit: number },
): Promise<PastTree> {
  const entries: Entry[] = [];
  let level: EntryId[] = [folderId];
  while (level.length > 0) {
    const below: Entry[] = [];
    for (let start = 0; start < level.length; start += PARENTS_AT_ONCE) {
      const room = limit - entries.length - below.length;
      const parents = level.slice(start, start + PARENTS_AT_ONCE);
      const rows = await reader.listChildrenAt(space.spaceId, parents, sequence, room + 1);
      for (const { change } of rows.slice(0, room)) if (change.entry !== null) below.push(change.entry);
      if (rows.length > room) return { entries: [...entries, ...inOrder(below)], complete: false };
      // Reading is synchronous underneath, and others want to be served, too.
      await nextTurn();
    }
    entries.push(...inOrder(below));
    level = deep ? below.flatMap((entry) => (entry.kind === 'folder' ? [entry.entryId] : [])) : [];
  }
  return { entries, complete: true };
}

function inOrder(entries: Entry[]): Entry[] {
  const keyed = entries.map((entry) => ({ entry, key: foldName(entry.name) }));
  keyed.sort((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : 0));
  return keyed.map(({ entry }) => entry);
}
