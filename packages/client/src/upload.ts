import { type ByteSource, type ContentPlatform, cutContent, type PlainBlock } from '@cairn/content';
import {
  type AnnouncedFile,
  type BlockId,
  CairnError,
  type ChunkProfile,
  type ErrorCode,
  type FileContent,
  isCairnError,
  type SpaceId,
} from '@cairn/model';
import { MEDIA_TYPES, missingBlocksResponseSchema, storedBlocksResponseSchema } from '@cairn/protocol';
import { createAnnouncer } from './announcer.ts';
import { type Api, apiPath } from './api.ts';
import { type BaseVersion, readBaseVersion } from './base-blocks.ts';
import type { BufferShare } from './batch-buffers.ts';
import type { BlockReader } from './block-reader.ts';
import { pieceBytes } from './body-pieces.ts';
import { HeldBatch } from './held-batch.ts';
import { createKnownBlocks } from './known-blocks.ts';
import { DEFAULT_RETRY, type RetryPolicy } from './retry.ts';
import type { BodyPiece } from './transport.ts';
import { type Batch, type EncodedBatch, type HeldSource, UploadBatch } from './upload-batch.ts';
import type { BatchDeltas, DeltaHint, DeltaTally, UploadDeltas } from './upload-deltas.ts';

/** Most of its life a pack waits for the server to have flushed it twice, and for the other packs there. */
const PACKS_IN_FLIGHT = 4;
/** Batches that were asked about and are not on their way yet; those in memory also wait for a buffer. */
const MAX_SEALED_BATCHES = 3;
/** So little is sent without asking whether the server has it: the question costs a round trip and hardly less. */
const TINY_BATCH_BYTES = 4096;
const UPLOAD_RETRY: RetryPolicy = {
  ...DEFAULT_RETRY,
  attempts: 8,
  maxDelayMs: 10_000,
  maxRetryAfterMs: 60_000,
};
/** How a server answers to deltas that it does not know, cannot make or that do not fit: the whole blocks are sent then. */
const DELTAS_REFUSED: readonly ErrorCode[] = [
  'bad-request',
  'block-wrong',
  'blocks-missing',
  'data-damaged',
  'internal',
  'not-found',
  'too-large',
];

/** A version that the server has, as a new one of the same file is laid beside it. */
interface Base {
  readonly version: BaseVersion;
  readonly tally: DeltaTally;
}

export interface UploadOptions {
  readonly signal?: AbortSignal | undefined;
  onProgress?(sentBytes: number): void;
  /** The one file that will be added: other devices of the account are told how far it has come. */
  readonly announces?: AnnouncedFile | undefined;
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

function canHold(source: ByteSource): source is ByteSource & HeldSource {
  return source.hold !== undefined;
}

export function createUpload(
  api: Api,
  platform: ContentPlatform,
  spaceId: SpaceId,
  reader: BlockReader,
  buffers: BufferShare,
  deltas: UploadDeltas,
  options: UploadOptions = {},
): Upload {
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const known = createKnownBlocks();
  const announcer =
    options.announces === undefined ? null : createAnnouncer(api, spaceId, options.announces, signal);
  let batch: Batch | null = null;
  let batchBytes = 0;
  let sealedBatches = 0;
  /** Settles when every batch sealed so far is encoded and handed to the wire. Never rejects. */
  let encoded: Promise<void> = Promise.resolve();
  const inFlight = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | null = null;
  let waiters: (() => void)[] = [];
  let sentBytes = 0;
  let skippedBytes = 0;
  let hasLost = false;

  /** Only batches in memory have a buffer to share. */
  function give(used: Batch): void {
    if (used instanceof UploadBatch) buffers.give(used.buffer);
  }

  function forget(used: Batch): void {
    if (used instanceof UploadBatch) buffers.forget();
  }

  function wake(): void {
    signal.removeEventListener('abort', wake);
    const woken = waiters;
    waiters = [];
    for (const waiter of woken) waiter();
  }

  function fail(error: unknown): void {
    failure ??= { error };
    if (batch !== null) forget(batch);
    batch = null;
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
      // No longer than somebody waits: the runtime keeps whoever listens to a signal of signals, and so all that it knows.
      if (waiters.length === 0) signal.addEventListener('abort', wake, { once: true });
      await new Promise<void>((resolve) => waiters.push(resolve));
    }
  }

  async function findMissing(blockIds: readonly BlockId[]): Promise<Set<BlockId>> {
    const answer = await api.ask(
      {
        method: 'POST',
        path: apiPath`/spaces/${spaceId}/blocks/missing`,
        json: { blockIds },
        signal,
        retry: UPLOAD_RETRY,
      },
      missingBlocksResponseSchema,
    );
    deltas.note(answer.deltas === true);
    return new Set(answer.missing);
  }

  async function sendPack(pack: readonly BodyPiece[]): Promise<void> {
    await api.ask(
      {
        method: 'POST',
        path: apiPath`/spaces/${spaceId}/packs`,
        body: pack,
        headers: { 'content-type': MEDIA_TYPES.pack },
        signal,
        retry: UPLOAD_RETRY,
      },
      storedBlocksResponseSchema,
    );
    sentBytes += pack.reduce((sum, piece) => sum + pieceBytes(piece), 0);
    options.onProgress?.(sentBytes);
  }

  function roomFor({ hasManifests }: EncodedBatch): number {
    return hasManifests ? 1 : PACKS_IN_FLIGHT;
  }

