import type { StoredBlock } from '@cairn/content';
import { type BlockId, CairnError, isCairnError, shardIdOf } from '@cairn/model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BlockLocation } from '../block-store.ts';
import { orderNodes } from '../replicated/placement.ts';
import { collect } from '../testing/blocks.ts';
import { type CodedCluster, createCodedCluster, isTextBlock, textBlock } from '../testing/coded-cluster.ts';
import { parseShard } from './shard-format.ts';

const BLOCKS = 6;
const RUNS = Number(process.env['CLUSTER_RUNS'] ?? 200);
const texts = Array.from({ length: BLOCKS }, (_, index) =>
  `content number ${index} `.repeat(4 + index).trimEnd(),
);
const idOf = (number: number) => textBlock(texts[number] as string).blockId;

type Deed =
  /** `wrapping`: the same block in another payload, as another compression gives it. */
  | { readonly kind: 'put'; readonly which: readonly number[]; readonly wrapping: number }
  | { readonly kind: 'read' | 'remove'; readonly which: readonly number[] }
  | { readonly kind: 'silent' | 'out' | 'back'; readonly node: number }
  /** Of one record of the block, on whichever node has it. */
  | { readonly kind: 'damage' | 'wipe'; readonly block: number; readonly record: number }
  | {
      readonly kind: 'repair' | 'code' | 'turn-back';
      /** Whoever repairs dies after so many calls of nodes. */
      readonly diesAfter: number | null;
      /** Nodes whose disks meanwhile keep other bytes than they are given. */
      readonly rotting: readonly number[];
    };

const which = fc.uniqueArray(fc.nat(BLOCKS - 1), { minLength: 1, maxLength: 3 });
const dying = fc.option(fc.nat(90), { freq: 2 });
const rotting = fc.oneof(
  { weight: 2, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.uniqueArray(fc.nat(7), { minLength: 1, maxLength: 8, size: 'max' }) },
);
const deeds: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(which, fc.nat(2))
      .map(([numbers, wrapping]): Deed => ({ kind: 'put', which: numbers, wrapping })),
  },
  { weight: 2, arbitrary: which.map((numbers): Deed => ({ kind: 'read', which: numbers })) },
  { weight: 1, arbitrary: which.map((numbers): Deed => ({ kind: 'remove', which: numbers })) },
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.constantFrom('silent', 'silent', 'out', 'back', 'back'), fc.nat(7))
      .map(([kind, node]): Deed => ({ kind, node })),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom('damage', 'wipe'), fc.nat(BLOCKS - 1), fc.nat(11))
      .map(([kind, block, record]): Deed => ({ kind, block, record })),
  },
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom('repair', 'code', 'code', 'code', 'turn-back'), dying, rotting)
      .map(([kind, diesAfter, nodes]): Deed => ({ kind, diesAfter, rotting: nodes })),
  },
);

interface Found {
  readonly at: number;
  readonly storedId: BlockId;
  /** `null`: a whole replica. */
  readonly set: string | null;
  readonly index: number;
}

/** One history of a cluster whose blocks are coded, and what must hold at each moment of it. */
class History {
  readonly cluster: CodedCluster;
  /** Acknowledged and not removed since. */
  readonly kept = new Set<number>();
  codedBlocks = 0;

  constructor(count: number) {
    this.cluster = createCodedCluster(count);
  }

  /** Everything intact that any disk has of the block, those of nodes that are away too. */
  async find(blockId: BlockId): Promise<Found[]> {
    const found: Found[] = [];
    const ids = [blockId, ...[0, 1, 2, 3, 4, 5].map((index) => shardIdOf(blockId, index))];
    for (const [at, { memory }] of this.cluster.nodes.nodes.entries()) {
      for (const [place, storedId] of ids.entries()) {
        const record = await memory.get(storedId).catch(() => null);
        if (record === null) continue;
        const shard = place === 0 ? null : parseShard(record);
        if (place === 0 && isTextBlock(record)) found.push({ at, storedId, set: null, index: -1 });
        if (shard !== null) found.push({ at, storedId, set: shard.set, index: shard.index });
      }
    }
    return found;
  }

  static isReadable(found: readonly Found[]): boolean {
    const sets = Map.groupBy(found, ({ set }) => set);
    return [...sets].some(
      ([set, records]) => set === null || new Set(records.map(({ index }) => index)).size >= 4,
    );
  }

  async play(deed: Deed): Promise<void> {
    switch (deed.kind) {
      case 'put':
        return this.put(deed.which, deed.wrapping);
      case 'read':
        return this.read(deed.which);
      case 'remove':
        return this.remove(deed.which);
      case 'damage':
      case 'wipe':
        return this.harm(deed);
      case 'repair':
      case 'code':
      case 'turn-back':
        return this.repair(deed);
      default:
        this.cluster.take(deed.node, deed.kind);
    }
  }

  async put(numbers: readonly number[], wrapping: number): Promise<void> {
    const given = numbers.map((number) => textBlock(texts[number] as string, wrapping));
    try {
      await this.cluster.store.put(given);
    } catch (error) {
      expect(isCairnError(error, 'unavailable')).toBe(true);
      return;
    }
    for (const number of numbers) this.kept.add(number);
  }

  async remove(numbers: readonly number[]): Promise<void> {
    for (const number of numbers) {
      // Decided before, as a collection does: from then on nobody relies on it.
      this.kept.delete(number);
      try {
        const [location] = await this.cluster.store.locate([idOf(number)]);
        if (location !== null && location !== undefined) await this.cluster.store.delete(location);
      } catch (error) {
        expect(isCairnError(error, 'unavailable')).toBe(true);
      }
    }
  }

