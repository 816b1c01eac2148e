import { createHash } from 'node:crypto';
import type { BlockKind, StoredBlock } from '@cairn/content';
import { type BlockId, ID_ALGORITHMS } from '@cairn/model';

/** A raw block whose bytes follow from `seed`; its id fits them. */
export function makeBlock(seed: number, sizeBytes: number, kind: BlockKind = 'chunk'): StoredBlock {
  const payload = new Uint8Array(sizeBytes);
  let state = (seed * 2654435761 + 12345) >>> 0;
  for (let index = 0; index < sizeBytes; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    payload[index] = state >>> 24;
  }
  // The seed goes in too, so that empty and tiny blocks differ.
  const digest = createHash('sha256').update(`${seed}:`).update(payload).digest('hex');
  const blockId = `${ID_ALGORITHMS[kind]}${digest}` as BlockId;
  return { blockId, kind, codec: 'raw', plainBytes: sizeBytes, payload };
}

/** Everything an async iterable yields. */
export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