  /**
   * What a file's bytes are when they are sent may not be what they were when they were named. The rest goes without them; the
   * changeset that needs them is refused, and its file is read again.
   */
  async function sendEncoded({ pack, whole, recheck }: EncodedBatch): Promise<void> {
    if (whole !== undefined && pack !== null) {
      try {
        return await sendPack(pack);
      } catch (error) {
        if (!isCairnError(error, ...DELTAS_REFUSED)) throw error;
        api.environment.log.debug('upload.deltas-refused', { code: error.code });
        return await sendPack(whole());
      }
    }
    let rest = pack;
    let withManifests = true;
    let lost = 0;
    while (rest !== null) {
      try {
        return await sendPack(rest);
      } catch (error) {
        if (recheck === undefined) throw error;
        // Manifests of a file that lost a chunk are of no use to anybody; it may have been in this very pack.
        const isOrphaned = hasLost && withManifests && isCairnError(error, 'blocks-missing');
        if (!isOrphaned && !isCairnError(error, 'local-changed', 'block-wrong')) throw error;
        if (isOrphaned) withManifests = false;
        const checked = await recheck({ withManifests });
        // All is still what it was: sending it again would have the same answer.
        if (checked.gone.length <= lost) throw error;
        lost = checked.gone.length;
        hasLost = true;
        for (const blockId of checked.gone) known.remove(blockId);
        rest = checked.pack;
      }
    }
  }

  /** Hands what the server lacks of a batch to the wire; resolves when that is under way. */
  async function sendBatch(
    sealed: Batch,
    question: Promise<Set<BlockId>>,
    prepared: Promise<BatchDeltas | null>,
  ): Promise<void> {
    let encoded: EncodedBatch;
    const { blockIds } = sealed;
    try {
      const missing = await question;
      encoded = sealed.encode(platform, missing, await prepared);
      announcer?.stored(blockIds.filter((blockId) => !missing.has(blockId)));
      skippedBytes += encoded.skippedBytes;
      // The server takes a manifest block only when it has its children: in this pack before it, or acknowledged.
      if (encoded.pack !== null) await waitUntil(() => inFlight.size < roomFor(encoded));
    } catch (error) {
      forget(sealed);
      throw error;
    }
    if (encoded.pack === null) {
      give(sealed);
      return;
    }
    const sending: Promise<void> = sendEncoded(encoded)
      // Answered, so read to its end: nobody needs the memory any more.
      .then(() => {
        give(sealed);
        announcer?.stored(blockIds);
      })
      .catch((error) => {
        // A broken connection may still hold it.
        forget(sealed);
        fail(error);
      })
      .finally(() => {
        inFlight.delete(sending);
        wake();
      });
    inFlight.add(sending);
  }

  function seal(): void {
    const sealed = batch;
    if (sealed === null) return;
    batch = null;
    sealedBatches++;
    // Asked at once, so that the answer is there when the batches before it are on their way.
    const isTiny = batchBytes <= TINY_BATCH_BYTES;
    const question = isTiny ? Promise.resolve(new Set(sealed.blockIds)) : findMissing(sealed.blockIds);
    question.catch(fail);
    const prepared = deltas.prepare(sealed.hinted, question, signal);
    prepared.catch(fail);
    encoded = encoded
      .then(() => sendBatch(sealed, question, prepared))
      .catch(fail)
      .finally(() => {
        sealedBatches--;
        wake();
      });
  }

  /** Puts the block into the batch that is being filled; `false` when it has to wait for another one. */
  function gather(block: PlainBlock, source: ByteSource, hint: DeltaHint | null): boolean {
    const isHeld = canHold(source);
    const fits = batch?.hasRoomFor(block.plain.length) === true;
    if (batch !== null && !(fits && batch instanceof HeldBatch === isHeld)) seal();
    if (batch === null) {
      if (sealedBatches >= MAX_SEALED_BATCHES) return false;
      const made = isHeld ? new HeldBatch() : makeBatch();
      if (made === null) return false;
      batch = made;
      batchBytes = 0;
    }
    known.add(block.blockId);
    batchBytes += block.plain.length;
    const { position } = block;
    batch.add(block, isHeld && position !== undefined ? { source, start: position } : null, hint);
    return true;
  }

  function makeBatch(): Batch | null {
    const buffer = buffers.take();
    return buffer === null ? null : new UploadBatch(buffers, buffer);
  }

  function queue(block: PlainBlock, source: ByteSource, base: Base | null): void | Promise<void> {
    check();
    // Those of the next version are asked for when that is uploaded, and need not be read back then.
    if (block.kind === 'manifest') reader.keepManifest(block.blockId, block.plain);
    const place = base?.version.placeBlock(block) ?? null;
    const isOld = base?.version.has(block.blockId) === true;
    // What the version before has is on the other devices, too.
    if (isOld) announcer?.copied(block);
    else announcer?.cut(block);
    if (known.has(block.blockId) || isOld) {
      skippedBytes += block.plain.length;
      return;
    }
    const hint = base && place && { ...place, tally: base.tally };
    if (!gather(block, source, hint))
      return waitUntil(() => known.has(block.blockId) || gather(block, source, hint));
  }

  return {
    async add(source, { profile, base }) {
      check();
      const older = base
        ? { version: await readBaseVersion(api, reader, base, signal), tally: { vain: 0 } }
        : null;
      if (base && older !== null) announcer?.expectEdit(base.contentId, older.version.chunks);
      try {
        const content = await cutContent(platform, source, {
          profile,
          signal,
          emit: (block) => queue(block, source, older),
        });
        older?.version.end();
        return content;
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
      announcer?.end();
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
