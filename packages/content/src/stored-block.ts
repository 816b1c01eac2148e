import type { BlockId } from '@cairn/model';

/** `chunk`: a span of a file. `manifest`: a list of other blocks. */
export type BlockKind = 'chunk' | 'manifest';
/** How the payload was made from the plain bytes. */
export type BlockCodec = 'raw' | 'zstd';

/** A block as it is stored and sent: one chunk or manifest block, compressed where that helped. */
export interface StoredBlock {
  readonly blockId: BlockId;
  readonly kind: BlockKind;
  readonly codec: BlockCodec;
  /** Length of the plain bytes. */
  readonly plainBytes: number;
  readonly payload: Uint8Array;
}
