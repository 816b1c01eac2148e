import { createSystemEnvironment } from '@cairn/environment';
import { afterEach, describe, expect, test } from 'vitest';
import type { BlockStore, ReadMemory } from '../block-store.ts';
import { makeBlock } from '../testing/blocks.ts';
import { createTestNodes } from '../testing/replica-nodes.ts';
import type { ReplicaNodes } from './replica-node.ts';
import { createReplicatedBlockStore } from './replicated-block-store.ts';

const environment = createSystemEnvironment();
const SIZE = 3000;
const blocks = Array.from({ length: 100 }, (_, index) => makeBlock(index + 1, SIZE));
const blockIds = blocks.map(({ blockId }) => blockId);
const LATE_BYTE = 0xee;

/** Memory of which whatever was given back is overwritten at once. */
function createTestMemory() {
  const outstanding = new Set<Uint8Array>();
  const given = new Set<Uint8Array>();
  const memory: ReadMemory = {
    take(sizeBytes) {
      const piece = new Uint8Array(sizeBytes);
      outstanding.add(piece);
      return piece;
    },
    give(piece) {
      expect(outstanding.delete(piece)).toBe(true);
      given.add(piece);
      piece.fill(0xdd);
    },
  };
  return { memory, outstanding, given };
}

/** Three nodes that read into memory, as those over the network do, and what holds one of them up. */
async function openNodes(hedgeAfterMs: number) {
  const made = createTestNodes(3);
  const held = new Map<string, { readonly after: number; readonly until: Promise<void> }>();
  const lateWrites: Uint8Array[] = [];

  function readInto(nodeId: string, from: BlockStore): BlockStore['getMany'] {
    return async function* (ids, memory) {
      let answers = 0;
      for await (const block of from.getMany(ids)) {
        if (block === null) throw new Error('every node has every block here');
        const payload = memory?.take(block.payload.length) ?? new Uint8Array(block.payload.length);
        const hold = held.get(nodeId);
        if (hold !== undefined && answers++ >= hold.after) {
          await hold.until;
          payload.fill(LATE_BYTE);
          lateWrites.push(payload);
        } else payload.set(block.payload);
        yield { ...block, payload };
      }
    };
  }
  const nodes: ReplicaNodes = {
    note: made.note,
    close: made.close,
    list: () =>
      made.list().map((node) => ({
        ...node,
        blocks: { ...node.blocks, getMany: readInto(node.nodeId, node.blocks) },
      })),
  };
  const expected = new Map(blocks.map((block) => [block.blockId, Buffer.from(block.payload)]));
  const store = createReplicatedBlockStore({
    nodes,
    environment,
    verify: ({ blockId, payload }) => expected.get(blockId)?.equals(payload) === true,
    hedgeAfterMs,
  });
  await store.put(blocks);
  await store.usage();
  return { store, held, lateWrites };
}

describe('many blocks that are read into memory which is used again', () => {
  let store: BlockStore | null = null;
  afterEach(async () => {
    await store?.close();
    store = null;
  });

  test('are whole when they are handed on, and their memory is given back once nobody looks at it', async () => {
    ({ store } = await openNodes(60_000));
    const { memory, outstanding, given } = createTestMemory();
    let position = 0;
    for await (const block of store.getMany(blockIds, memory))
      expect(Buffer.from(block?.payload ?? []).equals(blocks[position++]?.payload as Uint8Array)).toBe(true);
    expect(position).toBe(blocks.length);
    expect(outstanding.size).toBe(0);
    expect(given.size).toBe(blocks.length);
  });

  test('come one by one, not when all that were asked for together are there', async () => {
    const opened = await openNodes(60_000);
    store = opened.store;
    const release = Promise.withResolvers<void>();
    for (const nodeId of ['n1', 'n2', 'n3']) opened.held.set(nodeId, { after: 1, until: release.promise });
    const reading = store.getMany(blockIds)[Symbol.asyncIterator]();
    const first = await reading.next();
    expect(first.value?.blockId).toBe(blockIds[0]);
    release.resolve();
    opened.held.clear();
    await reading.return?.();
  });

  test('never get memory that a node which was overtaken still writes to', async () => {
    const opened = await openNodes(5);
    store = opened.store;
    const release = Promise.withResolvers<void>();
    opened.held.set('n2', { after: 2, until: release.promise });
    const { memory, given, outstanding } = createTestMemory();
    let position = 0;
    for await (const block of store.getMany(blockIds, memory))
      expect(Buffer.from(block?.payload ?? []).equals(blocks[position++]?.payload as Uint8Array)).toBe(true);
    expect(position).toBe(blocks.length);
    release.resolve();
    await expect.poll(() => opened.lateWrites.length).toBeGreaterThan(0);
    for (const piece of opened.lateWrites) {
      expect(given.has(piece)).toBe(false);
      expect(outstanding.has(piece)).toBe(true);
    }
  });
});
