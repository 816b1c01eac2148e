import type { EntryRecord, MetadataReader, SpaceRecord, VersionRecord } from '@cairn/metadata-store';
import { CairnError, type Entry, type EntryId, type FileEntry, type VersionId } from '@cairn/model';
import type { Principal } from '../authorisation/principal.ts';
import { pathOf } from '../files/find-path.ts';
import { readPastTree, requireLiveAt, sequenceAt } from './past-tree.ts';

/** Both trees of a folder, then and now, and what is known of the entries in them. */
export interface RewindTree {
  readonly space: SpaceRecord;
  readonly folder: EntryRecord;
  readonly folderPath: string;
  /** Folders around the folder, and itself: they stay where they are. */
  readonly around: ReadonlySet<EntryId>;
  readonly sequence: number;
  /** As they were, parents first; ids of what had to be made anew are the new ones. */
  readonly past: readonly Entry[];
  readonly pastById: ReadonlyMap<EntryId, Entry>;
  /** What is in the folder now, parents first. */
  readonly present: readonly EntryRecord[];
  /** All rows, live anywhere or in the trash, of entries of both trees. */
  readonly records: ReadonlyMap<EntryId, EntryRecord>;
  /** Present versions of files and links in both trees. */
  readonly versions: ReadonlyMap<VersionId, VersionRecord>;
  /** Files as they were whose content can still be had. */
  readonly isKept: (entry: FileEntry) => boolean;
}

const MAX_TREE = 250_000;
const LOOK_UP_AT_ONCE = 1000;

async function loadRecords(
  reader: MetadataReader,
  space: SpaceRecord,
  past: readonly Entry[],
  present: readonly EntryRecord[],
): Promise<Map<EntryId, EntryRecord>> {
  const records = new Map(present.map((record) => [record.entryId, record]));
  const absent = past.flatMap(({ entryId }) => (records.has(entryId) ? [] : [entryId]));
  for (let start = 0; start < absent.length; start += LOOK_UP_AT_ONCE) {
    for (const record of await reader.getEntries(
      space.spaceId,
      absent.slice(start, start + LOOK_UP_AT_ONCE),
    )) {
      if (record !== undefined) records.set(record.entryId, record);
    }
  }
  return records;
}

/** Present versions where they are not those of then, and those of then where they are still there. */
async function loadVersions(
  reader: MetadataReader,
  space: SpaceRecord,
  past: readonly Entry[],
  records: ReadonlyMap<EntryId, EntryRecord>,
): Promise<Map<VersionId, VersionRecord>> {
  const wanted = new Set<VersionId>();
  for (const entry of past) {
    if (entry.kind === 'folder') continue;
    const current = records.get(entry.entryId)?.versionId ?? null;
    if (current === entry.versionId) continue;
    wanted.add(entry.versionId);
    if (current !== null) wanted.add(current);
  }
  const versions = new Map<VersionId, VersionRecord>();
  const ids = [...wanted];
  for (let start = 0; start < ids.length; start += LOOK_UP_AT_ONCE) {
    for (const version of await reader.getVersions(
      space.spaceId,
      ids.slice(start, start + LOOK_UP_AT_ONCE),
    )) {
      if (version !== undefined) versions.set(version.versionId, version);
    }
  }
  return versions;
}

/** Versions that were thinned out, or purged from the trash, may have contents that something else still holds. */
async function findLost(
  reader: MetadataReader,
  principal: Principal,
  past: readonly Entry[],
  records: ReadonlyMap<EntryId, EntryRecord>,
  versions: ReadonlyMap<VersionId, VersionRecord>,
  now: number,
): Promise<Set<EntryId>> {
  const lost = new Set<EntryId>();
  for (const entry of past) {
    if (entry.kind !== 'file' || versions.has(entry.versionId)) continue;
    const current = records.get(entry.entryId)?.versionId ?? null;
    if (current === entry.versionId) continue;
    if (current !== null && versions.get(current)?.content?.contentId === entry.content.contentId) continue;
    const blocks = entry.content.manifest.parts.map(({ block }) => block);
    if (!(await reader.canReach(principal.userId, blocks, now)).every(Boolean)) lost.add(entry.entryId);
  }
  return lost;
}

/**
 * @param madeAnew entries that an earlier round of the same rewind made anew, by the id that they had
 * @throws CairnError `horizon-passed`, `too-large`
 */
export async function readRewindTree(
  reader: MetadataReader,
  principal: Principal,
  { space, folder }: { readonly space: SpaceRecord; readonly folder: EntryRecord },
  at: number,
  now: number,
  madeAnew: ReadonlyMap<EntryId, EntryId>,
): Promise<RewindTree> {
  const sequence = await sequenceAt(reader, space, at);
  await requireLiveAt(reader, space, folder.entryId, sequence);
  const limits = { deep: true, limit: MAX_TREE };
  const read = await readPastTree(reader, space, folder.entryId, sequence, limits);
  const present = (await reader.listSubtree(space.spaceId, folder.entryId)).slice(1);
  if (!read.complete || present.length > MAX_TREE) {
    throw new CairnError(
      'too-large',
      `the folder has more than ${MAX_TREE} entries; rewind the folders in it`,
      {
        details: { maxEntries: MAX_TREE },
      },
    );
  }
  const newId = (entryId: EntryId) => madeAnew.get(entryId) ?? entryId;
  const past =
    madeAnew.size === 0
      ? read.entries
      : read.entries.map((entry) => ({
          ...entry,
          entryId: newId(entry.entryId),
          parentId: newId(entry.parentId as EntryId),
        }));
  const records = await loadRecords(reader, space, past, present);
  const versions = await loadVersions(reader, space, past, records);
  const lost = await findLost(reader, principal, past, records, versions, now);
  const ancestors = await reader.listAncestors(space.spaceId, folder.entryId);
  return {
    space,
    folder,
    folderPath: await pathOf(reader, folder),
    around: new Set([folder.entryId, ...ancestors.map(({ entryId }) => entryId)]),
    sequence,
    past,
    pastById: new Map(past.map((entry) => [entry.entryId, entry])),
    present,
    records,
    versions,
    isKept: (entry) => !lost.has(entry.entryId),
  };
}
