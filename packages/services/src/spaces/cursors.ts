import type { MetadataReader, SpaceRecord } from '@cairn/metadata-store';
import { CairnError, type Cursor, type Epoch, formatCursor, parseCursor } from '@cairn/model';
import { readEpoch } from './server-epoch.ts';

const HASH_DIGITS = 16;

/** The text of the cursor at a place in the journal. */
export function cursorTextAt(epoch: Epoch, sequence: number, journalHash: string): string {
  return formatCursor({ epoch, sequence, hash: journalHash.slice(0, HASH_DIGITS) });
}

/**
 * Finds the place that a cursor names in this server's history of the space.
 * @throws CairnError `bad-request` for what is no cursor, `cursor-unknown` for a place in another history
 */
export async function resolveCursor(
  reader: MetadataReader,
  space: SpaceRecord,
  cursorText: string,
): Promise<Cursor> {
  const cursor = parseCursor(cursorText);
  if (cursor === null)
    throw new CairnError('bad-request', 'this is not a cursor; take a snapshot to get one');
  const epoch = await readEpoch(reader);
  const hash =
    cursor.epoch === epoch && cursor.sequence <= space.sequence
      ? await reader.getJournalHash(space.spaceId, cursor.sequence)
      : undefined;
  if (hash === undefined || hash.slice(0, HASH_DIGITS) !== cursor.hash) {
    throw new CairnError(
      'cursor-unknown',
      'the cursor belongs to another history of this space; take a snapshot and compare',
    );
  }
  return cursor;
}
