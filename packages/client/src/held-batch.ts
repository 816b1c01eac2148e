import { type BlockKind, type ContentPlatform, findBlockId, type PlainBlock } from '@cairn/content';
import { type BlockId, isCairnError } from '@cairn/model';
import { encodePackTable, type NamedPayload, PROTOCOL_LIMITS } from '@cairn/protocol';
import { readHeld } from './body-pieces.ts';
import type { BodyPiece } from './transport.ts';
import type { Batch, EncodedBatch, HeldBytes, HeldSource, Rechecked } from './upload-batch.ts';

/** Twice a batch in memory: it takes none, and browsers send few large bodies faster than many small ones. */
const BATCH_BYTES = 8 * 1024 * 1024;
/** Smaller blocks are copied: opening a file for each costs more than that. */
export const MIN_HELD_BYTES = 32 * 1024;
const MAX_COPIED_BYTES = 1024 * 1024;
const MAX_BLOCKS = Math.min(PROTOCOL_LIMITS.maxBlockIds, PROTOCOL_LIMITS.maxPackBlocks);

type Gathered = NamedPayload & {
  readonly kind: BlockKind;
  readonly payload: Uint8Array<ArrayBuffer> | HeldBytes;
};
type Taken = NamedPayload & { readonly payload: Uint8Array<ArrayBuffer> };

/**
 * Blocks of files that the transport reads itself when it sends them, so that they take no memory here; what it sends is
 * not compressed.
 */
export class HeldBatch implements Batch {
  readonly #blocks: Gathered[] = [];
  /** To make a delta, a block would have to be in memory. */
  readonly hinted = [];
  #totalBytes = 0;
  #copiedBytes = 0;

  get blockIds(): BlockId[] {
    return this.#blocks.map(({ blockId }) => blockId);
  }

  hasRoomFor(sizeBytes: number): boolean {
    if (this.#blocks.length === 0) return true;
    const copied = sizeBytes < MIN_HELD_BYTES ? sizeBytes : 0;
    return (
      this.#totalBytes + sizeBytes <= BATCH_BYTES &&
      this.#copiedBytes + copied <= MAX_COPIED_BYTES &&
      this.#blocks.length < MAX_BLOCKS
    );
  }

  add({ blockId, kind, plain }: PlainBlock, held: HeldBytes | null): void {
    const isHeld = held !== null && plain.length >= MIN_HELD_BYTES;
    const payload = isHeld ? held : new Uint8Array(plain);
    this.#blocks.push({ blockId, kind, payloadBytes: plain.length, payload });
    this.#totalBytes += plain.length;
    if (!isHeld) this.#copiedBytes += plain.length;
  }

  encode(platform: ContentPlatform, missing: ReadonlySet<BlockId>): EncodedBatch {
    const wanted = this.#blocks.filter(({ blockId }) => missing.has(blockId));
    const wantedBytes = wanted.reduce((sum, { payloadBytes }) => sum + payloadBytes, 0);
    return {
      pack: wanted.length === 0 ? null : packOf(wanted),
      hasManifests: wanted.some(({ kind }) => kind === 'manifest'),
      skippedBytes: this.#totalBytes - wantedBytes,
      recheck: ({ withManifests }) => recheck(platform, wanted, withManifests),
    };
  }
}

/** What is side by side in a file is sent as one: a browser opens it anew for each piece. */
function packOf(blocks: readonly (Gathered | Taken)[]): BodyPiece[] {
  const pieces: BodyPiece[] = [encodePackTable(blocks)];
  let run: { readonly source: HeldSource; readonly start: number; end: number } | null = null;
  const endRun = (): void => {
    if (run !== null) pieces.push(run.source.hold(run.start, run.end));
    run = null;
  };
  for (const { payload, payloadBytes } of blocks) {
    if (payload instanceof Uint8Array) {
      endRun();
      pieces.push(payload);
    } else if (run !== null && run.source === payload.source && run.end === payload.start) {
      run.end += payloadBytes;
    } else {
      endRun();
      run = { ...payload, end: payload.start + payloadBytes };
    }
  }
  endRun();
  return pieces;
}

/** The pack of those blocks whose bytes are still what their ids name, now in memory, and the ids of the others. */
async function recheck(
  platform: ContentPlatform,
  blocks: readonly Gathered[],
  withManifests: boolean,
): Promise<Rechecked> {
  const intact: Taken[] = [];
  const gone: BlockId[] = [];
  for (const block of blocks) {
    const payload = block.kind === 'manifest' && !withManifests ? null : await read(block);
    const isIntact = payload !== null && (await findBlockId(platform, block.kind, payload)) === block.blockId;
    if (isIntact) intact.push({ ...block, payload });
    else gone.push(block.blockId);
  }
  return { pack: intact.length === 0 ? null : packOf(intact), gone };
}

/** `null`: the file has changed or is gone, which reading it from its beginning will tell. */
async function read({ payload, payloadBytes }: Gathered): Promise<Uint8Array<ArrayBuffer> | null> {
  if (payload instanceof Uint8Array) return payload;
  try {
    return await readHeld(payload.source.hold(payload.start, payload.start + payloadBytes));
  } catch (error) {
    if (isCairnError(error, 'local-changed')) return null;
    throw error;
  }
}
