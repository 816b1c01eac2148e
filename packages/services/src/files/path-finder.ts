import type { EntryRecord, MetadataReader, SpaceRecord } from '@cairn/metadata-store';
import { type EntryId, formatServerPath } from '@cairn/model';

/** Paths of many live entries of one space: each folder on the way is looked up once. */
export function createPathFinder(
  reader: MetadataReader,
  space: SpaceRecord,
): (record: Pick<EntryRecord, 'entryId' | 'parentId' | 'name'>) => Promise<string> {
  const folders = new Map<EntryId, readonly string[]>([[space.rootId, []]]);

  async function namesOf(folderId: EntryId): Promise<readonly string[]> {
    const known = folders.get(folderId);
    if (known !== undefined) return known;
    const [folder] = await reader.getEntries(space.spaceId, [folderId]);
    if (folder === undefined) throw new Error(`folder ${folderId} is missing`);
    const line = [folder, ...(await reader.listAncestors(space.spaceId, folderId))].reverse().slice(1);
    const names: string[] = [];
    for (const one of line) {
      names.push(one.name);
      folders.set(one.entryId, [...names]);
    }
    return names;
  }

  return async (record) =>
    record.parentId === null ? '/' : formatServerPath([...(await namesOf(record.parentId)), record.name]);
}
