import { foldName, searchName } from '@cairn/model';
import { InvalidStateError } from '../invalid-state.ts';
import type { EntryRecord, TrashRecord } from '../records.ts';
import { SUBTREE } from './reader.ts';
import type { Session } from './session.ts';
import type { Row } from './sqlite.ts';

/** The rows of these entries as they are now, by id. */
function currentRows(session: Session, spaceId: string, entries: readonly EntryRecord[]): Map<string, Row> {
  const rows = session.all(
    `SELECT entries.entry_id, entries.parent_id, entries.folded_name, entries.trash_id
     FROM json_each(?2) AS wanted
     CROSS JOIN entries ON entries.space_id = ?1 AND entries.entry_id = wanted.value`,
    spaceId,
    JSON.stringify(entries.map((entry) => entry.entryId)),
  );
  return new Map(rows.map((row) => [row['entry_id'] as string, row]));
}

/** Takes the entry out of its place for a moment: live in the root, under a name that no entry can have. */
function lift(session: Session, spaceId: string, entryId: string): void {
  session.run(
    `UPDATE entries SET folded_name = '/' || entry_id, vacated = 1, trash_id = '', trash_item = NULL,
       parent_id = (SELECT root_id FROM spaces WHERE space_id = ?1)
     WHERE space_id = ?1 AND entry_id = ?2`,
    spaceId,
    entryId,
  );
}

function updateRow(session: Session, entry: EntryRecord): void {
  const changed = session.run(
    `UPDATE entries SET parent_id = ?3, name = ?4, folded_name = ?5, vacated = NULL, kind = ?6, sequence = ?7,
       version_id = ?8, executable = ?9, modified_at_us = ?10, trash_id = ?11,
       trash_item = nullif(?11, ''), conflict_of = ?12, conflict_policy = ?13, search_name = ?14
     WHERE space_id = ?1 AND entry_id = ?2`,
    entry.spaceId,
    entry.entryId,
    entry.parentId,
    entry.name,
    foldName(entry.name),
    entry.kind,
    entry.sequence,
    entry.versionId,
    entry.executable ? 1 : 0,
    entry.modifiedAtUs,
    entry.trashId ?? '',
    entry.conflictOf === undefined ? null : JSON.stringify(entry.conflictOf),
    entry.conflictPolicy ?? null,
    searchName(entry.name),
  );
  if (changed === 0) throw new InvalidStateError(['entry_exists']);
}

/**
 * Replaces entry rows. Only the result of the whole batch must be valid: entries that change their place are
 * lifted first, so that swapped names and swapped folders never meet on the way.
 */
export function updateEntryRows(session: Session, entries: readonly EntryRecord[]): void {
  const bySpace = Map.groupBy(entries, (entry) => entry.spaceId);
  for (const [spaceId, batch] of bySpace) {
    const before = currentRows(session, spaceId, batch);
    const reviving = new Set<string>();
    for (const { entryId, trashId } of batch) {
      const row = before.get(entryId);
      if (row !== undefined && row['trash_id'] !== '' && trashId === null) reviving.add(entryId);
    }
    leaveTrash(session, spaceId, reviving);
    if (batch.length > 1) {
      for (const entry of batch) {
        const row = before.get(entry.entryId);
        if (row === undefined) continue;
        const stays = row['parent_id'] === entry.parentId && row['folded_name'] === foldName(entry.name);
        const live = row['trash_id'] === '' && row['parent_id'] !== null;
        if (reviving.has(entry.entryId) || (live && !stays)) lift(session, spaceId, entry.entryId);
      }
    }
    for (const entry of batch) updateRow(session, entry);
  }
}

/**
 * These entries are about to leave the trash, each alone. Their children stay there unless they leave too: each
 * becomes a trash item of its own that would come back into its folder. The caller gives the entries their new
 * rows. Items end only after all children are settled, since what is inside them is found through them.
 */
function leaveTrash(session: Session, spaceId: string, leaving: ReadonlySet<string>): void {
  for (const entryId of leaving) settleChildren(session, spaceId, entryId, leaving);
  for (const entryId of leaving) {
    session.run('DELETE FROM trash WHERE space_id = ? AND entry_id = ?', spaceId, entryId);
  }
}

