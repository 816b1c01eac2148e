import type { EntryRecord, MetadataReader, SpaceRecord } from '@cairn/metadata-store';
import {
  CairnError,
  type CreateChange,
  createOrderedId,
  type EntryId,
  foldName,
  formatServerPath,
} from '@cairn/model';
import type { DataDependencies } from '../data-dependencies.ts';

async function getRoot(reader: MetadataReader, space: SpaceRecord): Promise<EntryRecord> {
  const [root] = await reader.getEntries(space.spaceId, [space.rootId]);
  if (root === undefined) throw new Error(`space ${space.spaceId} has no root`);
  return root;
}

/**
 * Follows names from the root as far as entries exist.
 * @returns the entries on the way, the root first; as many more as names were found
 * @throws CairnError `not-a-folder` when something on the way, but not last, is none
 */
export async function followPath(
  reader: MetadataReader,
  space: SpaceRecord,
  names: readonly string[],
): Promise<[EntryRecord, ...EntryRecord[]]> {
  const found: [EntryRecord, ...EntryRecord[]] = [await getRoot(reader, space)];
  for (const name of names) {
    const parent = found.at(-1) as EntryRecord;
    if (parent.kind !== 'folder') {
      const path = formatServerPath(names.slice(0, found.length - 1));
      throw new CairnError('not-a-folder', `"${path}" is not a folder; choose another path`);
    }
    const child = await reader.findChild(space.spaceId, parent.entryId, foldName(name));
    if (child === undefined) break;
    found.push(child);
  }
  return found;
}

/** The entry at a path. @throws CairnError `not-found`, `not-a-folder` */
export async function requirePath(
  reader: MetadataReader,
  space: SpaceRecord,
  names: readonly string[],
): Promise<EntryRecord> {
  const found = await followPath(reader, space, names);
  if (found.length <= names.length) {
    throw new CairnError('not-found', `there is nothing at "${formatServerPath(names)}"; check the path`);
  }
  return found.at(-1) as EntryRecord;
}

/** The live entry's server path. */
export async function pathOf(reader: MetadataReader, record: EntryRecord): Promise<string> {
  const above = await reader.listAncestors(record.spaceId, record.entryId);
  const names = [record, ...above].reverse().slice(1);
  return formatServerPath(names.map((entry) => entry.name));
}

/**
 * The folder at a path, with the changes that make what is missing of it.
 * @throws CairnError `not-a-folder`
 */
export async function planFolders(
  { environment }: DataDependencies,
  reader: MetadataReader,
  space: SpaceRecord,
  names: readonly string[],
): Promise<{ readonly folderId: EntryId; readonly creates: readonly CreateChange[] }> {
  const found = await followPath(reader, space, names);
  const last = found.at(-1) as EntryRecord;
  if (last.kind !== 'folder') {
    throw new CairnError('not-a-folder', `"${formatServerPath(names)}" is not a folder; choose another path`);
  }
  let folderId = last.entryId;
  const creates: CreateChange[] = [];
  for (const name of names.slice(found.length - 1)) {
    const entryId = createOrderedId<EntryId>(environment.clock.now(), environment.random.bytes(16));
    creates.push({ kind: 'create', entryId, parentId: folderId, name, entry: { kind: 'folder' } });
    folderId = entryId;
  }
  return { folderId, creates };
}
