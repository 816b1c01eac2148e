import {
  BLOCK_ID_BYTES,
  type BlockId,
  blockKindOf,
  CairnError,
  decodeBlockId,
  encodeBlockId,
  isStoredId,
  MAX_BLOCK_BYTES,
} from '@cairn/model';
import type { Allocate } from '../pack/byte-queue.ts';
import type { PackBlock } from '../pack/pack-format.ts';
import { type ByteSource, sourceOfPieces } from './byte-source.ts';

/*
 * How blocks travel between a server and a storage node. A frame: u8 status (0 block, 1 absent, 2 damaged), u8 codec,
 * 33-byte id, u32le plain bytes, u32le payload bytes, u32le number, payload. Absent and damaged ones have lengths of 0.
 * The number is the generation above which a block is to be written, or that it has. A stream ends with status 255 and
 * the count of frames as u32le, so that one that was cut off is an error and not a shorter list.
 */
const STATUSES = ['block', 'absent', 'damaged'] as const;
const CODECS = ['raw', 'zstd'] as const;
export const FRAME_HEADER_BYTES = 2 + BLOCK_ID_BYTES + 12;
const PLAIN_AT = 2 + BLOCK_ID_BYTES;
const END = 0xff;
const END_BYTES = 5;
const LOCATION_BYTES = BLOCK_ID_BYTES + 8;

export const NODE_LIMITS = {
  /** Of one request or answer, but for a single larger block. */
  maxBodyBytes: 24 * 1024 * 1024,
  maxBlocks: 4096,
  maxDeletes: 256,
  /** Locations of one page of a list. */
  pageBlocks: 4096,
} as const;

/** A block, or what the node says instead of it. */
export type NodeFrame =
  | { readonly status: 'block'; readonly block: PackBlock; readonly number: number }
  | { readonly status: 'absent' | 'damaged'; readonly blockId: BlockId; readonly number: number };

function malformed(what: string): CairnError {
  return new CairnError('bad-request', `${what}; both sides must run the same version of Cairn`);
}

/** One frame as its header and, for a block, the payload itself (not copied). */
export function encodeFrame(frame: NodeFrame): Uint8Array[] {
  const header = new Uint8Array(FRAME_HEADER_BYTES);
  const view = new DataView(header.buffer);
  header[0] = STATUSES.indexOf(frame.status);
  view.setUint32(PLAIN_AT + 8, frame.number, true);
  if (frame.status !== 'block') {
    header.set(encodeBlockId(frame.blockId), 2);
    return [header];
  }
  const { blockId, codec, plainBytes, payload } = frame.block;
  header[1] = CODECS.indexOf(codec);
  header.set(encodeBlockId(blockId), 2);
  view.setUint32(PLAIN_AT, plainBytes, true);
  view.setUint32(PLAIN_AT + 4, payload.length, true);
  return payload.length === 0 ? [header] : [header, payload];
}

/** What follows the last frame. */
export function encodeEnd(count: number): Uint8Array {
  const end = new Uint8Array(END_BYTES);
  end[0] = END;
  new DataView(end.buffer).setUint32(1, count, true);
  return end;
}

export interface DecodeFramesOptions {
  /** {@link NODE_LIMITS} unless told. */
  readonly maxBlocks?: number;
  /** Memory for payloads; each has its own unless told. */
  readonly allocate?: Allocate;
}

async function fillWhole(source: ByteSource, into: Uint8Array): Promise<void> {
  if ((await source.fill(into)) < into.length) throw malformed('a list of blocks is cut off');
}

/**
 * Frames as they arrive.
 * @throws CairnError `bad-request` for what is cut off or is no frame, `too-large` for more than `maxBlocks`
 */
