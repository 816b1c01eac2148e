import { type BlockKind, type ContentPlatform, findBlockId, type PlainBlock } from '@cairn/content';
import { type BlockId, isCairnError } from '@cairn/model';
import { type HeldBlock, listPackPieces, PROTOCOL_LIMITS } from '@cairn/protocol';
import { readHeld } from './body-pieces.ts';
import type { Batch, EncodedBatch, Rechecked } from './upload-batch.ts';

/** Twice a batch in memory: it takes none, and browsers send few large bodies faster than many small ones. */
const BATCH_BYTES = 8 * 1024 * 1024;
/** Smaller blocks are copied: opening a file for each costs more than that. */
const MIN_HELD_BYTES = 32 * 1024;
const MAX_COPIED_BYTES = 1024 * 1024;
const MAX_BLOCKS = Math.min(PROTOCOL_LIMITS.maxBlockIds, PROTOCOL_LIMITS.maxPackBlocks);

type Payload = Uint8Array<ArrayBuffer> | Blob;
type Gathered = HeldBlock<Payload> & { readonly kind: BlockKind };

/**
 * Blocks of files that the transport reads itself when it sends them, so that they take no memory here; what it sends is
 * not compressed.
 */
export class HeldBatch implements Batch {
  readonly #blocks: Gathered[] = [];
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

  add({ blockId, kind, plain }: PlainBlock, hold: (() => Blob) | null): void {
    const isHeld = hold !== null && plain.length >= MIN_HELD_BYTES;
    const payload = isHeld ? hold() : new Uint8Array(plain);
    this.#blocks.push({ blockId, kind, payloadBytes: plain.length, payload });
    this.#totalBytes += plain.length;
    if (!isHeld) this.#copiedBytes += plain.length;
  }

  encode(platform: ContentPlatform, missing: ReadonlySet<BlockId>): EncodedBatch {
    const wanted = this.#blocks.filter(({ blockId }) => missing.has(blockId));
    const wantedBytes = wanted.reduce((sum, { payloadBytes }) => sum + payloadBytes, 0);
    return {
      pack: wanted.length === 0 ? null : listPackPieces<Payload>(wanted),
      hasManifests: wanted.some(({ kind }) => kind === 'manifest'),
      skippedBytes: this.#totalBytes - wantedBytes,
      recheck: ({ withManifests }) => recheck(platform, wanted, withManifests),
    };
  }
}

/** The pack of those blocks whose bytes are still what their ids name, now in memory, and the ids of the others. */
async function recheck(
  platform: ContentPlatform,
  blocks: readonly Gathered[],
  withManifests: boolean,
): Promise<Rechecked> {
  const intact: HeldBlock<Uint8Array<ArrayBuffer>>[] = [];
  const gone: BlockId[] = [];
  for (const block of blocks) {
    const payload = block.kind === 'manifest' && !withManifests ? null : await read(block.payload);
    const isIntact = payload !== null && (await findBlockId(platform, block.kind, payload)) === block.blockId;
    if (isIntact) intact.push({ ...block, payload });
    else gone.push(block.blockId);
  }
  return { pack: intact.length === 0 ? null : listPackPieces(intact), gone };
}

/** `null`: the file has changed or is gone, which reading it from its beginning will tell. */
async function read(payload: Payload): Promise<Uint8Array<ArrayBuffer> | null> {
  if (!(payload instanceof Blob)) return payload;
  try {
    return await readHeld(payload);
  } catch (error) {
    if (isCairnError(error, 'local-changed')) return null;
    throw error;
  }
}
