import type { EntryId, SpaceId } from '@cairn/model';
import type { EntryRecord, JournalRecord } from './records.ts';

/** Where a list of found names goes on. */
export interface FoundPlace {
  readonly searchName: string;
  readonly entryId: EntryId;
}

/** One sample of how full the server is. */
export interface CapacityRecord {
  /** Milliseconds since 1970. */
  readonly sampledAt: number;
  readonly usedBytes: number;
  readonly capacityBytes: number | null;
  readonly liveBytes: number;
}

export interface SpaceContents {
  /** Live ones; the root is none. */
  readonly files: number;
  readonly folders: number;
  /** Of all chunks that the space refers to, each once. */
  readonly chunks: { readonly plainBytes: number; readonly storedBytes: number };
}

/** What looking for names, the past and figures over time read. */
export interface HistoryReader {
  /**
   * Live entries whose `searchName(name)` has the text in it, ordered by that name, then by id; those that begin
   * with it, or those that have it further behind. Reads index rows up to the limit.
   */
  findNames(
    spaceId: SpaceId,
    text: string,
    where: 'beginning' | 'further',
    after: FoundPlace | null,
    limit: number,
  ): Promise<EntryRecord[]>;

  /** Rows with `sequence < before`, newest first. */
  readJournalBack(spaceId: SpaceId, before: number, limit: number): Promise<JournalRecord[]>;
  /** The newest row that was committed at that instant or before; `undefined` when there is none. */
  findJournalAt(spaceId: SpaceId, at: number): Promise<JournalRecord | undefined>;
  /** For each: the entry's newest row of this sequence or an older one, same order. */
  listStates(
    spaceId: SpaceId,
    wanted: readonly { readonly entryId: EntryId; readonly sequence: number }[],
  ): Promise<(JournalRecord | undefined)[]>;
  /**
   * What was in folders that were live at a sequence: for each entry its newest row then, where that says one of these
   * parents and is younger than the parent's last removal. By parent in the order asked, then by entry id.
   */
  listChildrenAt(
    spaceId: SpaceId,
    parentIds: readonly EntryId[],
    sequence: number,
    limit: number,
  ): Promise<JournalRecord[]>;
  /** The newest row, up to a sequence, that removed the entry itself; 0 when there is none. */
  findRemoval(spaceId: SpaceId, entryId: EntryId, sequence: number): Promise<number>;

  /** Walks all of the space. */
  measureContents(spaceId: SpaceId): Promise<SpaceContents>;
  /** From an instant on, oldest first. */
  listCapacity(since: number, limit: number): Promise<CapacityRecord[]>;
}

export interface HistoryTransaction extends HistoryReader {
  /** Replaces one of the same instant, and removes all that are older than `keptSince`. */
  putCapacity(sample: CapacityRecord, keptSince: number): Promise<void>;
}
