import type { RestoreChange } from '@cairn/model';
import {
  type ChangesetSession,
  depthOf,
  heightOf,
  isLiveFolder,
  isTooDeep,
  loadVersions,
  type Outcome,
} from './changeset-session.ts';

/** Applies one restore: a journal row for each entry that comes back, parents first; see `RestoreChange`. */
export async function applyRestore(session: ChangesetSession, change: RestoreChange): Promise<Outcome> {
  const { tree, names, space, transaction, writer } = session;
  const { entryId, parentId, name } = change;
  const top = tree.get(entryId);
  if (top === undefined) return 'entry-missing';
  if (top.trashId === null) return 'entry-exists';
  await writer.flush();
  // Only what was itself moved to the trash comes back with what was below it.
  if ((await transaction.getTrash(space.spaceId, entryId)) === undefined) return 'entry-missing';
  if (!isLiveFolder(session, parentId)) return 'parent-missing';
  const back = await transaction.listSubtree(space.spaceId, entryId);
  if (isTooDeep((await depthOf(session, parentId)) + heightOf(back))) return 'not-allowed';
  if (!(await names.claim(parentId, name, entryId))) return 'name-taken';
  await loadVersions(session, back);

  let topSequence = 0;
  for (const before of back) {
    const sequence = session.nextSequence();
    const isTop = before.entryId === entryId;
    if (isTop) {
      topSequence = sequence;
      await writer.restore(entryId, parentId, name, sequence);
    }
    const record = { ...before, sequence, trashId: null, ...(isTop ? { parentId, name } : {}) };
    tree.put(record);
    if (!isTop) {
      writer.update(record);
      if (record.parentId !== null) names.note(record.parentId, record.name, record.entryId);
    }
    session.rows.push({
      sequence,
      kind: 'restore',
      entryId: record.entryId,
      entryKind: record.kind,
      record,
    });
  }
  return { entryId, sequence: topSequence, versionId: top.versionId };
}