function settleChildren(
  session: Session,
  spaceId: string,
  entryId: string,
  leaving: ReadonlySet<string>,
): void {
  const item = session.one(
    `SELECT trash.*, entries.trash_id AS item_id FROM entries
     JOIN trash ON trash.space_id = entries.space_id AND trash.entry_id = entries.trash_id
     WHERE entries.space_id = ? AND entries.entry_id = ?`,
    spaceId,
    entryId,
  );
  if (item === undefined) return;
  const path = pathInTrash(session, spaceId, entryId, item['path'] as string);
  const children = session.all(
    'SELECT entry_id, name, kind FROM entries WHERE space_id = ? AND parent_id = ? AND trash_id = ?',
    spaceId,
    entryId,
    item['item_id'] as string,
  );
  for (const child of children) {
    const childId = child['entry_id'] as string;
    if (leaving.has(childId)) continue;
    retag(session, spaceId, childId, childId);
    session.run(
      `INSERT INTO trash (space_id, entry_id, kind, parent_id, name, path, trashed_at, device_id, sequence)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      spaceId,
      childId,
      child['kind'] as string,
      entryId,
      child['name'] as string,
      `${path}/${child['name']}`,
      item['trashed_at'] as number,
      item['device_id'] as string,
      item['sequence'] as number,
    );
  }
}

/** Path that an entry inside a trash item had, given the path of the item. */
function pathInTrash(session: Session, spaceId: string, entryId: string, itemPath: string): string {
  const names = session.all(
    `WITH RECURSIVE line (parent_id, name, depth) AS (
       SELECT parent_id, name, 0 FROM entries WHERE space_id = ?1 AND entry_id = ?2
       UNION ALL
       SELECT entries.parent_id, entries.name, depth + 1 FROM line
       CROSS JOIN entries ON entries.space_id = ?1 AND entries.entry_id = line.parent_id
     )
     SELECT name FROM line WHERE parent_id IS NOT NULL ORDER BY depth DESC`,
    spaceId,
    entryId,
  );
  return [itemPath, ...names.map((row) => row['name'] as string)].join('/');
}

/** Gives the entry and all below it another trash id ('' is live); the entry's parent becomes `NULL`. */
function retag(session: Session, spaceId: string, entryId: string, trashId: string): void {
  session.run(
    `${SUBTREE} UPDATE entries SET trash_id = ?3, trash_item = nullif(?3, ''), parent_id = CASE entry_id WHEN ?2 THEN NULL ELSE parent_id END
     WHERE space_id = ?1 AND entry_id IN (SELECT entry_id FROM subtree)`,
    spaceId,
    entryId,
    trashId,
  );
}

/** See `MetadataTransaction.trashSubtree`. */
export function moveIntoTrash(session: Session, trash: TrashRecord): void {
  const entry = session.one(
    `SELECT kind FROM entries WHERE space_id = ? AND entry_id = ? AND trash_id = ''`,
    trash.spaceId,
    trash.entryId,
  );
  if (entry === undefined) throw new InvalidStateError(['entry_is_live']);
  retag(session, trash.spaceId, trash.entryId, trash.entryId);
  session.run(
    'UPDATE entries SET sequence = ?3 WHERE space_id = ?1 AND entry_id = ?2',
    trash.spaceId,
    trash.entryId,
    trash.sequence,
  );
  // A name vacated earlier in this transaction stands again, for what is trashed is rarely updated any more. If
  // another entry took it meanwhile, it stays a placeholder, which an update must replace before the commit.
  const vacated = session.all(
    'SELECT entry_id, name FROM entries WHERE space_id = ? AND trash_item = ? AND vacated IS NOT NULL',
    trash.spaceId,
    trash.entryId,
  );
  for (const row of vacated) {
    session.run(
      'UPDATE OR IGNORE entries SET folded_name = ?3, vacated = NULL WHERE space_id = ?1 AND entry_id = ?2',
      trash.spaceId,
      row['entry_id'] as string,
      foldName(row['name'] as string),
    );
  }
  session.run(
    `INSERT INTO trash (space_id, entry_id, kind, parent_id, name, path, trashed_at, device_id, sequence)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    trash.spaceId,
    trash.entryId,
    entry['kind'] as string,
    trash.parentId,
    trash.name,
    trash.path,
    trash.trashedAt,
    trash.deviceId,
    trash.sequence,
  );
}

export interface RestoreTarget {
  readonly spaceId: string;
  readonly entryId: string;
  readonly parentId: string;
  readonly name: string;
  readonly sequence: number;
}

/** See `MetadataTransaction.restoreSubtree`. */
export function moveOutOfTrash(session: Session, target: RestoreTarget): void {
  const deleted = session.run(
    'DELETE FROM trash WHERE space_id = ? AND entry_id = ?',
    target.spaceId,
    target.entryId,
  );
  if (deleted === 0) throw new InvalidStateError(['trash_item_exists']);
  // The top gets its place and leaves the item together with the rest, in one statement: rows are checked one
  // by one, and only the top without a parent is the top of an item.
  session.run(
    `${SUBTREE} UPDATE entries SET trash_id = '', trash_item = NULL,
       parent_id = CASE entry_id WHEN ?2 THEN ?3 ELSE parent_id END,
       name = CASE entry_id WHEN ?2 THEN ?4 ELSE name END,
       folded_name = CASE entry_id WHEN ?2 THEN ?5 ELSE folded_name END,
       search_name = CASE entry_id WHEN ?2 THEN ?7 ELSE search_name END,
       sequence = CASE entry_id WHEN ?2 THEN ?6 ELSE sequence END
     WHERE space_id = ?1 AND entry_id IN (SELECT entry_id FROM subtree)`,
    target.spaceId,
    target.entryId,
    target.parentId,
    target.name,
    foldName(target.name),
    target.sequence,
    searchName(target.name),
  );
}