  /** What is kept comes back as it was, or the error says that it may be on a node that is away. */
  async read(numbers: readonly number[]): Promise<void> {
    for (const number of numbers) {
      try {
        const [got] = await collect(this.cluster.store.getMany([idOf(number)]));
        if (got !== null) expect(isTextBlock(got as StoredBlock)).toBe(true);
        else expect(this.kept.has(number)).toBe(false);
      } catch (error) {
        // Of what was removed, a node may still have a damaged rest.
        const isRest = isCairnError(error, 'data-damaged') && !this.kept.has(number);
        if (!isRest && !isCairnError(error, 'unavailable')) throw error;
      }
    }
  }

  /** Only ever to what the rest of the block's records make up for. */
  async harm({ kind, block, record }: Extract<Deed, { kind: 'damage' | 'wipe' }>): Promise<void> {
    const found = await this.find(idOf(block));
    const victim = found[record % Math.max(1, found.length)];
    if (victim === undefined || !History.isReadable(found.filter((each) => each !== victim))) return;
    const { memory } = this.cluster.node(victim.at);
    if (kind === 'damage') memory.damage(victim.storedId);
    else await memory.delete((await memory.locate([victim.storedId]))[0] as BlockLocation);
  }

  keptIds(): BlockId[] {
    return [...this.kept].map(idOf);
  }

  async repair(deed: Extract<Deed, { readonly diesAfter: number | null }>): Promise<void> {
    const { kind, diesAfter } = deed;
    const { cluster } = this;
    for (const at of deed.rotting) cluster.node(at).rots = true;
    let calls = 0;
    if (diesAfter !== null) {
      cluster.nodes.beforeCall = () => {
        if (++calls > diesAfter) throw new CairnError('unavailable', 'whoever asked is dead');
      };
    }
    const work = { repair: cluster.repair, code: cluster.code, 'turn-back': cluster.turnBack }[kind];
    const report = await work(this.keptIds());
    cluster.nodes.beforeCall = null;
    for (const at of deed.rotting) cluster.node(at).rots = false;
    this.codedBlocks += report.codedBlocks;
    // Nobody may say so of what is there, however little of it answers.
    expect(report.lost).toBe(0);
  }

  async check(): Promise<void> {
    for (const number of this.kept) {
      if (!History.isReadable(await this.find(idOf(number)))) throw new Error(`block ${number} is lost`);
    }
  }

  /** Runs until nothing is left to do. */
  async settle(work: CodedCluster['code' | 'turnBack']): Promise<void> {
    for (let round = 0; round < 12; round++) {
      for (const { memory } of this.cluster.nodes.nodes) await memory.scrub();
      const report = await work(this.keptIds());
      if (report.copiedBytes + report.removedReplicas + report.failedCopies === 0) return;
    }
    throw new Error('the repair does not come to rest');
  }

  /** All nodes are there again: everything is coded, then replicated, whole, and as it was. */
  async rest(): Promise<void> {
    const { cluster } = this;
    for (let node = 0; node < cluster.nodes.nodes.length; node++) cluster.take(node, 'back');
    await this.settle(cluster.code);
    for (const number of this.kept) {
      const order = orderNodes(idOf(number), cluster.nodes.list()).map(({ nodeId }) => nodeId);
      expect(await cluster.nodes.holders(idOf(number))).toEqual([]);
      const shards = await cluster.shards(idOf(number));
      expect([...shards.keys()].sort()).toEqual(order.slice(0, 6).sort());
      expect([...shards.values()].flat().sort()).toEqual([0, 1, 2, 3, 4, 5]);
      await this.read([number]);
      // Any four are enough: they are of one making.
      expect(new Set((await this.find(idOf(number))).map(({ set }) => set)).size).toBe(1);
    }
    await this.settle(cluster.turnBack);
    for (const number of this.kept) {
      const order = orderNodes(idOf(number), cluster.nodes.list()).map(({ nodeId }) => nodeId);
      expect((await cluster.nodes.holders(idOf(number))).sort()).toEqual(order.slice(0, 3).sort());
      expect((await cluster.shards(idOf(number))).size).toBe(0);
      expect(isTextBlock((await cluster.store.get(idOf(number))) as StoredBlock)).toBe(true);
    }
    // What is left of others is found by the list, and goes.
    for (const location of await collect(cluster.store.list())) {
      if (!this.keptIds().includes(location.blockId)) expect(await cluster.store.delete(location)).toBe(true);
    }
    const left = await collect(cluster.store.list());
    expect(left.map(({ blockId }) => blockId).sort()).toEqual(this.keptIds().sort());
  }
}

describe('a cluster that codes its blocks, whose nodes fail, come back, rot and are wiped', () => {
  test('loses nothing that was acknowledged, never answers other bytes, and heals', {
    timeout: 600_000,
  }, async () => {
    let [coded, kept] = [0, 0];
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 6, max: 8 }),
        fc.array(deeds, { maxLength: 40, size: 'max' }),
        async (count, history) => {
          const played = new History(count);
          try {
            for (const deed of history) {
              await played.play(deed);
              await played.check();
            }
            await played.rest();
            coded += played.codedBlocks;
            kept += played.kept.size;
          } finally {
            await played.cluster.store.close();
          }
        },
      ),
      { numRuns: RUNS },
    );
    // Neither may be missing, or nothing was tried.
    expect(Math.min(coded, kept)).toBeGreaterThan(RUNS / 10);
  });
});
