import type { EntryRecord, MetadataReader } from '@cairn/metadata-store';
import type { EntryId, SpaceId } from '@cairn/model';
import { authorisePersonalOr } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import type { Conflict, ConflictSide, ConflictsPage } from '../data-services-types.ts';
import { pathOf } from '../files/find-path.ts';
import { clampLimit } from '../page-limit.ts';
import { describeEntries, describeVersion } from '../spaces/describe-entry.ts';
import { type NamedVersion, nameVersion } from '../versions/device-names.ts';

const MAX_CONFLICTS = 1000;

async function describeSide(reader: MetadataReader, record: EntryRecord): Promise<ConflictSide | null> {
  const [entry] = await describeEntries(reader, record.spaceId, [record]);
  if (entry === undefined || entry.kind === 'folder') return null;
  const [version] = await reader.getVersions(record.spaceId, [entry.versionId]);
  if (version === undefined) return null;
  return {
    entry,
    path: await pathOf(reader, record),
    version: await nameVersion(reader, describeVersion(version)),
  };
}

/** A conflict copy with what it is a copy of, as far as that is still there; `null` for what is none. */
export async function describeConflict(
  reader: MetadataReader,
  record: EntryRecord,
): Promise<Conflict | null> {
  const { spaceId, conflictOf } = record;
  if (conflictOf === undefined || record.trashId !== null) return null;
  const copy = await describeSide(reader, record);
  if (copy === null) return null;
  const [original] = await reader.getEntries(spaceId, [conflictOf.entryId]);
  const isThere = original !== undefined && original.trashId === null;
  let base: NamedVersion | null = null;
  if (original !== undefined && conflictOf.baseSequence !== null) {
    const version = await reader.findVersionAt(spaceId, original.entryId, conflictOf.baseSequence);
    base = version === undefined ? null : await nameVersion(reader, describeVersion(version));
  }
  return { conflictOf, copy, original: isThere ? await describeSide(reader, original) : null, base };
}

async function describeAll(
  reader: MetadataReader,
  records: readonly EntryRecord[],
): Promise<readonly Conflict[]> {
  const conflicts: Conflict[] = [];
  for (const record of records) {
    const conflict = await describeConflict(reader, record);
    if (conflict !== null) conflicts.push(conflict);
  }
  return conflicts;
}

/** See `ConflictsService.list`. */
export function listConflicts(
  { store }: DataDependencies,
  principal: Principal,
  spaceId: SpaceId | null,
  page: { readonly after: EntryId | null; readonly limit: number },
): Promise<ConflictsPage> {
  const limit = clampLimit(page.limit, MAX_CONFLICTS);
  return store.read(async (reader) => {
    const space = await authorisePersonalOr(reader, principal, 'read', spaceId);
    const records = await reader.listConflicts(space.spaceId, page.after, limit);
    const next = records.length < limit ? null : (records.at(-1)?.entryId ?? null);
    return { conflicts: await describeAll(reader, records), next };
  });
}
