import type { EntryRecord, MetadataReader, SpaceRecord } from '@cairn/metadata-store';
import { CairnError, checkName, type Entry, type EntryId, foldName, type UpdateChange } from '@cairn/model';
import { authoriseEntry } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import type { EntryUpdate } from '../data-services-types.ts';
import { commitPlan } from './commit-plan.ts';
import { requirePath } from './find-path.ts';
import { parseFilePath } from './put-file.ts';
import { getEntry } from './read-entries.ts';

interface Place {
  readonly parentId: EntryId;
  readonly name: string;
}

async function findPlace(
  reader: MetadataReader,
  space: SpaceRecord,
  record: EntryRecord,
  update: EntryUpdate,
): Promise<Place> {
  const name = update.name ?? record.name;
  if (update.path !== undefined) {
    const [folder, lastName] = parseFilePath(update.path);
    return { parentId: (await requirePath(reader, space, folder)).entryId, name: lastName };
  }
  return { parentId: update.parentId ?? (record.parentId as EntryId), name };
}

async function checkPlace(
  reader: MetadataReader,
  space: SpaceRecord,
  record: EntryRecord,
  place: Place,
): Promise<void> {
  checkName(place.name);
  const [parent] = await reader.getEntries(space.spaceId, [place.parentId]);
  if (parent === undefined || parent.trashId !== null) {
    throw new CairnError('not-found', 'there is no such folder, or it is not yours; check the id');
  }
  if (parent.kind !== 'folder') throw new CairnError('not-a-folder', `"${parent.name}" is not a folder`);
  const holder = await reader.findChild(space.spaceId, place.parentId, foldName(place.name));
  if (holder !== undefined && holder.entryId !== record.entryId) {
    throw new CairnError('already-exists', `"${holder.name}" is there already; choose another name`);
  }
}

/** See `FilesService.update`. */
export async function updateEntry(
  dependencies: DataDependencies,
  principal: Principal,
  entryId: EntryId,
  update: EntryUpdate,
): Promise<Entry> {
  if (update.path !== undefined && (update.parentId !== undefined || update.name !== undefined)) {
    throw new CairnError('bad-request', 'name either a path, or a folder and a name');
  }
  await commitPlan(dependencies, principal, async (reader) => {
    const { space, record } = await authoriseEntry(reader, principal, 'write', entryId, 'live');
    const { conflictPolicy } = update;
    if (record.parentId === null && (conflictPolicy === undefined || Object.keys(update).length > 1)) {
      throw new CairnError('bad-request', 'the root folder can be neither moved nor renamed');
    }
    if (conflictPolicy !== undefined && record.kind !== 'folder') {
      throw new CairnError('not-a-folder', `"${record.name}" is not a folder`);
    }
    const { executable, modifiedAtUs } = update;
    const place = record.parentId === null ? null : await findPlace(reader, space, record, update);
    if (place !== null) await checkPlace(reader, space, record, place);
    const change: UpdateChange = {
      kind: 'update',
      entryId,
      baseSequence: record.sequence,
      ...(place ?? {}),
      ...(executable === undefined ? {} : { executable }),
      ...(modifiedAtUs === undefined ? {} : { modifiedAtUs }),
      ...(conflictPolicy === undefined ? {} : { conflictPolicy }),
    };
    return { spaceId: space.spaceId, entryId, changes: [change] };
  });
  return (await getEntry(dependencies, principal, entryId)).entry;
}
