import { encodeBlockHeader } from './block-header.ts';
import { encodeEnd } from './encode-pack.ts';
import { MAGIC, type PackBlock } from './pack-format.ts';

/** A block whose payload lies elsewhere, such as in a file that is read when the pack is sent. */
export interface HeldBlock<Held> extends Pick<PackBlock, 'blockId' | 'kind'> {
  readonly payloadBytes: number;
  readonly payload: Held;
}

/**
 * The pieces of a pack of plain payloads, to be sent one after the other; payloads are passed on as they are. The limits of a
 * pack are the caller's to keep.
 */
export function listPackPieces<Held>(blocks: readonly HeldBlock<Held>[]): (Uint8Array<ArrayBuffer> | Held)[] {
  const pieces: (Uint8Array<ArrayBuffer> | Held)[] = [MAGIC];
  for (const { blockId, kind, payloadBytes, payload } of blocks) {
    const length = { length: payloadBytes };
    pieces.push(
      encodeBlockHeader({ blockId, kind, codec: 'raw', plainBytes: payloadBytes, payload: length }),
      payload,
    );
  }
  pieces.push(encodeEnd(blocks.length));
  return pieces;
}