export async function* decodeFrames(
  from: ByteSource | AsyncIterable<Uint8Array>,
  options: DecodeFramesOptions = {},
): AsyncGenerator<NodeFrame> {
  const maxBlocks = options.maxBlocks ?? NODE_LIMITS.maxBlocks;
  const allocate = options.allocate ?? ((sizeBytes) => new Uint8Array(sizeBytes));
  const source = 'fill' in from ? from : sourceOfPieces(from);
  const header = new Uint8Array(FRAME_HEADER_BYTES);
  const view = new DataView(header.buffer);
  try {
    for (let count = 0; ; ) {
      // Whether it is a frame or the end shows in the first byte; either has as many as this.
      await fillWhole(source, header.subarray(0, END_BYTES));
      if (header[0] === END) {
        if (view.getUint32(1, true) !== count) throw malformed('a list of blocks is not whole');
        if ((await source.fill(header.subarray(0, 1))) > 0)
          throw malformed('something follows a list of blocks');
        return;
      }
      if (++count > maxBlocks) throw new CairnError('too-large', 'too many blocks at once; send fewer');
      await fillWhole(source, header.subarray(END_BYTES));
      const status = STATUSES[header[0] as number];
      const codec = CODECS[header[1] as number];
      const blockId = decodeBlockId(header.subarray(2, 2 + BLOCK_ID_BYTES));
      const plainBytes = view.getUint32(PLAIN_AT, true);
      const payloadBytes = view.getUint32(PLAIN_AT + 4, true);
      const number = view.getUint32(PLAIN_AT + 8, true);
      if (status === undefined || codec === undefined || !isStoredId(blockId)) {
        throw malformed('what was sent is no block');
      }
      if (payloadBytes > MAX_BLOCK_BYTES || plainBytes > MAX_BLOCK_BYTES) {
        throw new CairnError('too-large', 'a block is larger than blocks can be');
      }
      if (status !== 'block') {
        yield { status, blockId, number };
        continue;
      }
      const payload = allocate(payloadBytes);
      await fillWhole(source, payload);
      yield { status, block: { blockId, kind: blockKindOf(blockId), codec, plainBytes, payload }, number };
    }
  } finally {
    await source.close();
  }
}

/** Ids one after the other, 33 bytes each. */
export function encodeIds(blockIds: readonly BlockId[]): Uint8Array {
  const bytes = new Uint8Array(blockIds.length * BLOCK_ID_BYTES);
  blockIds.forEach((blockId, index) => {
    bytes.set(encodeBlockId(blockId), index * BLOCK_ID_BYTES);
  });
  return bytes;
}

/** @throws CairnError `bad-request`, `too-large` */
export function decodeIds(bytes: Uint8Array): BlockId[] {
  if (bytes.length % BLOCK_ID_BYTES !== 0) throw malformed('a list of block ids is cut off');
  const count = bytes.length / BLOCK_ID_BYTES;
  if (count > NODE_LIMITS.maxBlocks)
    throw new CairnError('too-large', 'too many blocks at once; ask for fewer');
  return Array.from({ length: count }, (_, index) => {
    const blockId = decodeBlockId(bytes.subarray(index * BLOCK_ID_BYTES, (index + 1) * BLOCK_ID_BYTES));
    if (!isStoredId(blockId)) throw malformed('a block id is of an unknown algorithm');
    return blockId;
  });
}

/** Where a block is on a node. */
export interface NodeLocation {
  readonly blockId: BlockId;
  readonly generation: number;
  readonly storedBytes: number;
}

/** Locations as id, u32le generation, u32le stored bytes. */
export function encodeLocations(locations: readonly NodeLocation[]): Uint8Array {
  const bytes = new Uint8Array(locations.length * LOCATION_BYTES);
  const view = new DataView(bytes.buffer);
  locations.forEach(({ blockId, generation, storedBytes }, index) => {
    const at = index * LOCATION_BYTES;
    bytes.set(encodeBlockId(blockId), at);
    view.setUint32(at + BLOCK_ID_BYTES, generation, true);
    view.setUint32(at + BLOCK_ID_BYTES + 4, storedBytes, true);
  });
  return bytes;
}

/** @throws CairnError `bad-request` */
export function decodeLocations(bytes: Uint8Array): NodeLocation[] {
  if (bytes.length % LOCATION_BYTES !== 0) throw malformed('a list of locations is cut off');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / LOCATION_BYTES }, (_, index) => {
    const at = index * LOCATION_BYTES;
    const blockId = decodeBlockId(bytes.subarray(at, at + BLOCK_ID_BYTES));
    if (!isStoredId(blockId)) throw malformed('a block id is of an unknown algorithm');
    return {
      blockId,
      generation: view.getUint32(at + BLOCK_ID_BYTES, true),
      storedBytes: view.getUint32(at + BLOCK_ID_BYTES + 4, true),
    };
  });
}
