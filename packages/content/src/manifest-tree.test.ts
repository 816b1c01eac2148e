import { type BlockId, MANIFEST_LIMITS, type ManifestPart, type ManifestRoot } from '@cairn/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockIdOf } from './block-encoding.ts';
import { checkContent, contentIdOf } from './content-id.ts';
import { listChunks } from './list-chunks.ts';
import { parseManifestBlock } from './manifest-block.ts';
import { createManifestTree, TREE_RULES } from './manifest-tree.ts';
import { createNodePlatform } from './node/node-platform.ts';

const platform = createNodePlatform();
/** Where a manifest block says its depth. */
const DEPTH_OFFSET = 4;

function makePart(seed: number): ManifestPart {
  return {
    block: blockIdOf(platform, 'chunk', Buffer.from(`part ${seed}`)),
    sizeBytes: 1 + (Math.abs(seed) % 1_000_000),
  };
}

interface Built {
  readonly root: ManifestRoot;
  readonly blocks: Map<BlockId, Uint8Array>;
}

async function build(parts: Iterable<ManifestPart>): Promise<Built> {
  const blocks = new Map<BlockId, Uint8Array>();
  const tree = createManifestTree(platform, ({ blockId, kind, plain }) => {
    expect(kind).toBe('manifest');
    // children before parents
    if (plain[DEPTH_OFFSET] !== 0) {
      for (const part of parseManifestBlock(plain).parts) expect(blocks.has(part.block)).toBe(true);
    }
    blocks.set(blockId, plain);
  });
  for (const part of parts) await tree.add(part);
  return { root: await tree.finish('t32-1m'), blocks };
}

async function list({ root, blocks }: Built): Promise<ManifestPart[]> {
  return Array.fromAsync(listChunks(platform, root, async (id) => blocks.get(id) as Uint8Array));
}

function countNew(before: Built, after: Built): number {
  return [...after.blocks.keys()].filter((id) => !before.blocks.has(id)).length;
}

describe('the manifest tree', () => {
  it('keeps a short list in the root and a longer one below it', async () => {
    const parts = Array.from({ length: TREE_RULES.inlineParts + 1 }, (_, index) => makePart(index));
    const short = await build(parts.slice(0, TREE_RULES.inlineParts));
    expect(short.root).toEqual({ profile: 't32-1m', depth: 0, parts: parts.slice(0, -1) });
    expect(short.blocks.size).toBe(0);
    const long = await build(parts);
    expect(long.root.depth).toBe(1);
    expect(await list(long)).toEqual(parts);
  });

  it('lists what went in, for any length', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 5000 }),
        fc.integer({ min: 0, max: 1e6 }),
        async (count, seed) => {
          const parts = Array.from({ length: count }, (_, index) => makePart(seed + index));
          const built = await build(parts);
          expect(await list(built)).toEqual(parts);
          const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
          const contentId = contentIdOf(platform, built.root, sizeBytes);
          checkContent(platform, { contentId, sizeBytes, manifest: built.root });
        },
      ),
      { numRuns: 20 },
    );
  });

  it('is frozen, like the chunk profiles', async () => {
    // A failure here means that files cut before and after no longer share their manifests, nor their ids.
    const parts = Array.from({ length: 3000 }, (_, index) => makePart(index));
    const { root } = await build(parts);
    expect(root.parts.length).toBe(8);
    expect(contentIdOf(platform, root, 4_501_500)).toBe(
      '03a02ee62d766e263425643ce786b8e16f5496bbb5c83846eb9de52681f5496b7f',
    );
  });

  it('ends a block at every boundary after the smallest size, the first ones too', async () => {
    let early = 0;
    for (let seed = 0; seed < 20_000; seed += 1000) {
      const parts = Array.from({ length: 700 }, (_, index) => makePart(seed + index));
      const expected: number[] = [];
      let count = 0;
      for (const { block } of parts) {
        count++;
        const ends = Number.parseInt(block.slice(2, 10), 16) < TREE_RULES.boundary;
        if (count < TREE_RULES.minParts || !ends) continue;
        expected.push(count);
        count = 0;
      }
      if (count > 0) expected.push(count);
      if ((expected[0] as number) <= TREE_RULES.inlineParts) early++;
      const { root, blocks } = await build(parts);
      const counts = root.parts.map(
        (part) => parseManifestBlock(blocks.get(part.block) as Uint8Array).parts.length,
      );
      expect(counts).toEqual(expected);
    }
    expect(early).toBeGreaterThan(0);
  });

  it('stays shallow when all parts are the same, as in a file of zeros', async () => {
    for (const seed of [1, 2]) {
      const part = makePart(seed);
      const parts = Array.from({ length: 20_000 }, () => part);
      const built = await build(parts);
      expect(built.root.depth).toBe(1);
      expect(built.blocks.size).toBeLessThanOrEqual(2);
      expect((await list(built)).length).toBe(parts.length);
    }
  });

  it('renews one block per level when one of 150,000 chunks changes, comes or goes', async () => {
    const parts = Array.from({ length: 150_000 }, (_, index) => makePart(index));
    const before = await build(parts);
    const { depth } = before.root;
    expect(depth).toBe(2);
    const leaves = before.blocks.size - before.root.parts.length;
    expect(parts.length / leaves).toBeGreaterThan(400);
    expect(parts.length / leaves).toBeLessThan(620);

    const changed = makePart(-1);
    const edits = [
      parts.with(77_777, changed),
      parts.toSpliced(77_777, 0, changed),
      parts.toSpliced(77_777, 1),
      parts.toSpliced(0, 0, changed),
    ];
    for (const edited of edits) {
      const after = await build(edited);
      expect(after.root.depth).toBe(depth);
      expect(countNew(before, after)).toBeLessThanOrEqual(depth);
    }
  });

  it('renews a few blocks at most, wherever the edit falls', async () => {
    const parts = Array.from({ length: 6000 }, (_, index) => makePart(index));
    const before = await build(parts);
    let total = 0;
    let worst = 0;
    const starts = new Set<number>();
    for (let at = 13; at < parts.length; at += 197) starts.add(at);
    for (const at of starts) {
      const renewed = countNew(before, await build(parts.toSpliced(at, 0, makePart(-1 - at))));
      total += renewed;
      worst = Math.max(worst, renewed);
    }
    expect(total / starts.size).toBeLessThan(1.3);
    expect(worst).toBeLessThanOrEqual(4);
  });

  it('is the same however the same parts were added before, in whatever file', async () => {
    // The end of a list is cut like the end of a longer list: only what is near an edit differs.
    const parts = Array.from({ length: 30_000 }, (_, index) => makePart(index));
    const whole = await build(parts);
    const appended = await build([...parts, makePart(-1)]);
    expect(countNew(whole, appended)).toBeLessThanOrEqual(1 + whole.root.depth);
  });

  it('waits for emit', async () => {
    let running = 0;
    const tree = createManifestTree(platform, async () => {
      expect(++running).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
    });
    for (let index = 0; index < 3000; index++) await tree.add(makePart(index));
    expect((await tree.finish('t32-64k')).depth).toBe(1);
  });
});

