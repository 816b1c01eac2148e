import { createHash } from 'node:crypto';
import type { BlockId } from '@cairn/model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { orderNodes, type PlacementNode } from './placement.ts';

const blockId = (seed: number) => `01${createHash('sha256').update(`${seed}`).digest('hex')}` as BlockId;
const node = (nodeId: string, weight = 1, zone = ''): PlacementNode => ({ nodeId, weight, zone });
const ids = (nodes: readonly PlacementNode[]) => nodes.map(({ nodeId }) => nodeId);
const BLOCKS = 20_000;

const someNodes = fc
  .uniqueArray(fc.tuple(fc.string({ minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 8 })), {
    minLength: 1,
    maxLength: 8,
    selector: ([nodeId]) => nodeId,
  })
  .map((pairs) => pairs.map(([nodeId, weight]) => node(nodeId, weight)));

describe('placement', () => {
  test('names each node once, and the same order whatever order the nodes are listed in', () => {
    fc.assert(
      fc.property(someNodes, fc.nat(), (nodes, seed) => {
        const order = orderNodes(blockId(seed), nodes);
        expect(ids(order).sort()).toEqual(ids(nodes).sort());
        expect(ids(orderNodes(blockId(seed), [...nodes].reverse()))).toEqual(ids(order));
      }),
    );
  });

  test('a node that joins or leaves changes the order of no other two', () => {
    fc.assert(
      fc.property(someNodes, fc.nat(), fc.nat(), (nodes, seed, which) => {
        const gone = nodes[which % nodes.length] as PlacementNode;
        const before = orderNodes(blockId(seed), nodes).filter((each) => each !== gone);
        const rest = nodes.filter((each) => each !== gone);
        expect(ids(orderNodes(blockId(seed), rest))).toEqual(ids(before));
      }),
    );
  });

  test('every node gets blocks in proportion to its weight', () => {
    const nodes = [node('a', 1), node('b', 2), node('c', 1), node('d', 4)];
    const counts = new Map<string, number>();
    for (let seed = 0; seed < BLOCKS; seed++) {
      const [first] = ids(orderNodes(blockId(seed), nodes)) as [string];
      counts.set(first, (counts.get(first) ?? 0) + 1);
    }
    for (const { nodeId, weight } of nodes) {
      const expected = (BLOCKS * weight) / 8;
      expect(Math.abs((counts.get(nodeId) ?? 0) - expected)).toBeLessThan(expected * 0.06);
    }
  });

  test('a fourth node takes its share and moves nothing between the others', () => {
    const three = ['one', 'two', 'three'].map((nodeId) => node(nodeId));
    const four = [...three, node('four')];
    let moved = 0;
    for (let seed = 0; seed < BLOCKS; seed++) {
      const before = new Set(ids(orderNodes(blockId(seed), three)).slice(0, 2));
      const after = ids(orderNodes(blockId(seed), four)).slice(0, 2);
      const arrived = after.filter((nodeId) => !before.has(nodeId));
      expect(arrived.every((nodeId) => nodeId === 'four')).toBe(true);
      moved += arrived.length;
    }
    expect(Math.abs(moved - BLOCKS / 2)).toBeLessThan(BLOCKS * 0.03);
  });

  test('no two replicas are in one zone while another has none', () => {
    const nodes = [
      node('a1', 5, 'a'),
      node('a2', 5, 'a'),
      node('a3', 5, 'a'),
      node('b1', 1, 'b'),
      node('c1', 1, 'c'),
    ];
    for (let seed = 0; seed < 500; seed++) {
      const zones = orderNodes(blockId(seed), nodes).map(({ zone }) => zone);
      expect(new Set(zones.slice(0, 3)).size).toBe(3);
    }
  });
});
