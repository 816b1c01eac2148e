import { type ContentPlatform, listChunks } from '@cairn/content';
import {
  type Announcement,
  CairnError,
  type ChangeConflict,
  type Changeset,
  type CommitResult,
  type Cursor,
  type Entry,
  type EntryId,
  type FileContent,
  formatCursor,
  isCairnError,
  type JournalChange,
  type ManifestPart,
  parseCursor,
  type SpaceId,
} from '@cairn/model';
import {
  blockIdSchema,
  changeConflictSchema,
  changesResponseSchema,
  commitResultSchema,
  PROTOCOL_LIMITS,
  snapshotResponseSchema,
} from '@cairn/protocol';
import { notCairn } from './answers.ts';
import { type Api, apiPath } from './api.ts';
import { createBatchBuffers } from './batch-buffers.ts';
import { createBatchMemories } from './batch-memory.ts';
import { createBlockReader } from './block-reader.ts';
import { createDeltaReader } from './delta-reader.ts';
import { followHints } from './hints.ts';
import { listBeside } from './list-beside.ts';
import { type ContentItem, type ContentPiece, readContents } from './read-contents.ts';
import { DEFAULT_RETRY } from './retry.ts';
import { createUpload, type Upload, type UploadOptions } from './upload.ts';
import { createUploadDeltas } from './upload-deltas.ts';

/** On top of a long poll's own wait. */
const POLL_SLACK_MS = 30_000;

/** One space: its journal, its snapshot, its contents. Every method throws CairnError. */
export interface SpaceClient {
  readonly spaceId: SpaceId;
  readonly rootId: EntryId;
  /** One page of all live entries, by id. Follow the journal from the first page's cursor. */
  snapshot(
    after: EntryId | null,
    signal?: AbortSignal,
  ): Promise<{ entries: Entry[]; cursor: Cursor; next: EntryId | null }>;
  /** What happened after the cursor. Throws `cursor-unknown` when the server has another history. */
  changes(
    cursor: Cursor,
    options: { readonly waitMs: number; readonly limit?: number; readonly signal?: AbortSignal },
  ): Promise<{ changes: JournalChange[]; cursor: Cursor; more: boolean }>;
  /**
   * All or nothing. Lost answers are asked for again under the same changeset id. Throws `conflict`
   * (details.conflicts: ChangeConflict[]) or `blocks-missing` (details.blocks: BlockId[]).
   */
  commit(changeset: Changeset, signal?: AbortSignal): Promise<CommitResult>;
  createUpload(options?: UploadOptions): Upload;
  /** A file of size 0, or one wholly skipped, yields one piece without bytes. */
  readContents(
    items: Iterable<ContentItem>,
    options: { readonly signal?: AbortSignal },
  ): AsyncIterable<ContentPiece>;
  /**
   * The chunks of a content in order, to verify a partial download.
   * @param older a version that it resembles: little of its list has to be fetched then
   */
  listChunks(
    content: FileContent,
    signal?: AbortSignal,
    older?: FileContent | null,
  ): AsyncIterable<ManifestPart>;
  hints(
    onHint: (sequence: number | null) => void,
    onState: (state: 'live' | 'polling') => void,
    onAnnouncement?: (announcement: Announcement) => void,
  ): { close(): void };
  /** Lets go of memory that is kept for the next transfers, large ones above all; what is in use stays as it is. */
  giveMemoryBack(): void;
}

export function createSpaceClient(
  api: Api,
  platform: ContentPlatform,
  space: { readonly spaceId: SpaceId; readonly rootId: EntryId },
): SpaceClient {
  const { spaceId, rootId } = space;
  const reader = createBlockReader(api, platform, spaceId);
  const memories = createBatchMemories();
  const buffers = createBatchBuffers();
  const deltaReader = createDeltaReader(api, platform, spaceId, reader);
  const uploadDeltas = createUploadDeltas(api, platform, spaceId);

  function cursorOf(text: string): Cursor {
    const cursor = parseCursor(text);
    if (cursor === null) throw notCairn(api.transport.serverUrl, 'its cursor has an unknown form');
    return cursor;
  }

  return {
    spaceId,
    rootId,
    async snapshot(after, signal) {
      const rest = after === null ? '' : apiPath`&after=${after}`;
      const path = apiPath`/spaces/${spaceId}/snapshot?limit=${PROTOCOL_LIMITS.maxPageEntries}` + rest;
      const { entries, cursor, next } = await api.ask(
        { method: 'GET', path, signal },
        snapshotResponseSchema,
      );
      return { entries, cursor: cursorOf(cursor), next };
    },
    async changes(cursor, { waitMs, limit = PROTOCOL_LIMITS.defaultChanges, signal }) {
      const text = formatCursor(cursor);
      const inlineBytes = PROTOCOL_LIMITS.maxInlineBytes;
      const { changes, pack, ...answer } = await api.ask(
        {
          method: 'GET',
          path: apiPath`/sync/changes?spaceId=${spaceId}&cursor=${text}&limit=${limit}&waitMs=${waitMs}&inlineBytes=${inlineBytes}`,
          idleTimeoutMs: waitMs + POLL_SLACK_MS,
          signal,
        },
        changesResponseSchema,
      );
      if (pack !== undefined) reader.takeAlong(pack);
      return { changes, cursor: cursorOf(answer.cursor), more: answer.more };
    },
    async commit(changeset, signal) {
      try {
        return await api.ask(
          {
            method: 'POST',
            path: apiPath`/spaces/${spaceId}/changesets`,
            json: changeset,
            signal,
            retry: { ...DEFAULT_RETRY, attempts: 6 },
          },
          commitResultSchema,
        );
      } catch (error) {
        throw isCairnError(error) ? checkRefusal(api.transport.serverUrl, error) : error;
      }
    },
    createUpload: (options) =>
      createUpload(api, platform, spaceId, reader, buffers.createShare(), uploadDeltas, options),
    readContents: (items, { signal }) => readContents(platform, reader, deltaReader, memories, items, signal),
    listChunks: (content, signal, older = null) =>
      older === null || content.manifest.depth === 0
        ? listChunks(platform, content.manifest, (blockId) => reader.readManifest(blockId, signal))
        : listBeside(api, platform, reader, deltaReader, content, older, signal),
    hints: (onHint, onState, onAnnouncement) =>
      followHints(api, spaceId, {
        onHint,
        onState,
        ...(onAnnouncement === undefined ? {} : { onAnnouncement }),
      }),
    giveMemoryBack: () => buffers.giveMemoryBack(),
  };
}

/** The lists that callers rely on are validated like any other answer. */
function checkRefusal(serverUrl: string, error: CairnError): CairnError {
  if (error.code === 'conflict') {
    const conflicts = changeConflictSchema.array().safeParse(error.details['conflicts']);
    if (!conflicts.success) return notCairn(serverUrl, 'its conflicts have an unknown form', conflicts.error);
    const checked: readonly ChangeConflict[] = conflicts.data;
    return new CairnError('conflict', error.message, {
      cause: error,
      details: { ...error.details, conflicts: checked },
    });
  }
  if (error.code === 'blocks-missing') {
    const blocks = blockIdSchema.array().safeParse(error.details['blocks']);
    if (!blocks.success) return notCairn(serverUrl, 'its missing blocks have an unknown form', blocks.error);
  }
  return error;
}
