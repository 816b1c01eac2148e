import { PROTOCOL_LIMITS } from '../constants.ts';
import { parseBlockHeader, parseRecordHeader, type RecordHeader } from './block-header.ts';
import { ByteQueue } from './byte-queue.ts';
import {
  BLOCK_HEADER_BYTES,
  DELTA_MAGIC,
  END_BYTES,
  END_MARKER,
  MAGIC,
  type PackBlock,
  type PackRecord,
  packError,
  TABLE_COUNT_BYTES,
  TABLE_MAGIC,
} from './pack-format.ts';

function isMagic(magic: Uint8Array, bytes: Uint8Array): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}

function checkMagic(bytes: Uint8Array, magic: Uint8Array = MAGIC): void {
  if (!isMagic(magic, bytes)) throw packError('malformed', 'this is not a pack');
}

function checkEnd(bytes: Uint8Array, count: number): void {
  const stated = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(1, true);
  if (stated !== count) throw packError('malformed', 'the pack states another number of blocks than it has');
}

/**
 * All blocks of one pack of either form without deltas, in order. Payloads are views of `bytes`. Lengths and forms are
 * checked, hashes are not. Throws `bad-request` for anything that is not exactly one whole pack, `too-large` over 16 MiB,
 * 4096 blocks or 32 MiB of plain bytes.
 */
export function decodePack(bytes: Uint8Array): PackBlock[] {
  return decodeRecords(bytes, false) as PackBlock[];
}

/** As {@link decodePack}, of any form: deltas may stand for blocks. What plain bytes they make is counted, too. */
export function decodeDeltaPack(bytes: Uint8Array): PackRecord[] {
  return decodeRecords(bytes, true);
}

function decodeRecords(bytes: Uint8Array, takesDeltas: boolean): PackRecord[] {
  if (bytes.length > PROTOCOL_LIMITS.maxPackBytes) throw packError('too-large', 'the pack is too large');
  let position = 0;
  let headers = 0;
  let plainBytes = 0;

  function take(count: number): Uint8Array {
    if (position + count > bytes.length) throw packError('truncated', 'the pack is cut off');
    position += count;
    return bytes.subarray(position - count, position);
  }
  function takeHeader(parse: (bytes: Uint8Array) => RecordHeader = parseBlockHeader): RecordHeader {
    if (++headers > PROTOCOL_LIMITS.maxPackBlocks)
      throw packError('too-large', 'the pack has too many blocks');
    const header = parse(take(BLOCK_HEADER_BYTES));
    plainBytes += header.plainBytes;
    if (plainBytes > PROTOCOL_LIMITS.maxPackPlainBytes)
      throw packError('too-large', 'the pack stands for too many bytes');
    return header;
  }
  const takePayload = ({ payloadBytes, ...block }: RecordHeader): PackRecord => ({
    ...block,
    payload: take(payloadBytes),
  });
  function takeFramed(parse: (bytes: Uint8Array) => RecordHeader): PackRecord[] {
    const blocks: PackRecord[] = [];
    for (;;) {
      if (position >= bytes.length) throw packError('truncated', 'the pack is cut off');
      if (bytes[position] === END_MARKER) break;
      blocks.push(takePayload(takeHeader(parse)));
    }
    checkEnd(take(END_BYTES), blocks.length);
    return blocks;
  }
  function takeTable(): PackRecord[] {
    const stated = take(TABLE_COUNT_BYTES);
    const count = new DataView(stated.buffer, stated.byteOffset, stated.byteLength).getUint32(0, true);
    if (count > PROTOCOL_LIMITS.maxPackBlocks) throw packError('too-large', 'the pack has too many blocks');
    return Array.from({ length: count }, () => takeHeader()).map(takePayload);
  }

  const magic = take(MAGIC.length);
  const isTable = isMagic(TABLE_MAGIC, magic);
  const mayHaveDeltas = takesDeltas && isMagic(DELTA_MAGIC, magic);
  if (!isTable && !mayHaveDeltas) checkMagic(magic);
  const blocks = isTable ? takeTable() : takeFramed(mayHaveDeltas ? parseRecordHeader : parseBlockHeader);
  if (position !== bytes.length) throw packError('malformed', 'something follows the pack');
  return blocks;
}

/**
 * The blocks of a download as they arrive; payloads are in memory of their own, or that `allocate` gives. A stream that ends before its end
 * marker throws `bad-request` with `details.problem` `truncated` after the blocks that did arrive. At most one
 * block and the pieces as they come are held.
 * @param options.maxBlocks more blocks than this are `too-large`
 * @param options.allocate gives memory of just so many bytes, at most those of a block, for the payload of this block
 */
export function decodePackStream(
  pieces: AsyncIterable<Uint8Array>,
  options: {
    readonly maxBlocks?: number;
    readonly allocate?: ((sizeBytes: number, block: Omit<PackBlock, 'payload'>) => Uint8Array) | undefined;
  } = {},
): AsyncGenerator<PackBlock> {
  const maxBlocks = options.maxBlocks ?? PROTOCOL_LIMITS.maxPackBlocks;
  return decodeStream(pieces, maxBlocks, MAGIC, parseBlockHeader, options.allocate);
}

/** As {@link decodePackStream}, of the form that may have deltas. */
export function decodeDeltaStream(
  pieces: AsyncIterable<Uint8Array>,
  options: { readonly maxBlocks: number },
): AsyncGenerator<PackRecord> {
  return decodeStream(pieces, options.maxBlocks, DELTA_MAGIC, parseRecordHeader);
}

async function* decodeStream<Header extends RecordHeader>(
  pieces: AsyncIterable<Uint8Array>,
  maxBlocks: number,
  magic: Uint8Array,
  parse: (bytes: Uint8Array) => Header,
  allocate?: (sizeBytes: number, block: Omit<Header, 'payloadBytes'>) => Uint8Array,
): AsyncGenerator<Omit<Header, 'payloadBytes'> & { readonly payload: Uint8Array }> {
  const queue = new ByteQueue(pieces);
  try {
    checkMagic(await queue.take(magic.length), magic);
    let count = 0;
    for (;;) {
      if ((await queue.peek()) === END_MARKER) break;
      if (count >= maxBlocks) throw packError('too-large', 'the answer has more blocks than were asked for');
      const { payloadBytes, ...block } = parse(await queue.take(BLOCK_HEADER_BYTES));
      const payload = await queue.take(
        payloadBytes,
        allocate === undefined ? undefined : (sizeBytes) => allocate(sizeBytes, block),
      );
      count++;
      yield { ...block, payload };
    }
    checkEnd(await queue.take(END_BYTES), count);
    await queue.expectEnd();
  } finally {
    await queue.close();
  }
}
