import type { SpaceId } from '@cairn/model';
import { authoriseSpace } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import type { ChangesPage } from '../data-services-types.ts';
import { clampLimit } from '../page-limit.ts';
import { cursorTextAt, resolveCursor } from './cursors.ts';

const MAX_CHANGES = 2000;

/** See `SpacesService.readChanges`. */
export function readChanges(
  { store }: DataDependencies,
  principal: Principal,
  spaceId: SpaceId,
  cursorText: string,
  limit: number,
): Promise<ChangesPage> {
  return store.read(async (reader) => {
    const space = await authoriseSpace(reader, principal, 'read', spaceId);
    const cursor = await resolveCursor(reader, space, cursorText);
    const rows = await reader.readJournal(spaceId, cursor.sequence, clampLimit(limit, MAX_CHANGES));
    const last = rows.at(-1);
    return {
      changes: rows.map((row) => row.change),
      cursor: last === undefined ? cursorText : cursorTextAt(cursor.epoch, last.sequence, last.hash),
      more: last !== undefined && last.sequence < space.sequence,
    };
  });
}
