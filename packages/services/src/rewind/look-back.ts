import { CairnError, type EntryId, type VersionId } from '@cairn/model';
import { authoriseEntry } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import { pathOf } from '../files/find-path.ts';
import { readPastTree, requireLiveAt, sequenceAt } from './past-tree.ts';
import type { PastEntry, PastFolder } from './rewind-service.ts';

const MAX_SHOWN = 10_000;

/** See `RewindService.look`. */
export function lookBack(
  { store }: DataDependencies,
  principal: Principal,
  folderId: EntryId,
  at: number,
  deep: boolean,
): Promise<PastFolder> {
  return store.read(async (reader) => {
    const { space, record } = await authoriseEntry(reader, principal, 'read', folderId, 'live');
    if (record.kind !== 'folder') throw new CairnError('not-a-folder', `"${record.name}" is not a folder`);
    const sequence = await sequenceAt(reader, space, at);
    await requireLiveAt(reader, space, folderId, sequence);
    const limits = { deep, limit: MAX_SHOWN };
    const { entries, complete } = await readPastTree(reader, space, folderId, sequence, limits);
    const versionIds = entries.flatMap((entry) => (entry.kind === 'folder' ? [] : [entry.versionId]));
    const kept = new Set<VersionId>();
    for (const version of await reader.getVersions(space.spaceId, versionIds)) {
      if (version !== undefined) kept.add(version.versionId);
    }
    // The folder itself is where it is now; what is in it is where it was in it then.
    const paths = new Map<EntryId, string>([[folderId, await pathOf(reader, record)]]);
    const found = entries.map((entry): PastEntry => {
      const above = paths.get(entry.parentId as EntryId) ?? '/';
      const path = above === '/' ? `/${entry.name}` : `${above}/${entry.name}`;
      paths.set(entry.entryId, path);
      return { entry, path, kept: entry.kind !== 'folder' && kept.has(entry.versionId) };
    });
    return { at, sequence, entries: found, complete };
  });
}
