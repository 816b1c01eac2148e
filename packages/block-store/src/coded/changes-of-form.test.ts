import type { StoredBlock } from '@cairn/content';
import { CairnError } from '@cairn/model';
import { afterEach, describe, expect, test } from 'vitest';
import { collect } from '../testing/blocks.ts';
import { type CodedCluster, createCodedCluster, textBlock } from '../testing/coded-cluster.ts';

const blocks = Array.from({ length: 12 }, (_, index) => textBlock(`${index} `.repeat(40 + index).trimEnd()));
const ids = blocks.map(({ blockId }) => blockId);
const [block] = blocks as [StoredBlock];
const { blockId } = block;

let cluster: CodedCluster;
afterEach(() => cluster.store.close());

async function open(count: number, what: readonly StoredBlock[] = blocks): Promise<CodedCluster> {
  cluster = createCodedCluster(count);
  await cluster.store.put(what);
  await cluster.store.usage();
  return cluster;
}

describe('a change of form that ends anywhere', () => {
  /** Lets a server die before each of its calls in turn: what it had sent is done, what it had not is not. */
  async function dieEverywhere(
    prepare: () => Promise<CodedCluster>,
    work: (cluster: CodedCluster) => Promise<unknown>,
    isDone: () => Promise<boolean>,
  ): Promise<number> {
    for (let diesAfter = 0; ; diesAfter++) {
      await prepare();
      let calls = 0;
      cluster.nodes.beforeCall = () => {
        if (++calls > diesAfter) throw new CairnError('unavailable', 'whoever asked is dead');
      };
      await work(cluster);
      cluster.nodes.beforeCall = null;
      expect(await cluster.store.get(blockId)).toEqual(block);
      expect((await collect(cluster.store.list())).map((each) => each.blockId)).toEqual([blockId]);
      for (const [first, second] of [
        [0, 1],
        [2, 5],
      ] as const) {
        for (const at of [first, second]) cluster.take(at, 'silent');
        expect(await cluster.store.get(blockId)).toEqual(block);
        for (const at of [first, second]) cluster.take(at, 'back');
      }
      for (let round = 0; round < 4; round++) await work(cluster);
      expect(await isDone()).toBe(true);
      await cluster.store.close();
      if (calls <= diesAfter) return diesAfter;
    }
  }
  const isCoded = async () =>
    (await cluster.shards(blockId)).size === 6 && (await cluster.nodes.holders(blockId)).length === 0;
  const isReplicated = async () =>
    (await cluster.shards(blockId)).size === 0 && (await cluster.nodes.holders(blockId)).length === 3;

  test('leaves a block that can be read and goes on, on the way to shards', async () => {
    const steps = await dieEverywhere(
      () => open(6, [block]),
      () => cluster.code([blockId]),
      isCoded,
    );
    // Six are asked, one read, six written, six read, three deleted.
    expect(steps).toBeGreaterThanOrEqual(6 + 1 + 6 + 6 + 3);
  });

  test('and on the way back', async () => {
    const steps = await dieEverywhere(
      async () => {
        await open(6, [block]);
        await cluster.code([blockId]);
        return cluster;
      },
      async () => {
        for (let round = 0; round < 2; round++) await cluster.turnBack([blockId]);
      },
      isReplicated,
    );
    expect(steps).toBeGreaterThanOrEqual(2 * 6 + 4 + 3 + 3 + 6);
  });

  test('is not noticed by those who read meanwhile', async () => {
    await open(7);
    let isOver = false;
    let reads = 0;
    // Each call of a node lets others go first, so that reads and changes mix.
    cluster.nodes.beforeCall = () => new Promise((resolve) => setImmediate(resolve));
    async function readOn(): Promise<void> {
      while (!isOver) {
        expect(await collect(cluster.store.getMany(ids))).toEqual(blocks);
        expect(await cluster.store.has(ids)).toEqual(ids.map(() => true));
        reads++;
      }
    }
    const reading = Promise.all([readOn(), readOn(), readOn()]);
    reading.catch(() => undefined);
    for (let round = 0; round < 4; round++) {
      for (let again = 0; again < 2; again++) await cluster.code(ids);
      for (let again = 0; again < 3; again++) await cluster.turnBack(ids);
    }
    isOver = true;
    await reading;
    expect(reads).toBeGreaterThan(6);
  });
});
