import { writeBlockHeader } from './block-header.ts';
import { BLOCK_HEADER_BYTES, type PackBlock, TABLE_COUNT_BYTES, TABLE_MAGIC } from './pack-format.ts';

/** A plain block that goes into a pack, without its bytes. */
export interface NamedPayload extends Pick<PackBlock, 'blockId' | 'kind'> {
  readonly payloadBytes: number;
}

/**
 * All of a pack of plain blocks but their payloads, which are to follow in this order without anything between or
 * behind them. The limits of a pack are the caller's to keep.
 */
export function encodePackTable(blocks: readonly NamedPayload[]): Uint8Array<ArrayBuffer> {
  const start = TABLE_MAGIC.length + TABLE_COUNT_BYTES;
  const table = new Uint8Array(start + blocks.length * BLOCK_HEADER_BYTES);
  const view = new DataView(table.buffer);
  table.set(TABLE_MAGIC);
  view.setUint32(TABLE_MAGIC.length, blocks.length, true);
  for (const [index, { blockId, kind, payloadBytes }] of blocks.entries()) {
    const payload = { length: payloadBytes };
    const block = { blockId, kind, codec: 'raw' as const, plainBytes: payloadBytes, payload };
    writeBlockHeader(table, view, start + index * BLOCK_HEADER_BYTES, block);
  }
  return table;
}
