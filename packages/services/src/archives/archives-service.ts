import type { EntryId } from '@cairn/model';
import type { Principal } from '../authorisation/principal.ts';

export interface OpenedArchive {
  /** With `.zip`. */
  readonly fileName: string;
  /** Of any length; memory is bounded. Ends with an error, never early, when something cannot be read. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** Files and folders to take away. */
export interface ArchivesService {
  /**
   * A zip of the entries, folders with all that is in them.
   * @param name what it is called, without `.zip`; after the entry (or `Files`) unless told
   * @throws CairnError `not-found` when any of them is not there
   */
  open(principal: Principal, entryIds: readonly EntryId[], name?: string): Promise<OpenedArchive>;
}
