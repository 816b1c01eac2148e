import type { EntryId, SpaceId } from '@cairn/model';
import { authoriseSpace } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import type { SnapshotPage } from '../data-services-types.ts';
import { clampLimit } from '../page-limit.ts';
import { cursorTextAt } from './cursors.ts';
import { describeEntries } from './describe-entry.ts';
import { readEpoch } from './server-epoch.ts';

const MAX_ENTRIES = 5000;

/** See `SpacesService.readSnapshot`. */
export function readSnapshot(
  { store }: DataDependencies,
  principal: Principal,
  spaceId: SpaceId,
  after: EntryId | null,
  limit: number,
): Promise<SnapshotPage> {
  return store.read(async (reader) => {
    const space = await authoriseSpace(reader, principal, 'read', spaceId);
    const count = clampLimit(limit, MAX_ENTRIES);
    const records = await reader.pageEntries(spaceId, after, count);
    const last = records.at(-1);
    return {
      entries: await describeEntries(reader, spaceId, records),
      cursor: cursorTextAt(await readEpoch(reader), space.sequence, space.journalHash),
      next: records.length < count || last === undefined ? null : last.entryId,
    };
  });
}
