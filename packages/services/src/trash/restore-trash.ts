import type { MetadataReader, SpaceRecord, TrashRecord } from '@cairn/metadata-store';
import {
  CairnError,
  type Change,
  type EntryId,
  foldName,
  isCairnError,
  parseServerPath,
  restoredName,
} from '@cairn/model';
import { authoriseEntry } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import type { EntryWithPath } from '../data-services-types.ts';
import { commitPlan } from '../files/commit-plan.ts';
import { planFolders } from '../files/find-path.ts';
import { parseFilePath } from '../files/put-file.ts';
import { getEntry } from '../files/read-entries.ts';

const MAX_RESTORED_NAMES = 1000;

interface Place {
  readonly folderId: EntryId;
  readonly name: string;
  readonly creates: readonly Change[];
}

/** Where it was: the same folder if that still lives, else its path made again, else the root. */
async function findOldFolder(
  dependencies: DataDependencies,
  reader: MetadataReader,
  space: SpaceRecord,
  trash: TrashRecord,
): Promise<Omit<Place, 'name'>> {
  const [parent] = await reader.getEntries(space.spaceId, [trash.parentId]);
  if (parent !== undefined && parent.trashId === null) return { folderId: trash.parentId, creates: [] };
  try {
    const names = parseServerPath(trash.path).slice(0, -1);
    return await planFolders(dependencies, reader, space, names);
  } catch (error) {
    // A file stands where a folder was, or the old path is no longer allowed: the root always takes it.
    if (!isCairnError(error, 'not-a-folder', 'bad-path')) throw error;
    return { folderId: space.rootId, creates: [] };
  }
}

async function findFreeName(
  reader: MetadataReader,
  space: SpaceRecord,
  folderId: EntryId,
  name: string,
): Promise<string> {
  let candidate = name;
  for (let counter = 1; counter <= MAX_RESTORED_NAMES; counter++) {
    const holder = await reader.findChild(space.spaceId, folderId, foldName(candidate));
    if (holder === undefined) return candidate;
    candidate = restoredName(name, counter);
  }
  throw new CairnError('already-exists', 'too many files of that name are there; name a path to restore to');
}

async function findPlace(
  dependencies: DataDependencies,
  reader: MetadataReader,
  space: SpaceRecord,
  trash: TrashRecord,
  path: string | undefined,
): Promise<Place> {
  if (path === undefined) {
    const old = await findOldFolder(dependencies, reader, space, trash);
    return { ...old, name: await findFreeName(reader, space, old.folderId, trash.name) };
  }
  const [folder, name] = parseFilePath(path);
  const asked = await planFolders(dependencies, reader, space, folder);
  if ((await reader.findChild(space.spaceId, asked.folderId, foldName(name))) !== undefined) {
    throw new CairnError('already-exists', `something is at "${path}" already; choose another path`);
  }
  return { ...asked, name };
}

/** See `TrashService.restore`. */
export async function restoreTrash(
  dependencies: DataDependencies,
  principal: Principal,
  entryId: EntryId,
  path?: string,
): Promise<EntryWithPath> {
  await commitPlan(dependencies, principal, async (reader) => {
    const { space } = await authoriseEntry(reader, principal, 'write', entryId, 'any');
    const trash = await reader.getTrash(space.spaceId, entryId);
    if (trash === undefined) {
      throw new CairnError(
        'not-found',
        'this is not in the trash, or went there with its folder; list the trash',
      );
    }
    const { folderId, name, creates } = await findPlace(dependencies, reader, space, trash, path);
    const restore = { kind: 'restore', entryId, parentId: folderId, name } as const;
    return { spaceId: space.spaceId, entryId, changes: [...creates, restore] };
  });
  return getEntry(dependencies, principal, entryId);
}
