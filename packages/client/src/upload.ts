import {
  type BlockKind,
  type ByteSource,
  type ContentPlatform,
  cutContent,
  encodeNamedBlock,
  type StoredBlock,
} from '@cairn/content';
import { type BlockId, CairnError, type ChunkProfile, type FileContent, type SpaceId } from '@cairn/model';
import {
  encodePack,
  MEDIA_TYPES,
  missingBlocksResponseSchema,
  PROTOCOL_LIMITS,
  packBytes,
  storedBlocksResponseSchema,
} from '@cairn/protocol';
import { type Api, apiPath } from './api.ts';
import { collectBaseBlocks } from './base-blocks.ts';
import type { BlockReader } from './block-reader.ts';
import { createKnownBlocks } from './known-blocks.ts';
import { DEFAULT_RETRY, type RetryPolicy } from './retry.ts';

const BATCH_BYTES = 4 * 1024 * 1024;
const PACK_BYTES = 4 * 1024 * 1024;
const PACKS_IN_FLIGHT = 2;
/** Batches that were asked about and are not durable yet; with the one being filled at most 16 MiB. */
const MAX_SEALED_BATCHES = 3;
const UPLOAD_RETRY: RetryPolicy = {
  ...DEFAULT_RETRY,
  attempts: 8,
  maxDelayMs: 10_000,
  maxRetryAfterMs: 60_000,
};

export interface UploadOptions {
  readonly signal?: AbortSignal | undefined;
  onProgress?(sentBytes: number): void;
}

/** Sends contents of any number of files: many small ones share questions and packs. Memory is bounded. */
export interface Upload {
  /**
   * Cuts the source and queues what the server may lack; resolves with the content when its last block is queued
   * (not yet durable).
   * @param options.base content known to be on the server: its blocks are neither asked about nor sent
   */
  add(
    source: ByteSource,
    options: { readonly profile: ChunkProfile; readonly base?: FileContent | null },
  ): Promise<FileContent>;
  /** Resolves when everything added so far is durable on the server. Throws what went wrong since. */
  flush(): Promise<void>;
  abort(): void;
  /** Bytes of packs that the server acknowledged. */
  readonly sentBytes: number;
  /** Plain bytes that the server had already. */
  readonly skippedBytes: number;
}

interface QueuedBlock {
  readonly blockId: BlockId;
  readonly kind: BlockKind;
  readonly plain: Uint8Array;
}

