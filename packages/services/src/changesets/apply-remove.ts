import { formatServerPath, type RemoveChange } from '@cairn/model';
import type { ChangesetSession, Outcome } from './changeset-session.ts';

/** Applies one remove; see `RemoveChange`. */
export async function applyRemove(session: ChangesetSession, change: RemoveChange): Promise<Outcome> {
  const { tree, space, principal } = session;
  const { entryId } = change;
  const top = tree.get(entryId);
  if (top === undefined || top.trashId !== null) return 'entry-missing';
  if (entryId === space.rootId || top.parentId === null) return 'not-allowed';
  const gone = top.kind === 'folder' ? await tree.subtree(entryId) : [top];
  // What this changeset itself put below was checked when it was put there.
  const changed = gone.some(
    (record) => !tree.isTouched(record.entryId) && record.sequence > change.baseSequence,
  );
  if (changed) return 'stale-base';

  const path = [top, ...(await tree.ancestors(entryId))].reverse().slice(1);
  const sequence = session.nextSequence();
  await session.writer.trash({
    spaceId: space.spaceId,
    entryId,
    parentId: top.parentId,
    name: top.name,
    path: formatServerPath(path.map((record) => record.name)),
    trashedAt: session.now,
    deviceId: principal.deviceId,
    sequence,
  });
  for (const record of gone) {
    const isTop = record.entryId === entryId;
    tree.put({
      ...record,
      trashId: entryId,
      ...(isTop ? { parentId: null, sequence } : {}),
    });
  }
  session.rows.push({ sequence, kind: 'remove', entryId, entryKind: top.kind, record: null });
  return { entryId, sequence, versionId: null };
}
