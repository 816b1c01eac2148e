import type { EntryRecord, VersionRecord } from '@cairn/metadata-store';
import type { ConflictMark, ConflictReason, EntryId, UpdateChange } from '@cairn/model';
import { canonicalJson } from './canonical-json.ts';
import {
  addVersion,
  type ChangesetSession,
  depthOf,
  heightOf,
  isLiveFolder,
  isTooDeep,
  type Outcome,
} from './changeset-session.ts';

function fitsKind(record: EntryRecord, change: UpdateChange): boolean {
  if (change.content !== undefined && record.kind !== 'file') return false;
  if (change.target !== undefined && record.kind !== 'link') return false;
  if (change.executable !== undefined && record.kind !== 'file') return false;
  if (change.conflictOf !== undefined && record.kind === 'folder') return false;
  if (change.conflictPolicy !== undefined && record.kind !== 'folder') return false;
  return change.modifiedAtUs === undefined || record.kind !== 'folder';
}

/** The root has neither place nor name that could change; only what it says about conflicts can. */
function isAboutPolicyAlone(change: UpdateChange): boolean {
  return change.conflictPolicy !== undefined && change.parentId === undefined && change.name === undefined;
}

function sameMark(one: ConflictMark | undefined, other: ConflictMark | undefined): boolean {
  return (
    one === other || (one !== undefined && other !== undefined && canonicalJson(one) === canonicalJson(other))
  );
}

/** The marks after the change; one that is `null` there is taken away. */
function marksAfter(
  record: EntryRecord,
  change: UpdateChange,
): Pick<EntryRecord, 'conflictOf' | 'conflictPolicy'> {
  const conflictOf = change.conflictOf === undefined ? record.conflictOf : change.conflictOf;
  const conflictPolicy = change.conflictPolicy === undefined ? record.conflictPolicy : change.conflictPolicy;
  return {
    ...(conflictOf == null ? {} : { conflictOf }),
    ...(conflictPolicy == null ? {} : { conflictPolicy }),
  };
}

/** Whether somebody else changed the entry after the base that the change names. */
function isStale(
  session: ChangesetSession,
  record: EntryRecord,
  version: VersionRecord | undefined,
  change: UpdateChange,
): boolean {
  const before = session.tree.original(change.entryId);
  if (before === undefined) return false;
  // The trash renumbers what it takes; what counts for coming back is whether the content is the one known.
  if (before.trashId !== null) return (version?.sequence ?? 0) > change.baseSequence;
  return before.sequence !== change.baseSequence && record.trashId === null;
}

async function findMoveProblem(
  session: ChangesetSession,
  record: EntryRecord,
  parentId: EntryId,
): Promise<ConflictReason | null> {
  const { tree } = session;
  if (!isLiveFolder(session, parentId)) return 'parent-missing';
  if (parentId === record.entryId) return 'cycle';
  const above = await tree.ancestors(parentId);
  if (record.kind === 'folder' && above.some((folder) => folder.entryId === record.entryId)) return 'cycle';
  const depth = above.length + 1;
  if (isTooDeep(depth)) return 'not-allowed';
  // Only a folder that goes deeper can take something below it over the limit: most moves need not look.
  if (record.kind !== 'folder' || record.trashId !== null) return null;
  if (depth <= (await depthOf(session, record.entryId))) return null;
  return isTooDeep(depth - 1 + heightOf(await tree.subtree(record.entryId))) ? 'not-allowed' : null;
}

/** Applies one update, which may bring a trashed entry back alone; see `UpdateChange`. */
export async function applyUpdate(session: ChangesetSession, change: UpdateChange): Promise<Outcome> {
  const { tree, names, space } = session;
  const { entryId } = change;
  const before = tree.get(entryId);
  if (before === undefined) return 'entry-missing';
  if (entryId === space.rootId && !isAboutPolicyAlone(change)) return 'not-allowed';
  const revives = before.trashId !== null;
  if (revives && (change.parentId === undefined || change.name === undefined)) return 'entry-missing';
  // Without what was in it, which its device moves along and would then take for removed.
  if (revives && before.kind === 'folder') return 'entry-missing';
  const version = before.versionId === null ? undefined : session.versions.get(before.versionId);
  if (isStale(session, before, version, change)) return 'stale-base';
  if (!fitsKind(before, change)) return 'not-allowed';

  const parentId = change.parentId ?? (before.parentId as EntryId);
  const name = change.name ?? before.name;
  const moves = revives || parentId !== before.parentId;
  if (moves) {
    const problem = await findMoveProblem(session, before, parentId);
    if (problem !== null) return problem;
  }
  const takesName = moves || name !== before.name;
  const free = !takesName || (await names.claim(parentId, name, entryId));

  const newContent = change.content !== undefined && change.content.contentId !== version?.content?.contentId;
  const newTarget = change.target !== undefined && change.target !== version?.target;
  const executable = change.executable ?? before.executable;
  const modifiedAtUs = change.modifiedAtUs ?? before.modifiedAtUs;
  const sameMetadata = executable === before.executable && modifiedAtUs === before.modifiedAtUs;
  const { conflictOf, conflictPolicy, ...unmarked } = before;
  const marks = marksAfter(before, change);
  const sameMarks = sameMark(conflictOf, marks.conflictOf) && conflictPolicy === marks.conflictPolicy;
  if (!takesName && !newContent && !newTarget && sameMetadata && sameMarks) {
    return { entryId, sequence: before.sequence, versionId: before.versionId };
  }

  const sequence = session.nextSequence();
  let record: EntryRecord = {
    ...unmarked,
    ...marks,
    parentId,
    name,
    sequence,
    executable,
    modifiedAtUs,
    trashId: null,
  };
  if (newContent && change.content !== undefined) {
    record = addVersion(session, record, { content: change.content });
  }
  if (newTarget && change.target !== undefined)
    record = addVersion(session, record, { target: change.target });
  tree.put(record);
  if (!free) return 'name-taken';
  session.writer.update(record);
  session.rows.push({ sequence, kind: 'update', entryId, entryKind: record.kind, record });
  return { entryId, sequence, versionId: record.versionId };
}
