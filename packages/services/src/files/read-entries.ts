import type { EntryRecord, MetadataReader } from '@cairn/metadata-store';
import {
  CairnError,
  type Entry,
  type EntryId,
  type FileEntry,
  type FolderEntry,
  parseServerPath,
  type SpaceId,
} from '@cairn/model';
import { authoriseEntry, authorisePersonalOr } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import type { EntryWithPath } from '../data-services-types.ts';
import { describeEntries } from '../spaces/describe-entry.ts';
import { pathOf, requirePath } from './find-path.ts';

async function describeWithPath(reader: MetadataReader, record: EntryRecord): Promise<EntryWithPath> {
  const [entry] = await describeEntries(reader, record.spaceId, [record]);
  return { entry: entry as Entry, path: await pathOf(reader, record) };
}

/** See `FilesService.get`. */
export function getEntry(
  { store }: DataDependencies,
  principal: Principal,
  entryId: EntryId,
): Promise<EntryWithPath> {
  return store.read(async (reader) => {
    const { record } = await authoriseEntry(reader, principal, 'read', entryId, 'live');
    return describeWithPath(reader, record);
  });
}

/** See `FilesService.getByPath`. */
export function getEntryByPath(
  { store }: DataDependencies,
  principal: Principal,
  spaceId: SpaceId | null,
  path: string,
): Promise<EntryWithPath> {
  const names = parseServerPath(path);
  return store.read(async (reader) => {
    const space = await authorisePersonalOr(reader, principal, 'read', spaceId);
    return describeWithPath(reader, await requirePath(reader, space, names));
  });
}

/** The entry, which must be a file. @throws CairnError `not-a-file` */
export function requireFile(entry: Entry): FileEntry {
  if (entry.kind !== 'file') throw new CairnError('not-a-file', `"${entry.name}" is not a file`);
  return entry;
}

/** The entry, which must be a folder. @throws CairnError `not-a-folder` */
export function requireFolder(entry: Entry): FolderEntry {
  if (entry.kind !== 'folder') throw new CairnError('not-a-folder', `"${entry.name}" is not a folder`);
  return entry;
}
