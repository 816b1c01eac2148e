import type { ContentId, EntryId, TransferId } from './ids.ts';
import type { ManifestPart } from './manifest.ts';

/** A large file on its way to the server that nobody has committed. */
export interface AnnouncedFile {
  readonly entryId: EntryId;
  readonly parentId: EntryId;
  readonly name: string;
  readonly sizeBytes: number;
}

/** A chunk that the server has by now, and where in the file it is. */
export interface AnnouncedChunk extends ManifestPart {
  /** Bytes of the file before it. */
  readonly position: number;
}

/** Bytes of whole chunks that a file has, in the same order, from another content. */
export interface CopiedRun {
  /** Bytes of the file before it. */
  readonly position: number;
  /** Bytes of the other content before it. */
  readonly basePosition: number;
  readonly sizeBytes: number;
}

/** What of a file on its way other devices may have already. */
export interface AnnouncedCopies {
  /** The content that the runs are from: an older version of the file, or another file's. */
  readonly base: ContentId;
  readonly runs: readonly CopiedRun[];
}

/**
 * What a device tells the other devices of its account while it sends a file. Carries nothing that must be kept: whoever
 * misses it reads the file once it is committed.
 */
export interface Announcement extends AnnouncedFile {
  /** One pass over the file; a device that begins anew has a new one. */
  readonly transferId: TransferId;
  readonly chunks: readonly AnnouncedChunk[];
  readonly copies?: AnnouncedCopies | undefined;
}
