import {
  BLOCK_ID_BYTES,
  blockKindOf,
  decodeBlockId,
  encodeBlockId,
  isBlockId,
  MAX_BLOCK_BYTES,
} from '@cairn/model';
import {
  BLOCK_HEADER_BYTES,
  ID_OFFSET,
  PAYLOAD_BYTES_OFFSET,
  type PackBlock,
  type PackRecord,
  PLAIN_BYTES_OFFSET,
  packError,
} from './pack-format.ts';

export type BlockHeader = Omit<PackBlock, 'payload'> & { readonly payloadBytes: number };
export type RecordHeader = Omit<PackRecord, 'payload'> & { readonly payloadBytes: number };

const KINDS = ['chunk', 'manifest'] as const;
const CODECS = ['raw', 'zstd', 'delta'] as const;

/** What a header says; of the payload only how long it is. */
type Described = Omit<PackRecord, 'payload'> & { readonly payload: { readonly length: number } };

/** The 43 bytes in front of a block's payload. */
export function encodeBlockHeader(block: Described): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(BLOCK_HEADER_BYTES);
  writeBlockHeader(header, new DataView(header.buffer), 0, block);
  return header;
}

/** Writes those bytes at `offset`; `view` is on all of `into`. */
export function writeBlockHeader(into: Uint8Array, view: DataView, offset: number, block: Described): void {
  into[offset] = KINDS.indexOf(block.kind);
  into[offset + 1] = CODECS.indexOf(block.codec);
  into.set(encodeBlockId(block.blockId), offset + ID_OFFSET);
  view.setUint32(offset + PLAIN_BYTES_OFFSET, block.plainBytes, true);
  view.setUint32(offset + PAYLOAD_BYTES_OFFSET, block.payload.length, true);
}

/** Reads and checks a block's header: `bytes` holds exactly its 43 bytes. Throws `bad-request`, `too-large`. */
export function parseBlockHeader(bytes: Uint8Array): BlockHeader {
  const header = parseRecordHeader(bytes);
  const { codec, ...rest } = header;
  if (codec === 'delta') throw packError('malformed', 'the pack names an unknown codec');
  return { ...rest, codec };
}

/** As {@link parseBlockHeader}, where a delta may stand for the block. */
export function parseRecordHeader(bytes: Uint8Array): RecordHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = KINDS[view.getUint8(0)];
  const codec = CODECS[view.getUint8(1)];
  const blockId = decodeBlockId(bytes.subarray(ID_OFFSET, ID_OFFSET + BLOCK_ID_BYTES));
  const plainBytes = view.getUint32(PLAIN_BYTES_OFFSET, true);
  const payloadBytes = view.getUint32(PAYLOAD_BYTES_OFFSET, true);
  if (kind === undefined) throw packError('malformed', 'the pack names an unknown kind of block');
  if (codec === undefined) throw packError('malformed', 'the pack names an unknown codec');
  if (!isBlockId(blockId)) throw packError('malformed', 'the pack names a block id of an unknown algorithm');
  if (blockKindOf(blockId) !== kind) {
    throw packError('malformed', 'the pack has a block that is not of the kind that its id says');
  }
  if (plainBytes > MAX_BLOCK_BYTES) throw packError('too-large', 'the pack has a block that is too large');
  if (plainBytes === 0) throw packError('malformed', 'the pack has an empty block');
  // A codec that does not shrink is not used, so a payload is never longer than what it stands for.
  if (payloadBytes > plainBytes || (codec === 'raw' && payloadBytes !== plainBytes)) {
    throw packError('malformed', 'the pack has a block whose lengths do not fit each other');
  }
  return { kind, codec, blockId, plainBytes, payloadBytes };
}
