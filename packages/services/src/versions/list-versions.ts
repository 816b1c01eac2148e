import type { EntryId } from '@cairn/model';
import { authoriseEntry } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import { clampLimit } from '../page-limit.ts';
import { describeVersion } from '../spaces/describe-entry.ts';
import { type NamedVersion, nameVersions } from './device-names.ts';

const MAX_VERSIONS = 1000;

/** See `FilesService.listVersions`. */
export function listVersions(
  { store }: DataDependencies,
  principal: Principal,
  entryId: EntryId,
  limit = 100,
): Promise<readonly NamedVersion[]> {
  return store.read(async (reader) => {
    const { space } = await authoriseEntry(reader, principal, 'read', entryId, 'live');
    const versions = await reader.listVersions(space.spaceId, entryId, clampLimit(limit, MAX_VERSIONS));
    return nameVersions(reader, versions.map(describeVersion));
  });
}
