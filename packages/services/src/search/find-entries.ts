import type { EntryRecord, FoundPlace, MetadataReader, SpaceRecord } from '@cairn/metadata-store';
import { CairnError, type EntryId, isRandomId, searchName } from '@cairn/model';
import { authorisePersonalOr } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import type { EntryWithPath } from '../data-services-types.ts';
import { createPathFinder } from '../files/path-finder.ts';
import { clampLimit } from '../page-limit.ts';
import { describeEntries } from '../spaces/describe-entry.ts';

const MAX_FOUND = 500;

interface Place {
  readonly where: 'beginning' | 'further';
  readonly after: FoundPlace | null;
}

/** `b` or `f`, the entry's id, its name. */
function formatPlace(where: Place['where'], record: EntryRecord): string {
  return `${where === 'beginning' ? 'b' : 'f'}${record.entryId}${searchName(record.name)}`;
}

function parsePlace(text: string | null): Place {
  if (text === null) return { where: 'beginning', after: null };
  const [mark, entryId, name] = [text.slice(0, 1), text.slice(1, 27), text.slice(27)];
  if (!(mark === 'b' || mark === 'f') || !isRandomId(entryId)) {
    throw new CairnError('bad-request', '"after" is no place in a list of found names; begin without it');
  }
  return {
    where: mark === 'b' ? 'beginning' : 'further',
    after: { searchName: name, entryId: entryId as EntryId },
  };
}

async function findPage(
  reader: MetadataReader,
  space: SpaceRecord,
  text: string,
  place: Place,
  limit: number,
): Promise<{ readonly records: readonly EntryRecord[]; readonly next: string | null }> {
  const { where, after } = place;
  const first = await reader.findNames(space.spaceId, text, where, after, limit + 1);
  if (first.length > limit) {
    const records = first.slice(0, limit);
    return { records, next: formatPlace(where, records.at(-1) as EntryRecord) };
  }
  if (where === 'further') return { records: first, next: null };
  const rest = await reader.findNames(space.spaceId, text, 'further', null, limit - first.length + 1);
  const records = [...first, ...rest].slice(0, limit);
  if (first.length + rest.length <= limit) return { records, next: null };
  const last = records.at(-1) as EntryRecord;
  return { records, next: formatPlace(first.length >= limit ? 'beginning' : 'further', last) };
}

/** See `SearchService.find`. */
export function findEntries(
  { store }: DataDependencies,
  principal: Principal,
  text: string,
  page: { readonly after: string | null; readonly limit: number },
): Promise<{ readonly items: readonly EntryWithPath[]; readonly next: string | null }> {
  const limit = clampLimit(page.limit, MAX_FOUND);
  const place = parsePlace(page.after);
  const wanted = searchName(text.trim());
  return store.read(async (reader) => {
    const space = await authorisePersonalOr(reader, principal, 'read', null);
    if (wanted === '') return { items: [], next: null };
    const { records, next } = await findPage(reader, space, wanted, place, limit);
    const entries = await describeEntries(reader, space.spaceId, records);
    const pathOf = createPathFinder(reader, space);
    const items: EntryWithPath[] = [];
    for (const [position, entry] of entries.entries()) {
      items.push({ entry, path: await pathOf(records[position] as EntryRecord) });
    }
    return { items, next };
  });
}
