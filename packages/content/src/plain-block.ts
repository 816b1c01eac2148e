import type { BlockId } from '@cairn/model';
import type { BlockKind } from './stored-block.ts';

/** A block before it is encoded. */
export interface PlainBlock {
  readonly blockId: BlockId;
  readonly kind: BlockKind;
  /** Valid only until the `emit` that it was given to has settled: the memory is used again. */
  readonly plain: Uint8Array;
  /** Of a chunk: where in its source it begins. */
  readonly position?: number;
}

/** Takes a block; the cutting waits for the promise, which is how a consumer slows it down. */
export type EmitBlock = (block: PlainBlock) => void | Promise<void>;
