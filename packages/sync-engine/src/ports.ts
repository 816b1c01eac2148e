import type {
  AnnouncedFile,
  Announcement,
  BlockId,
  Changeset,
  ChunkProfile,
  CommitResult,
  Cursor,
  Entry,
  EntryId,
  FileContent,
  JournalChange,
  ManifestPart,
  SpaceId,
} from '@cairn/model';

/** The slice of the server's side that the engine needs; the client package's SpaceClient fits. */
export interface SpaceConnection {
  readonly spaceId: SpaceId;
  readonly rootId: EntryId;
  snapshot(
    after: EntryId | null,
    signal?: AbortSignal,
  ): Promise<{ entries: readonly Entry[]; cursor: Cursor; next: EntryId | null }>;
  /** Throws `cursor-unknown` when the server's history is not the cursor's. */
  changes(
    cursor: Cursor,
    options: { waitMs: number; limit?: number; signal?: AbortSignal },
  ): Promise<{ changes: readonly JournalChange[]; cursor: Cursor; more: boolean }>;
  /** Throws `conflict` (details.conflicts) or `blocks-missing` (details.blocks). */
  commit(changeset: Changeset, signal?: AbortSignal): Promise<CommitResult>;
  /** @param options.announces the one file that will be added: other devices of the account hear how far it has come */
  createUpload(options?: {
    signal?: AbortSignal;
    onProgress?: (sentBytes: number) => void;
    announces?: AnnouncedFile | undefined;
  }): UploadSession;
  readContents(
    items: Iterable<{ content: FileContent; startAt?: number; base?: ContentBase | null }>,
    options: { signal?: AbortSignal },
  ): AsyncIterable<ContentPiece>;
  /** `older`: a version that it resembles, of whose list most is known. */
  listChunks(
    content: FileContent,
    signal?: AbortSignal,
    older?: FileContent | null,
  ): AsyncIterable<ManifestPart>;
  hints(
    onHint: (sequence: number | null) => void,
    onState: (state: 'live' | 'polling') => void,
    onAnnouncement: (announcement: Announcement) => void,
  ): { close(): void };
  /** Lets go of memory that is kept for the next transfers; what is in use stays as it is. */
  giveMemoryBack(): void;
}

/** Bytes that are here and that blocks of a content may be like, so that less than these has to be sent. */
export interface ContentBase {
  basesOf(blockId: BlockId): readonly BlockId[];
  read(blockId: BlockId): Promise<Uint8Array | null>;
  note?(wasOfUse: boolean): void;
}

export interface ContentPiece {
  readonly index: number;
  readonly position: number;
  readonly bytes: Uint8Array;
  readonly last: boolean;
}

export interface ByteReader {
  read(into: Uint8Array, position: number): Promise<number>;
}

export interface UploadSession {
  add(
    source: ByteReader,
    options: { profile: ChunkProfile; base?: FileContent | null },
  ): Promise<FileContent>;
  flush(): Promise<void>;
  abort(): void;
  readonly sentBytes: number;
  readonly skippedBytes: number;
}
