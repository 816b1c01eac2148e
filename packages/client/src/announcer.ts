import type { PlainBlock } from '@cairn/content';
import {
  type AnnouncedChunk,
  type AnnouncedCopies,
  type AnnouncedFile,
  type BlockId,
  type ContentId,
  createId,
  isCairnError,
  type ManifestPart,
  type SpaceId,
  type TransferId,
} from '@cairn/model';
import { PROTOCOL_LIMITS } from '@cairn/protocol';
import { type Api, apiPath } from './api.ts';
import { type CopiedRuns, createCopiedRuns } from './copied-runs.ts';
import { createKnownBlocks } from './known-blocks.ts';
import { DEFAULT_RETRY } from './retry.ts';

/** Chunks that wait for their pack, or for their turn to be told; the oldest give way. */
const MAX_WAITING_CHUNKS = 8192;
/** What comes too late is of no use, and the next one tells more. */
const IDLE_TIMEOUT_MS = 10_000;
/** Of an edit less is not told: it travels as deltas, which need the version, and whole chunks would come on top of them. */
const EDIT_BYTES = 16 * 1024 * 1024;
/**
 * What the others have already is told in steps: soon at first, so that they begin, then in larger ones. No step is more than a
 * part of the file.
 */
const COPY_STEP_BYTES = { first: 8 * 1024 * 1024, most: 64 * 1024 * 1024 };
const COPY_STEPS = 8;

/** Tells the other devices of the account how far a file on its way has come, and what of it they have. Its failures are nobody's. */
export interface Announcer {
  /**
   * The file has much of a content that others may have: little that is new of it is not told.
   * @param chunks of that content, in their order
   */
  expectEdit(base: ContentId, chunks: readonly ManifestPart[]): void;
  /** Notes a block that is to be sent, in the order of the file. */
  cut(block: PlainBlock): void;
  /** Notes one that the content has that was named, in the order of the file. */
  copied(block: PlainBlock): void;
  /** Notes that the server has these blocks now. */
  stored(blockIds: Iterable<BlockId>): void;
  /** Tells nothing more that is not on its way. */
  end(): void;
}

/**
 * Announces chunks in the order of the file, each once its block and all before it are on the server. One request at a time;
 * what becomes ready meanwhile is told with the next.
 */
export function createAnnouncer(
  api: Api,
  spaceId: SpaceId,
  file: AnnouncedFile,
  signal: AbortSignal,
): Announcer {
  const transferId = createId<TransferId>(api.environment.random.bytes(16));
  const onServer = createKnownBlocks(MAX_WAITING_CHUNKS);
  /** Not on the server yet, or behind such a one. */
  let waiting: AnnouncedChunk[] = [];
  let ready: AnnouncedChunk[] = [];
  let isTelling = false;
  let hasEnded = false;
  /** Bytes that have to be ready before any is told. */
  let heldBackBytes = 0;
  let copies: { readonly base: ContentId; readonly runs: CopiedRuns } | null = null;
  const partBytes = file.sizeBytes / COPY_STEPS;
  let copyStepBytes = Math.min(COPY_STEP_BYTES.first, partBytes);

  function advance(): void {
    const first = waiting.findIndex(({ block }) => !onServer.has(block));
    const count = first === -1 ? waiting.length : first;
    if (count === 0) return;
    ready.push(...waiting.slice(0, count));
    waiting = waiting.slice(count);
    if (ready.length > MAX_WAITING_CHUNKS) ready = ready.slice(-MAX_WAITING_CHUNKS);
    tell();
  }

  function takeReady(): AnnouncedChunk[] {
    if (heldBackBytes > 0) {
      if (ready.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) < heldBackBytes) return [];
      heldBackBytes = 0;
    }
    const chunks = ready.slice(0, PROTOCOL_LIMITS.maxAnnouncedChunks);
    ready = ready.slice(chunks.length);
    return chunks;
  }

  function takeCopies(): AnnouncedCopies | undefined {
    if (copies === null || copies.runs.sizeBytes === 0 || copies.runs.sizeBytes < copyStepBytes)
      return undefined;
    copyStepBytes = Math.min(COPY_STEP_BYTES.most, partBytes, 2 * copyStepBytes);
    return { base: copies.base, runs: copies.runs.take(PROTOCOL_LIMITS.maxAnnouncedRuns) };
  }

  function tell(): void {
    if (isTelling || hasEnded) return;
    const chunks = takeReady();
    const told = takeCopies();
    if (chunks.length === 0 && told === undefined) return;
    isTelling = true;
    api
      .tell({
        method: 'POST',
        path: apiPath`/spaces/${spaceId}/announcements`,
        json: { transferId, ...file, chunks, ...(told === undefined ? {} : { copies: told }) },
        signal,
        idleTimeoutMs: IDLE_TIMEOUT_MS,
        retry: { ...DEFAULT_RETRY, attempts: 1 },
      })
      .catch((error: unknown) => {
        const code = isCairnError(error) ? error.code : 'internal';
        api.environment.log.debug('client.announcement-failed', { spaceId, code });
        // An older server has no such address; whatever else it is, the next pack tells.
        if (code !== 'server-unreachable' && code !== 'unavailable') end();
      })
      .finally(() => {
        isTelling = false;
        tell();
      });
  }

  function end(): void {
    hasEnded = true;
    waiting = [];
    ready = [];
    copies = null;
  }

  return {
    expectEdit(base, chunks) {
      heldBackBytes = EDIT_BYTES;
      copies = { base, runs: createCopiedRuns(chunks) };
    },
    cut({ blockId, kind, plain, position }) {
      if (hasEnded || kind !== 'chunk' || position === undefined) return;
      waiting.push({ position, block: blockId, sizeBytes: plain.length });
      if (waiting.length > MAX_WAITING_CHUNKS) waiting.shift();
      if (onServer.has(blockId)) advance();
    },
    copied({ blockId, kind, plain, position }) {
      if (copies === null || kind !== 'chunk' || position === undefined) return;
      copies.runs.add(position, { block: blockId, sizeBytes: plain.length });
      tell();
    },
    stored(blockIds) {
      if (hasEnded) return;
      for (const blockId of blockIds) onServer.add(blockId);
      advance();
    },
    end,
  };
}
