import { CairnError, type Entry, type EntryId, foldName } from '@cairn/model';
import { authoriseEntry } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import { clampLimit } from '../page-limit.ts';
import { describeEntries } from '../spaces/describe-entry.ts';

const MAX_CHILDREN = 1000;

/** See `FilesService.listFolder`. */
export function listFolder(
  { store }: DataDependencies,
  principal: Principal,
  entryId: EntryId,
  page: { readonly after: string | null; readonly limit: number },
): Promise<{ readonly entries: readonly Entry[]; readonly next: string | null }> {
  const limit = clampLimit(page.limit, MAX_CHILDREN);
  return store.read(async (reader) => {
    const { space, record } = await authoriseEntry(reader, principal, 'read', entryId, 'live');
    if (record.kind !== 'folder') throw new CairnError('not-a-folder', `"${record.name}" is not a folder`);
    const children = await reader.listChildren(space.spaceId, entryId, page.after, limit);
    const last = children.at(-1);
    return {
      entries: await describeEntries(reader, space.spaceId, children),
      next: children.length < limit || last === undefined ? null : foldName(last.name),
    };
  });
}
