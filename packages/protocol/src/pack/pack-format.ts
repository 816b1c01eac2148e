import { type BlockId, CairnError } from '@cairn/model';

/** A block as it travels: the same shape as a stored block of the content package. */
export interface PackBlock {
  readonly blockId: BlockId;
  readonly kind: 'chunk' | 'manifest';
  readonly codec: 'raw' | 'zstd';
  /** Length of the plain bytes. */
  readonly plainBytes: number;
  readonly payload: Uint8Array;
}

/**
 * What stands for a block in a pack that may have deltas: the block, or how it is made of others. The same shape as a delta
 * block of the content package, which says what is in its payload.
 */
export type PackRecord = PackBlock | PackDelta;

export interface PackDelta extends Omit<PackBlock, 'codec'> {
  readonly codec: 'delta';
}

/*
 * A pack: magic "CPK1"; per block u8 kind, u8 codec, 33-byte id, u32le plain bytes, u32le payload bytes, payload;
 * then 0xFF and u32le number of blocks. The end marker makes a cut-off pack an error instead of a short list.
 */
export const MAGIC = Uint8Array.of(0x43, 0x50, 0x4b, 0x31);
/*
 * The same with all headers in front, for senders that name every block before they send the first: magic "CPK2",
 * u32le number of blocks, that many headers, then the payloads. So payloads that are side by side in a file stay so.
 */
export const TABLE_MAGIC = Uint8Array.of(0x43, 0x50, 0x4b, 0x32);
export const TABLE_COUNT_BYTES = 4;
/*
 * The form of "CPK1" where codec 2 is a delta: magic "CPK3". Only for who asked for it, or said that it takes it.
 */
export const DELTA_MAGIC = Uint8Array.of(0x43, 0x50, 0x4b, 0x33);
export const ID_OFFSET = 2;
export const PLAIN_BYTES_OFFSET = 35;
export const PAYLOAD_BYTES_OFFSET = 39;
export const BLOCK_HEADER_BYTES = 43;
export const END_MARKER = 0xff;
export const END_BYTES = 5;

export type PackProblem = 'truncated' | 'malformed' | 'too-large';

/**
 * A pack that is not one. `details.problem` says how; `truncated` is what a broken connection looks like, so a
 * reader of a download asks again.
 */
export function packError(problem: PackProblem, message: string): CairnError {
  return new CairnError(problem === 'too-large' ? 'too-large' : 'bad-request', `${message}; send it again`, {
    details: { problem },
  });
}
