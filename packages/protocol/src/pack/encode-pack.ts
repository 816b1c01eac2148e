import { PROTOCOL_LIMITS } from '../constants.ts';
import { encodeBlockHeader, writeBlockHeader } from './block-header.ts';
import {
  BLOCK_HEADER_BYTES,
  DELTA_MAGIC,
  END_BYTES,
  END_MARKER,
  MAGIC,
  type PackBlock,
  type PackRecord,
  packError,
} from './pack-format.ts';

/** Payloads from this size on are passed on as they are instead of being copied together; far less than what is gathered. */
const COPY_BELOW_BYTES = 16 * 1024;
const GATHER_BYTES = 64 * 1024;

/** What closes a pack of `count` blocks. */
export function encodeEnd(count: number): Uint8Array<ArrayBuffer> {
  const end = new Uint8Array(END_BYTES);
  writeEnd(new DataView(end.buffer), 0, count);
  return end;
}

/** Writes that at `offset`. */
export function writeEnd(view: DataView, offset: number, count: number): void {
  view.setUint8(offset, END_MARKER);
  view.setUint32(offset + 1, count, true);
}

/** Bytes that the blocks take as a pack. */
export function packBytes(blocks: readonly PackRecord[]): number {
  let total = MAGIC.length + END_BYTES;
  for (const block of blocks) total += BLOCK_HEADER_BYTES + block.payload.length;
  return total;
}

/**
 * The pieces of one pack, to be sent one after the other; payloads are not copied.
 * Throws `too-large` over 16 MiB, 4096 blocks or 32 MiB of plain bytes.
 */
export function encodePack(blocks: readonly PackBlock[]): Uint8Array[] {
  return encodeRecords(blocks, MAGIC);
}

/** As {@link encodePack}, for who takes deltas. */
export function encodeDeltaPack(records: readonly PackRecord[]): Uint8Array[] {
  return encodeRecords(records, DELTA_MAGIC);
}

function encodeRecords(blocks: readonly PackRecord[], magic: Uint8Array): Uint8Array[] {
  const plainBytes = blocks.reduce((sum, block) => sum + block.plainBytes, 0);
  const fits =
    blocks.length <= PROTOCOL_LIMITS.maxPackBlocks &&
    packBytes(blocks) <= PROTOCOL_LIMITS.maxPackBytes &&
    plainBytes <= PROTOCOL_LIMITS.maxPackPlainBytes;
  if (!fits) {
    throw packError('too-large', 'these blocks are too many for one pack');
  }
  const pieces: Uint8Array[] = [magic];
  for (const block of blocks) pieces.push(encodeBlockHeader(block), block.payload);
  pieces.push(encodeEnd(blocks.length));
  return pieces;
}

/**
 * A download: the same framing as a pack without its limit on the whole. Gives what is to be sent together; it stays as it is
 * only until the next is asked for, and a block need not stay longer than until then either.
 */
export function encodePackStream(blocks: AsyncIterable<PackBlock>): AsyncGenerator<readonly Uint8Array[]> {
  return encodeStream(blocks, MAGIC);
}

/** As {@link encodePackStream}, for who takes deltas. */
export function encodeDeltaStream(records: AsyncIterable<PackRecord>): AsyncGenerator<readonly Uint8Array[]> {
  return encodeStream(records, DELTA_MAGIC);
}

async function* encodeStream(
  blocks: AsyncIterable<PackRecord>,
  magic: Uint8Array,
): AsyncGenerator<readonly Uint8Array[]> {
  const gathered = new Uint8Array(GATHER_BYTES);
  const view = new DataView(gathered.buffer);
  gathered.set(magic);
  let position = magic.length;
  let count = 0;

  function takeGathered(): Uint8Array {
    const taken = gathered.subarray(0, position);
    position = 0;
    return taken;
  }

  for await (const block of blocks) {
    count++;
    const { payload } = block;
    const isSmall = payload.length < COPY_BELOW_BYTES;
    const neededBytes = BLOCK_HEADER_BYTES + (isSmall ? payload.length : 0);
    if (position + neededBytes > GATHER_BYTES) yield [takeGathered()];
    writeBlockHeader(gathered, view, position, block);
    position += BLOCK_HEADER_BYTES;
    if (isSmall) {
      gathered.set(payload, position);
      position += payload.length;
    } else yield [takeGathered(), payload];
  }
  if (position + END_BYTES > GATHER_BYTES) yield [takeGathered()];
  writeEnd(view, position, count);
  position += END_BYTES;
  yield [takeGathered()];
}
