import { CairnError, type FolderEntry, parseServerPath } from '@cairn/model';
import { authorisePersonalOr } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import { commitPlan } from './commit-plan.ts';
import { planFolders, requirePath } from './find-path.ts';
import { getEntry, requireFolder } from './read-entries.ts';

/** See `FilesService.createFolder`. */
export async function createFolder(
  dependencies: DataDependencies,
  principal: Principal,
  path: string,
  { parents }: { readonly parents: boolean },
): Promise<FolderEntry> {
  const names = parseServerPath(path);
  const planned = await commitPlan(dependencies, principal, async (reader) => {
    const space = await authorisePersonalOr(reader, principal, 'write', null);
    if (!parents && names.length > 0) await requirePath(reader, space, names.slice(0, -1));
    const { folderId, creates } = await planFolders(dependencies, reader, space, names).catch((error) => {
      if (parents) throw error;
      throw new CairnError('already-exists', `something is at "${path}" already`, { cause: error });
    });
    if (!parents && creates.length === 0) {
      throw new CairnError('already-exists', `the folder "${path}" exists already`);
    }
    return { spaceId: space.spaceId, entryId: folderId, changes: creates };
  });
  const { entry } = await getEntry(dependencies, principal, planned.entryId);
  return requireFolder(entry);
}
