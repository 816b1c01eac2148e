import type { BlockStore } from '../block-store.ts';
import { collect, makeBlock } from './blocks.ts';
import { openTestStore, type StoreSettings } from './segment-store.ts';

/** Small segments, so that a few blocks fill many. */
export const SMALL_SEGMENTS: StoreSettings = { maxSegmentBytes: 4000 };

/** What each seed's block ought to be. */
export type Expected = Map<number, { readonly generation: number; readonly isLive: boolean }>;

export function blockOf(seed: number) {
  return makeBlock(seed, 100 + seed * 3);
}

/** A store most of whose segments are mostly garbage: deleted blocks, and some that were written again. */
export async function openCompactableStore(
  directory: string,
  settings: StoreSettings = {},
): Promise<{ store: BlockStore; expected: Expected }> {
  const store = await openTestStore(directory, { ...SMALL_SEGMENTS, ...settings });
  const seeds = Array.from({ length: 60 }, (_, seed) => seed);
  const expected: Expected = new Map();
  const locations = await store.put(seeds.map(blockOf));
  for (const seed of seeds) {
    const generation = locations[seed]?.generation as number;
    // Whole segments die in the middle; of the others every third block lives.
    const isLive = seed % 3 === 0 && (seed < 20 || seed > 50);
    if (!isLive) await store.delete({ blockId: blockOf(seed).blockId, generation });
    expected.set(seed, { generation, isLive });
  }
  const again = [1, 2, 25, 26];
  for (const [at, location] of (await store.put(again.map(blockOf))).entries())
    expected.set(again[at] as number, { generation: location.generation, isLive: true });
  return { store, expected };
}

/** How a store differs from what is expected, in words; empty when it does not. */
export async function findDifferences(store: BlockStore, expected: Expected): Promise<string[]> {
  const differences: string[] = [];
  const listed = new Map((await collect(store.list())).map((each) => [each.blockId, each.generation]));
  for (const [seed, { generation, isLive }] of expected) {
    const block = blockOf(seed);
    const got = await store.get(block.blockId).catch((error: unknown) => String(error));
    if (!isLive && got !== null) differences.push(`${seed} is back`);
    if (!isLive) continue;
    if (got === null || typeof got === 'string') differences.push(`${seed}: ${got}`);
    else if (Buffer.compare(got.payload, block.payload) !== 0) differences.push(`${seed} has other bytes`);
    if (listed.get(block.blockId) !== generation) {
      differences.push(`${seed} has generation ${listed.get(block.blockId)} instead of ${generation}`);
    }
  }
  const live = [...expected.values()].filter((each) => each.isLive).length;
  if (listed.size !== live) differences.push(`${listed.size} blocks are listed instead of ${live}`);
  const usage = await store.usage();
  if (usage.blocks !== live) differences.push(`${usage.blocks} blocks are counted instead of ${live}`);
  return differences;
}
