import type { EntryRecord, MetadataReader } from '@cairn/metadata-store';
import {
  CairnError,
  CHANGESET_LIMITS,
  type Change,
  type ChangesetId,
  type CreateChange,
  checkName,
  createId,
  createOrderedId,
  type EntryId,
  foldName,
  type SpaceId,
} from '@cairn/model';
import { authoriseEntry, authoriseEntryIn } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import { commitChangeset } from '../changesets/commit-changeset.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import type { EntryWithPath } from '../data-services-types.ts';
import { describeEntries } from '../spaces/describe-entry.ts';
import { commitPlan } from './commit-plan.ts';
import { getEntry } from './read-entries.ts';
import { removeEntry } from './remove-entry.ts';
import { updateEntry } from './update-entry.ts';

const MAX_COPIED = 100_000;

export interface CopyPlace {
  readonly parentId: EntryId;
  readonly name: string;
}

async function planCopy(
  { environment }: DataDependencies,
  reader: MetadataReader,
  spaceId: SpaceId,
  record: EntryRecord,
  place: CopyPlace,
): Promise<Change[]> {
  const records = await reader.listSubtree(spaceId, record.entryId);
  if (records.length > MAX_COPIED) {
    throw new CairnError('too-large', `more than ${MAX_COPIED} entries at once; copy the folders in it`, {
      details: { maxEntries: MAX_COPIED },
    });
  }
  const entries = await describeEntries(reader, spaceId, records);
  const now = environment.clock.now();
  const ids = new Map<EntryId, EntryId>();
  return entries.map((entry): Change => {
    const entryId = createOrderedId<EntryId>(now, environment.random.bytes(16));
    ids.set(entry.entryId, entryId);
    const isTop = entry.entryId === record.entryId;
    const parentId = isTop ? place.parentId : (ids.get(entry.parentId as EntryId) as EntryId);
    const common = { kind: 'create', entryId, parentId, name: isTop ? place.name : entry.name } as const;
    if (entry.kind === 'folder') return { ...common, entry: { kind: 'folder' } };
    const { modifiedAtUs } = entry;
    if (entry.kind === 'link')
      return { ...common, entry: { kind: 'link', target: entry.target, modifiedAtUs } };
    const { content, executable } = entry;
    return { ...common, entry: { kind: 'file', content, executable, modifiedAtUs } };
  });
}

/**
 * What a copy of more than one changeset is called until it is whole: a server that ends in between must not leave a half one
 * under the name of the whole.
 */
function unfinishedName({ environment }: DataDependencies): string {
  return `Unfinished copy ${Buffer.from(environment.random.bytes(4)).toString('hex')}`;
}

/** See `FilesService.copy`. */
export async function copyEntry(
  dependencies: DataDependencies,
  principal: Principal,
  entryId: EntryId,
  place: CopyPlace,
): Promise<EntryWithPath> {
  checkName(place.name);
  let rest: Change[] = [];
  const planned = await commitPlan(dependencies, principal, async (reader) => {
    const { space, record } = await authoriseEntry(reader, principal, 'write', entryId, 'live');
    const { spaceId } = space;
    const parent = await authoriseEntryIn(reader, principal, 'write', spaceId, place.parentId);
    if (parent.kind !== 'folder') throw new CairnError('not-a-folder', `"${parent.name}" is not a folder`);
    const holder = await reader.findChild(spaceId, place.parentId, foldName(place.name));
    if (holder !== undefined) {
      throw new CairnError('already-exists', `"${holder.name}" is there already; choose another name`);
    }
    const changes = await planCopy(dependencies, reader, spaceId, record, place);
    rest = changes.slice(CHANGESET_LIMITS.maxChanges);
    let first = changes.slice(0, CHANGESET_LIMITS.maxChanges);
    const [top, ...others] = first as [CreateChange, ...Change[]];
    if (rest.length > 0) first = [{ ...top, name: unfinishedName(dependencies) }, ...others];
    return { spaceId, entryId: (first[0] as Change).entryId, changes: first };
  });
  if (rest.length === 0) return getEntry(dependencies, principal, planned.entryId);
  try {
    while (rest.length > 0) {
      await commitChangeset(dependencies, principal, planned.spaceId, {
        changesetId: createId<ChangesetId>(dependencies.environment.random.bytes(16)),
        changes: rest.slice(0, CHANGESET_LIMITS.maxChanges),
      });
      rest = rest.slice(CHANGESET_LIMITS.maxChanges);
    }
    await updateEntry(dependencies, principal, planned.entryId, { name: place.name });
  } catch (error) {
    // Half a copy must not pass for a whole one; in the trash it can be seen what became of it.
    try {
      await removeEntry(dependencies, principal, planned.entryId);
    } catch (failure) {
      const { entryId } = planned;
      dependencies.environment.log.warn('files.half-copy-left', { entryId, error: String(failure) });
    }
    throw error;
  }
  return getEntry(dependencies, principal, planned.entryId);
}
