import type { BlockId, BlockKind } from '@cairn/model';

export type { BlockKind };

/** How the payload was made from the plain bytes. */
export type BlockCodec = 'raw' | 'zstd';

/** A block as it is stored and sent: one chunk or manifest block, compressed where that helped. */
export interface StoredBlock {
  readonly blockId: BlockId;
  /** The same as the id says. */
  readonly kind: BlockKind;
  readonly codec: BlockCodec;
  /** Length of the plain bytes. */
  readonly plainBytes: number;
  readonly payload: Uint8Array;
}
