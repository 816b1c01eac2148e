import type { EntryRecord } from '@cairn/metadata-store';
import type { CreateChange } from '@cairn/model';
import {
  addVersion,
  type ChangesetSession,
  depthOf,
  isLiveFolder,
  isTooDeep,
  type Outcome,
} from './changeset-session.ts';

/** Applies one create; see `CreateChange`. */
export async function applyCreate(session: ChangesetSession, change: CreateChange): Promise<Outcome> {
  const { tree, names, space } = session;
  const { entryId, parentId, name, entry } = change;
  if (tree.get(entryId) !== undefined) return 'entry-exists';
  if (!isLiveFolder(session, parentId)) return 'parent-missing';
  if (isTooDeep((await depthOf(session, parentId)) + 1)) return 'not-allowed';
  const free = await names.claim(parentId, name, entryId);
  const sequence = session.nextSequence();
  let record: EntryRecord = {
    spaceId: space.spaceId,
    entryId,
    parentId,
    name,
    kind: entry.kind,
    sequence,
    versionId: null,
    executable: entry.kind === 'file' && entry.executable,
    modifiedAtUs: entry.kind === 'folder' ? 0 : entry.modifiedAtUs,
    trashId: null,
    ...(entry.kind !== 'folder' && entry.conflictOf !== undefined ? { conflictOf: entry.conflictOf } : {}),
  };
  if (entry.kind === 'file') record = addVersion(session, record, { content: entry.content });
  if (entry.kind === 'link') record = addVersion(session, record, { target: entry.target });
  // A folder whose name is taken still stands in the working tree, so that only it is reported, not its contents.
  tree.put(record);
  if (entry.kind === 'folder') names.noteNewFolder(entryId);
  if (!free) return 'name-taken';
  session.writer.insert(record);
  session.rows.push({ sequence, kind: 'create', entryId, entryKind: entry.kind, record });
  return { entryId, sequence, versionId: record.versionId };
}
