import { createHash } from 'node:crypto';
import type { StoredBlock } from '@cairn/content';
import { createSystemEnvironment } from '@cairn/environment';
import { type BlockId, isCairnError } from '@cairn/model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { collect } from '../testing/blocks.ts';
import { createTestNodes, type TestNodes } from '../testing/replica-nodes.ts';
import { repairBlocks } from './repair-blocks.ts';
import { createReplicatedBlockStore } from './replicated-block-store.ts';

const environment = createSystemEnvironment();
const BLOCKS = 8;
const RUNS = Number(process.env['CLUSTER_RUNS'] ?? 300);

function blockOf(index: number): StoredBlock {
  const payload = new TextEncoder().encode(`content number ${index}`);
  const blockId = `01${createHash('sha256').update(payload).digest('hex')}` as BlockId;
  return { blockId, kind: 'chunk', codec: 'raw', plainBytes: payload.length, payload };
}
const blocks = Array.from({ length: BLOCKS }, (_, index) => blockOf(index));
const verify = ({ blockId, payload }: StoredBlock) =>
  blockId.slice(2) === createHash('sha256').update(payload).digest('hex');

type Deed =
  | { readonly kind: 'put'; readonly which: readonly number[] }
  | { readonly kind: 'read' | 'remove'; readonly which: readonly number[] }
  /** Until it comes back, a node fails, or is known not to answer, or is given up. */
  | { readonly kind: 'fail' | 'silence' | 'give-up' | 'come-back'; readonly node: number }
  | { readonly kind: 'damage' | 'wipe'; readonly node: number; readonly which: readonly number[] }
  | { readonly kind: 'repair'; readonly rebalance: boolean };

const which = fc.uniqueArray(fc.nat(BLOCKS - 1), { minLength: 1, maxLength: 4 });
const nodeNumber = fc.nat(4);
const deeds: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 4, arbitrary: which.map((numbers): Deed => ({ kind: 'put', which: numbers })) },
  { weight: 3, arbitrary: which.map((numbers): Deed => ({ kind: 'read', which: numbers })) },
  { weight: 2, arbitrary: which.map((numbers): Deed => ({ kind: 'remove', which: numbers })) },
  {
    weight: 7,
    arbitrary: fc
      .tuple(fc.constantFrom('fail', 'fail', 'silence', 'silence', 'give-up', 'come-back'), nodeNumber)
      .map(([kind, node]): Deed => ({ kind, node })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('damage', 'wipe'), nodeNumber, which)
      .map(([kind, node, numbers]): Deed => ({ kind, node, which: numbers })),
  },
  { weight: 2, arbitrary: fc.boolean().map((rebalance): Deed => ({ kind: 'repair', rebalance })) },
);

/** One history of a cluster, and what must hold at each moment of it. */
class History {
  readonly nodes: TestNodes;
  readonly store: ReturnType<typeof createReplicatedBlockStore>;
  /** Acknowledged and not removed since. */
  readonly kept = new Set<number>();
  refusedPuts = 0;

  constructor(count: number) {
    this.nodes = createTestNodes(count);
    this.store = createReplicatedBlockStore({ nodes: this.nodes, environment, verify, hedgeAfterMs: 5 });
  }

  async play(deed: Deed): Promise<void> {
    switch (deed.kind) {
      case 'put':
        return this.put(deed.which);
      case 'read':
        return this.read(deed.which);
      case 'remove':
        return this.remove(deed.which);
      case 'damage':
      case 'wipe':
        return this.harm(deed);
      case 'repair':
        return this.repair(deed.rebalance);
      default: {
        const node = this.nodes.nodes[deed.node % this.nodes.nodes.length] as TestNodes['nodes'][number];
        const isHere = deed.kind === 'come-back';
        const isAsked = isHere || deed.kind === 'fail';
        node.failsWith = isHere ? null : 'unavailable';
        Object.assign(node, {
          isUp: isAsked,
          isReadable: isAsked,
          isWritable: isAsked,
          isMember: deed.kind !== 'give-up',
        });
      }
    }
  }

