import { createSimulatedEnvironment, createSystemEnvironment } from '@cairn/environment';
import { type BlockId, CairnError } from '@cairn/model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeBlock } from '../testing/blocks.ts';
import { createTestNodes, type TestNodes } from '../testing/replica-nodes.ts';
import { orderNodes } from './placement.ts';
import { type RepairOptions, repairBlocks } from './repair-blocks.ts';
import { createReplicatedBlockStore } from './replicated-block-store.ts';

const environment = createSystemEnvironment();
const verify = () => true;

async function* pages(blockIds: readonly BlockId[]) {
  for (let at = 0; at < blockIds.length; at += 7) yield blockIds.slice(at, at + 7);
}

async function fill(count: number, blocks: number) {
  const nodes = createTestNodes(count);
  const store = createReplicatedBlockStore({ nodes, environment, verify });
  const given = Array.from({ length: blocks }, (_, index) => makeBlock(index, 100));
  await store.put(given);
  await store.usage();
  const ids = given.map(({ blockId }) => blockId);
  const repair = (options: Partial<RepairOptions> = {}, which: readonly BlockId[] = ids) =>
    repairBlocks({ nodes, environment, verify, replicas: 3, ...options }, pages(which));
  return { nodes, store, ids, repair };
}

async function copies(nodes: TestNodes, ids: readonly BlockId[]): Promise<number[]> {
  const counts = new Set<number>();
  for (const blockId of ids) counts.add((await nodes.holders(blockId)).length);
  return [...counts].sort();
}

function take(nodes: TestNodes, nodeId: string, as: 'down' | 'out'): void {
  const node = nodes.node(nodeId);
  Object.assign(node, { isUp: false, isReadable: false, isWritable: false, isMember: as === 'down' });
}

/** As a node does that keeps the highest token of each job. */
function rememberFences(memory: TestNodes['nodes'][number]['memory']): void {
  const { delete: remove } = memory;
  let highest = 0;
  memory.delete = async (location, fence) => {
    const token = fence?.token ?? 0;
    if (token < highest) throw new CairnError('precondition-failed', 'another server does this by now');
    highest = token;
    return remove(location);
  };
}