describe('listChunks', () => {
  const parts = Array.from({ length: 20_000 }, (_, index) => makePart(index));

  it('reads a manifest block only when its chunks are asked for', async () => {
    const { root, blocks } = await build(parts);
    let reads = 0;
    let seen = 0;
    for await (const part of listChunks(platform, root, async (id) => {
      reads++;
      return blocks.get(id) as Uint8Array;
    })) {
      expect(part).toEqual(parts[seen]);
      if (++seen === 100) break;
    }
    expect(reads).toBe(1);
  });

  it('refuses blocks that are damaged, unknown in form, or from another place', async () => {
    const { root, blocks } = await build(parts);
    const [first, second] = root.parts as readonly [ManifestPart, ManifestPart, ...ManifestPart[]];
    const walk = async (manifest: ManifestRoot, read: (id: BlockId) => Uint8Array) => {
      for await (const _ of listChunks(platform, manifest, async (id) => read(id)));
    };
    const wrong = { code: 'block-wrong' };
    const get = (id: BlockId) => blocks.get(id) as Uint8Array;
    await expect(walk(root, get)).resolves.toBeUndefined();
    await expect(walk(root, () => get(second.block))).rejects.toMatchObject(wrong);
    const damaged = get(first.block).slice();
    for (let index = 0; index < 200; index++) {
      damaged[index] = (damaged[index] as number) ^ 4;
      await expect(walk(root, () => damaged)).rejects.toMatchObject(wrong);
      damaged[index] = (damaged[index] as number) ^ 4;
    }
    const deeper = { ...root, depth: 2 };
    await expect(walk(deeper, get)).rejects.toMatchObject(wrong);
    const resized = { ...root, parts: [{ ...first, sizeBytes: first.sizeBytes + 1 }] };
    await expect(walk(resized, get)).rejects.toMatchObject(wrong);
  });

  it('passes errors of reading on', async () => {
    const { root } = await build(parts);
    const chunks = listChunks(platform, root, () => Promise.reject(new Error('offline')));
    await expect(Array.fromAsync(chunks)).rejects.toThrow('offline');
  });
});

describe('limits', () => {
  it('of the tree lie within those that a server enforces', () => {
    expect(TREE_RULES.inlineParts).toBeLessThanOrEqual(MANIFEST_LIMITS.maxRootParts);
    expect(TREE_RULES.maxParts).toBeLessThanOrEqual(MANIFEST_LIMITS.maxBlockParts);
  });
});