  async put(numbers: readonly number[]): Promise<void> {
    try {
      await this.store.put(numbers.map((number) => blocks[number] as StoredBlock));
    } catch (error) {
      expect(isCairnError(error, 'unavailable')).toBe(true);
      this.refusedPuts++;
      return;
    }
    for (const number of numbers) {
      this.kept.add(number);
      const holders = await this.nodes.holders((blocks[number] as StoredBlock).blockId);
      expect(holders.length).toBeGreaterThanOrEqual(2);
    }
  }

  async remove(numbers: readonly number[]): Promise<void> {
    for (const number of numbers) {
      const { blockId } = blocks[number] as StoredBlock;
      try {
        const [location] = await this.store.locate([blockId]);
        // Decided before, as a collection does: from then on nobody relies on it.
        this.kept.delete(number);
        if (location !== null && location !== undefined) await this.store.delete(location);
      } catch (error) {
        expect(isCairnError(error, 'unavailable')).toBe(true);
      }
    }
  }

  /** What is kept comes back as it was, or the error says that it may be on a node that is away. */
  async read(numbers: readonly number[]): Promise<void> {
    for (const number of numbers) {
      const block = blocks[number] as StoredBlock;
      try {
        const [got] = await collect(this.store.getMany([block.blockId]));
        if (got !== null) expect(got).toEqual(block);
        else expect(this.kept.has(number)).toBe(false);
      } catch (error) {
        // Of what was removed, a node may still have a damaged rest.
        const isRest = isCairnError(error, 'data-damaged') && !this.kept.has(number);
        if (!isRest && !isCairnError(error, 'unavailable')) throw error;
      }
    }
  }

  /** Only ever to blocks of which two other nodes, or all that want them, have a whole replica. */
  async harm({ kind, node, which: numbers }: Extract<Deed, { kind: 'damage' | 'wipe' }>): Promise<void> {
    const { memory } = this.nodes.nodes[node % this.nodes.nodes.length] as TestNodes['nodes'][number];
    for (const number of numbers) {
      const { blockId } = blocks[number] as StoredBlock;
      const [location] = await memory.locate([blockId]);
      const holders = await this.nodes.holders(blockId);
      if (location === null || location === undefined || holders.length < 2) continue;
      if (kind === 'wipe') await memory.delete(location);
      else {
        memory.damage(blockId);
        await memory.get(blockId).catch(() => undefined);
      }
    }
  }

  async repair(rebalance: boolean): Promise<void> {
    const kept = [...this.kept].map((number) => (blocks[number] as StoredBlock).blockId);
    async function* pages() {
      yield kept;
    }
    const report = await repairBlocks(
      { nodes: this.nodes, environment, replicas: 3, verify, rebalance },
      pages(),
    );
    expect(report.lost).toBe(0);
  }

  async check(): Promise<void> {
    for (const number of this.kept) {
      const holders = await this.nodes.holders((blocks[number] as StoredBlock).blockId);
      if (holders.length === 0) throw new Error(`block ${number} is lost`);
    }
  }

  /** All nodes are there again: everything has its replicas, and is as it was. */
  async rest(): Promise<void> {
    for (let node = 0; node < this.nodes.nodes.length; node++) await this.play({ kind: 'come-back', node });
    // Copied where it belongs, brought to the generation of what is to go, and then that goes.
    for (let round = 0; round < 5; round++) await this.repair(true);
    for (const number of this.kept) {
      const block = blocks[number] as StoredBlock;
      expect(await this.nodes.holders(block.blockId)).toHaveLength(Math.min(3, this.nodes.nodes.length));
      expect(await this.store.get(block.blockId)).toEqual(block);
    }
  }
}

describe('a cluster whose nodes fail, come back, rot and are wiped', () => {
  test('loses nothing that was acknowledged, never answers other bytes, and heals', {
    timeout: 120_000,
  }, async () => {
    let [refused, kept] = [0, 0];
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 3, max: 5 }),
        fc.array(deeds, { maxLength: 40 }),
        async (count, history) => {
          const played = new History(count);
          try {
            for (const deed of history) {
              await played.play(deed);
              await played.check();
            }
            await played.rest();
            refused += played.refusedPuts;
            kept += played.kept.size;
          } finally {
            await played.store.close();
          }
        },
      ),
      { numRuns: RUNS },
    );
    // Neither may be missing, or nothing was tried.
    expect(Math.min(refused, kept)).toBeGreaterThan(0);
  });
});