export function createUpload(
  api: Api,
  platform: ContentPlatform,
  spaceId: SpaceId,
  reader: BlockReader,
  options: UploadOptions = {},
): Upload {
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const known = createKnownBlocks();
  let batch: QueuedBlock[] = [];
  let batchBytes = 0;
  let sealedBatches = 0;
  /** Settles when every batch sealed so far is encoded and handed to the wire. Never rejects. */
  let encoded: Promise<void> = Promise.resolve();
  const inFlight = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | null = null;
  let waiters: (() => void)[] = [];
  let sentBytes = 0;
  let skippedBytes = 0;

  function wake(): void {
    const woken = waiters;
    waiters = [];
    for (const waiter of woken) waiter();
  }

  function fail(error: unknown): void {
    failure ??= { error };
    stop.abort(error);
    wake();
  }

  function check(): void {
    if (failure !== null) throw failure.error;
    if (signal.aborted)
      throw new CairnError('cancelled', 'the upload was cancelled', { cause: signal.reason });
  }

  async function waitUntil(holds: () => boolean): Promise<void> {
    for (;;) {
      check();
      if (holds()) return;
      await new Promise<void>((resolve) => waiters.push(resolve));
    }
  }

  async function findMissing(blocks: readonly QueuedBlock[]): Promise<Set<BlockId>> {
    const answer = await api.ask(
      {
        method: 'POST',
        path: apiPath`/spaces/${spaceId}/blocks/missing`,
        json: { blockIds: blocks.map((block) => block.blockId) },
        signal,
        retry: UPLOAD_RETRY,
      },
      missingBlocksResponseSchema,
    );
    return new Set(answer.missing);
  }

  async function sendPack(blocks: readonly StoredBlock[]): Promise<void> {
    // The server takes a manifest block only when it has its children: in this pack before it, or acknowledged.
    const alone = blocks.some((block) => block.kind === 'manifest');
    await waitUntil(() => inFlight.size < (alone ? 1 : PACKS_IN_FLIGHT));
    const size = packBytes(blocks);
    const sending: Promise<void> = api
      .ask(
        {
          method: 'POST',
          path: apiPath`/spaces/${spaceId}/packs`,
          body: encodePack(blocks),
          headers: { 'content-type': MEDIA_TYPES.pack },
          signal,
          retry: UPLOAD_RETRY,
        },
        storedBlocksResponseSchema,
      )
      .then(() => {
        sentBytes += size;
        options.onProgress?.(sentBytes);
      })
      .catch(fail)
      .finally(() => {
        inFlight.delete(sending);
        wake();
      });
    inFlight.add(sending);
  }

  /** Hands the missing blocks to the wire; resolves when the last pack of the batch is under way. */
  async function sendBatch(blocks: readonly QueuedBlock[], question: Promise<Set<BlockId>>): Promise<void> {
    const missing = await question;
    let pack: StoredBlock[] = [];
    let packSize = 0;
    for (const { blockId, kind, plain } of blocks) {
      if (!missing.has(blockId)) {
        skippedBytes += plain.length;
        continue;
      }
      const stored = encodeNamedBlock(platform, blockId, kind, plain, { keep: true });
      pack.push(stored);
      packSize += stored.payload.length;
      if (packSize >= PACK_BYTES) {
        await sendPack(pack);
        pack = [];
        packSize = 0;
      }
    }
    if (pack.length > 0) await sendPack(pack);
  }

  function seal(): void {
    if (batch.length === 0) return;
    const blocks = batch;
    batch = [];
    batchBytes = 0;
    sealedBatches++;
    // Asked at once, so that the answer is there when the batches before it are on their way.
    const question = findMissing(blocks);
    question.catch(fail);
    encoded = encoded
      .then(() => sendBatch(blocks, question))
      .catch(fail)
      .finally(() => {
        sealedBatches--;
        wake();
      });
  }

  async function queue(block: QueuedBlock, base: ReadonlySet<BlockId>): Promise<void> {
    if (known.has(block.blockId) || base.has(block.blockId)) {
      skippedBytes += block.plain.length;
      return;
    }
    known.add(block.blockId);
    const plain = block.plain.slice();
    await waitUntil(
      () =>
        sealedBatches < MAX_SEALED_BATCHES ||
        (batchBytes + plain.length < BATCH_BYTES && batch.length + 1 < PROTOCOL_LIMITS.maxBlockIds),
    );
    batch.push({ blockId: block.blockId, kind: block.kind, plain });
    batchBytes += plain.length;
    if (batchBytes >= BATCH_BYTES || batch.length >= PROTOCOL_LIMITS.maxBlockIds) seal();
  }

  signal.addEventListener('abort', wake, { once: true });

  return {
    async add(source, { profile, base }) {
      check();
      const baseBlocks = base ? await collectBaseBlocks(api, reader, base, signal) : new Set<BlockId>();
      try {
        return await cutContent(platform, source, {
          profile,
          signal,
          emit: (block) => queue(block, baseBlocks),
        });
      } catch (error) {
        // A failed pack stops the cutting; the pack's error is the one that says why.
        check();
        throw error;
      }
    },
    async flush() {
      seal();
      await encoded;
      // Packs of what is added meanwhile are for the next flush.
      await Promise.all([...inFlight]);
      check();
    },
    abort() {
      fail(new CairnError('cancelled', 'the upload was cancelled'));
    },
    get sentBytes() {
      return sentBytes;
    },
    get skippedBytes() {
      return skippedBytes;
    },
  };
}
