import type { BlockId } from '@cairn/model';

/** What placement needs to know of a storage node. */
export interface PlacementNode {
  readonly nodeId: string;
  /** Share of the blocks that it gets, in proportion to the others; more than 0. */
  readonly weight: number;
  /** What fails together (a machine, a room). `''` is a zone of the node's own. */
  readonly zone: string;
}

/** 32 bits of FNV-1a of a node's id; made once for each node. */
function hashText(text: string, seed: number): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash;
}

/** The finaliser of MurmurHash3: every bit of the input changes half of the bits of the result. */
function mix(value: number): number {
  let hash = value >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const seeds = new Map<string, readonly [number, number]>();
const MAX_SEEDS = 10_000;

function seedsOf(nodeId: string): readonly [number, number] {
  let pair = seeds.get(nodeId);
  if (pair === undefined) {
    if (seeds.size >= MAX_SEEDS) seeds.clear();
    pair = [hashText(nodeId, 0), hashText(nodeId, 0x9e3779b9)];
    seeds.set(nodeId, pair);
  }
  return pair;
}

/**
 * How much a node wants a block. Block ids are SHA-256, so 48 bits of them are as good as random.
 * -weight ÷ ln(h) makes the highest score fall on each node in proportion to its weight (Schindelhauer and
 * Schomaker, "Weighted distributed hash tables", 2005).
 */
function scoreOf(high: number, low: number, { nodeId, weight }: PlacementNode): number {
  const [first, second] = seedsOf(nodeId);
  const upper = mix(high ^ first);
  const lower = mix(low ^ second ^ upper);
  const fraction = ((upper >>> 6) * 2 ** 27 + (lower >>> 5) + 1) / (2 ** 53 + 2);
  return -weight / Math.log(fraction);
}

/**
 * All nodes in the order in which the block belongs on them: first one node of each zone, best scores first, then the
 * others. Every process comes to the same order from the same nodes, in whatever order it lists them; a node that is
 * added or removed changes the order of no other two but for zones.
 */
export function orderNodes<Node extends PlacementNode>(blockId: BlockId, nodes: readonly Node[]): Node[] {
  const high = Number.parseInt(blockId.slice(2, 10), 16);
  const low = Number.parseInt(blockId.slice(10, 18), 16);
  const scored = nodes.map((node) => ({ node, score: scoreOf(high, low, node) }));
  scored.sort((a, b) => b.score - a.score || (a.node.nodeId < b.node.nodeId ? -1 : 1));
  const zones = new Set<string>();
  const first: Node[] = [];
  const others: Node[] = [];
  for (const { node } of scored) {
    const isNew = node.zone === '' || !zones.has(node.zone);
    (isNew ? first : others).push(node);
    zones.add(node.zone);
  }
  return [...first, ...others];
}