describe('repair', () => {
  test('finds nothing to do where all is well', async () => {
    const { repair } = await fill(3, 30);
    expect(await repair({ rebalance: true })).toMatchObject({
      checkedBlocks: 30,
      underReplicated: 0,
      copiedBytes: 0,
      removedReplicas: 0,
    });
  });

  test('waits for a node that may come back, and makes its blocks anew once it is given up', async () => {
    const { nodes, ids, repair } = await fill(5, 60);
    const held = (await Promise.all(ids.map((id) => nodes.holders(id)))).filter((each) =>
      each.includes('n2'),
    );
    take(nodes, 'n2', 'down');
    expect(await repair()).toMatchObject({
      underReplicated: held.length,
      waiting: held.length,
      copiedBytes: 0,
    });
    take(nodes, 'n2', 'out');
    expect(await repair()).toMatchObject({
      underReplicated: held.length,
      repaired: held.length,
      copiedBytes: held.length * 100,
    });
    expect(await repair()).toMatchObject({ underReplicated: 0, copiedBytes: 0 });
  });

  test('fills a disk that was replaced by an empty one', async () => {
    const { nodes, ids, repair } = await fill(3, 40);
    const { memory } = nodes.node('n1');
    for await (const location of memory.list()) await memory.delete(location);
    expect(await repair()).toMatchObject({ underReplicated: 40, repaired: 40, lost: 0 });
    expect(await copies(nodes, ids)).toEqual([3]);
  });

  test('replaces damaged replicas and tells lost blocks from those that may be on a silent node', async () => {
    const { nodes, ids, repair } = await fill(3, 10);
    const [first, second] = ids as [BlockId, BlockId];
    nodes.node('n1').memory.damage(first);
    await nodes
      .node('n1')
      .memory.get(first)
      .catch(() => undefined);
    expect(await repair()).toMatchObject({ underReplicated: 1, repaired: 1 });
    for (const { memory } of nodes.nodes) {
      memory.damage(second);
      await memory.get(second).catch(() => undefined);
    }
    expect(await repair()).toMatchObject({ lost: 1, lostBlocks: [second], unavailable: 0 });
    take(nodes, 'n3', 'down');
    expect(await repair()).toMatchObject({ lost: 0, lostBlocks: [], unavailable: 1 });
  });

  test('brings a new node its share, and takes no replica away before the others are there', async () => {
    const { nodes, ids, repair } = await fill(4, 80);
    const newcomer = nodes.node('n4').memory;
    for await (const location of newcomer.list()) await newcomer.delete(location);
    await repair({ rebalance: true }, ids);
    for (let round = 0; round < 3; round++) {
      const report = await repair({ rebalance: true });
      expect((await copies(nodes, ids))[0]).toBeGreaterThanOrEqual(3);
      if (report.copiedBytes + report.removedReplicas === 0) break;
    }
    for (const blockId of ids) {
      const wanted = orderNodes(blockId, nodes.list()).slice(0, 3);
      expect((await nodes.holders(blockId)).sort()).toEqual(wanted.map(({ nodeId }) => nodeId).sort());
    }
  });

  test('takes no surplus replica away while one where it belongs is rotten', async () => {
    const { nodes, ids, repair } = await fill(4, 10);
    const blockId = ids[0] as BlockId;
    const [first, , , spare] = orderNodes(blockId, nodes.list()).map(({ nodeId }) => nodeId) as [
      string,
      string,
      string,
      string,
    ];
    await nodes.node(spare).memory.put([makeBlock(0, 100)]);
    nodes.node(first).memory.damage(blockId);
    // Nobody has read it yet, so the node still says that it is there.
    expect(await repair({ rebalance: true })).toMatchObject({ removedReplicas: 0 });
    expect(await nodes.holders(blockId)).toContain(spare);
    await repair({ rebalance: true });
    await repair({ rebalance: true });
    expect(await nodes.holders(blockId)).toHaveLength(3);
    expect((await nodes.node(first).memory.get(blockId))?.payload).toEqual(makeBlock(0, 100).payload);
  });

  test('empties a node that is drained without ever having fewer replicas', async () => {
    const { nodes, ids, repair } = await fill(5, 60);
    Object.assign(nodes.node('n5'), { isWritable: false, isMember: false });
    await repair({ rebalance: true });
    expect((await copies(nodes, ids))[0]).toBeGreaterThanOrEqual(3);
    await repair({ rebalance: true });
    expect((await nodes.node('n5').memory.usage()).blocks).toBe(0);
    expect(await copies(nodes, ids)).toEqual([3]);
  });

  test.each([1, 2, 3])('takes nothing away where %i of three nodes are drained', async (count) => {
    const { nodes, ids, repair } = await fill(3, 20);
    for (const node of nodes.nodes.slice(0, count)) {
      Object.assign(node, { isWritable: false, isMember: false });
    }
    for (let run = 0; run < 3; run++) {
      expect(await repair({ rebalance: true })).toMatchObject({ removedReplicas: 0, lost: 0 });
    }
    expect(await copies(nodes, ids)).toEqual([3]);
  });

  test('takes nothing away when it stood still between looking and taking, and all nodes seem out', async () => {
    const { nodes, ids, repair } = await fill(3, 20);
    const { locate } = nodes.node('n3').memory;
    nodes.node('n3').memory.locate = async (blockIds) => {
      const found = await locate(blockIds);
      for (const node of nodes.nodes) {
        Object.assign(node, { isUp: false, isReadable: false, isWritable: false, isMember: false });
      }
      return found;
    };
    expect(await repair({ rebalance: true })).toMatchObject({ removedReplicas: 0 });
    for (const { memory } of nodes.nodes) expect((await memory.usage()).blocks).toBe(ids.length);
  });

  test('lets nobody who was overtaken take away what the present holder of the job relies on', async () => {
    const { nodes, ids, repair } = await fill(6, 1);
    const [blockId] = ids as [BlockId];
    const old = await nodes.holders(blockId);
    const fresh = nodes.nodes.filter(({ nodeId }) => !old.includes(nodeId));
    for (const node of nodes.nodes) rememberFences(node.memory);
    for (const { memory } of fresh) await memory.put([makeBlock(0, 100)]);
    const leave = (ids: readonly string[]) => {
      for (const node of nodes.nodes) node.isMember = !ids.includes(node.nodeId);
    };
    // One has seen that the old nodes have the block whole, takes the others for surplus, and stands still.
    leave(fresh.map(({ nodeId }) => nodeId));
    let goOn: () => void = () => undefined;
    let isStanding = false;
    const standing = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    for (const { memory } of fresh) {
      const { delete: remove } = memory;
      memory.delete = async (location, fence) => {
        if (fence?.token !== 1) return remove(location, fence);
        isStanding = true;
        await standing;
        return remove(location, fence);
      };
    }
    const late = repair({ rebalance: true, fence: { job: 'repair', token: 1 } });
    while (!isStanding) await environment.timers.sleep(1);
    leave(old);
    await repair({ rebalance: true, fence: { job: 'repair', token: 2 } });
    expect(await nodes.holders(blockId)).toEqual(fresh.map(({ nodeId }) => nodeId));
    goOn();
    await expect(late).rejects.toMatchObject({ code: 'precondition-failed' });
    expect(await nodes.holders(blockId)).toHaveLength(3);
  });

  test('never spreads bytes that are not what the id names', async () => {
    const nodes = createTestNodes(3);
    const block = makeBlock(1, 100);
    const wrong = { ...block, payload: new Uint8Array(100) };
    await nodes.node('n1').memory.put([wrong]);
    const check = ({ payload }: { payload: Uint8Array }) => Buffer.compare(payload, block.payload) === 0;
    const repair = () =>
      repairBlocks({ nodes, environment, replicas: 3, verify: check }, pages([block.blockId]));
    expect(await repair()).toMatchObject({ underReplicated: 1, repaired: 0, failedCopies: 2 });
    expect(await nodes.holders(block.blockId)).toEqual(['n1']);
    await nodes.node('n3').memory.put([block]);
    expect(await repair()).toMatchObject({ repaired: 1, failedCopies: 0 });
    expect((await nodes.node('n2').memory.get(block.blockId))?.payload).toEqual(block.payload);
  });

  test('does not bring back what metadata does not name', async () => {
    const { nodes, ids, repair } = await fill(3, 10);
    const { memory } = nodes.node('n1');
    const [location] = await memory.locate([ids[9] as BlockId]);
    await memory.delete(location as NonNullable<typeof location>);
    await repair({}, ids.slice(0, 9));
    expect(await nodes.holders(ids[9] as BlockId)).toEqual(['n2', 'n3']);
  });

  test('keeps to its bandwidth and stops when told', async () => {
    const simulated = createSimulatedEnvironment({ seed: 1 });
    const { nodes, repair } = await fill(4, 60);
    take(nodes, 'n1', 'out');
    const stop = new AbortController();
    let done: unknown = null;
    const running = repair({ environment: simulated, bytesPerSecond: 1000, signal: stop.signal }).then(
      (report) => {
        done = report;
      },
      (error: unknown) => {
        done = error;
      },
    );
    await simulated.advance(1000);
    const { blocks } = await nodes.node('n4').memory.usage();
    expect(done).toBeNull();
    stop.abort(new Error('told to stop'));
    await simulated.advance(10_000);
    await running;
    expect(done).toMatchObject({ message: 'told to stop' });
    expect(blocks).toBeLessThan(60);
  });

  test('after any losses of all but one replica all is as it was', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 3, max: 6 }),
        fc.array(fc.tuple(fc.nat(19), fc.nat(2)), { maxLength: 60 }),
        async (count, losses) => {
          const { nodes, ids, repair } = await fill(count, 20);
          for (const [which, skip] of losses) {
            const blockId = ids[which] as BlockId;
            const holders = await nodes.holders(blockId);
            if (holders.length === 1) continue;
            const { memory } = nodes.node(holders[skip % holders.length] as string);
            const [location] = await memory.locate([blockId]);
            await memory.delete(location as NonNullable<typeof location>);
          }
          const report = await repair();
          expect(report.repaired).toBe(report.underReplicated);
          expect(await copies(nodes, ids)).toEqual([3]);
        },
      ),
      { numRuns: 40 },
    );
  });
});
