import type { StoredBlock } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import { type BlockId, CairnError, isCairnError } from '@cairn/model';
import { createCodedGet } from '../coded/coded-get.ts';
import { orderNodes } from './placement.ts';
import type { ReplicaNode, ReplicaNodes } from './replica-node.ts';

export interface ReplicatedGetOptions {
  readonly nodes: ReplicaNodes;
  readonly environment: Environment;
  /** Whether the payload really is what the id names. */
  readonly verify: (block: StoredBlock) => boolean;
  /** The next node is asked, too, when one has not answered after this long. */
  readonly hedgeAfterMs: number;
  /** Blocks asked for in one request. */
  readonly windowBlocks: number;
  /** Told of nodes, by their ids, that ought to have the block and do not, or have it damaged. */
  readonly onLacking: (block: StoredBlock, lacking: ReadonlySet<string>) => void;
  /** Told of blocks whose shards were not all there. */
  readonly onMissing: (blockIds: readonly BlockId[]) => void;
}

/** Searches of one window at a time, for blocks that the first node did not have. */
const SEARCHES = 8;

/** The shards of a block, among the names of nodes. */
const SHARDS = '';

/** What one node said of one block. */
type Answer =
  | { readonly kind: 'block'; readonly block: StoredBlock }
  | { readonly kind: 'absent' }
  | { readonly kind: 'damaged' | 'failed'; readonly error: unknown };

export interface ReplicatedGet {
  /** See `BlockStore.get`: `null` only when every node that could have the block was asked. */
  get(blockId: BlockId): Promise<StoredBlock | null>;
  /** See `BlockStore.getMany`. */
  getMany(blockIds: readonly BlockId[]): AsyncGenerator<StoredBlock | null>;
}

/** In the order of asking: nodes that are up before those that are suspect, each in the block's own order. */
export function orderReaders(blockId: BlockId, all: readonly ReplicaNode[]): ReplicaNode[] {
  const readable = orderNodes(
    blockId,
    all.filter((node) => node.isReadable),
  );
  return [...readable.filter((node) => node.isUp), ...readable.filter((node) => !node.isUp)];
}

export function createReplicatedGet(options: ReplicatedGetOptions): ReplicatedGet {
  const { nodes, environment, verify, hedgeAfterMs, windowBlocks } = options;
  const readShards = createCodedGet({ nodes, environment, verify, hedgeAfterMs });

  function wrongBytes(blockId: BlockId): CairnError {
    return new CairnError('data-damaged', `a storage node answered other bytes than block ${blockId} has`, {
      details: { blockId },
    });
  }

  async function ask(node: ReplicaNode, blockId: BlockId): Promise<Answer> {
    try {
      const block = await node.blocks.get(blockId);
      nodes.note(node.nodeId, 'answered');
      if (block === null) return { kind: 'absent' };
      if (block.blockId === blockId && verify(block)) return { kind: 'block', block };
      environment.log.error('storage-nodes.wrong-bytes', { nodeId: node.nodeId, blockId });
      return { kind: 'damaged', error: wrongBytes(blockId) };
    } catch (error) {
      if (isCairnError(error, 'data-damaged')) return { kind: 'damaged', error };
      nodes.note(node.nodeId, 'failed', error);
      return { kind: 'failed', error };
    }
  }

  function verdict(blockId: BlockId, answers: readonly Answer[], all: readonly ReplicaNode[]): null {
    const damaged = answers.find((answer) => answer.kind === 'damaged');
    const failed = answers.find((answer) => answer.kind === 'failed');
    const silent = all.filter((node) => !node.isReadable).length;
    if (failed !== undefined || silent > 0) {
      throw new CairnError(
        'unavailable',
        `block ${blockId} may be on storage nodes that do not answer now; try again when "cairn admin nodes" shows them up`,
        { cause: failed?.kind === 'failed' ? failed.error : undefined, details: { blockId, silent } },
      );
    }
    if (damaged !== undefined) {
      throw new CairnError(
        'data-damaged',
        `block ${blockId} is damaged on every storage node that has it; upload the file again from a device that has it, or restore the block from a backup`,
        { cause: damaged.kind === 'damaged' ? damaged.error : undefined, details: { blockId } },
      );
    }
    return null;
  }

  async function askForShards(blockId: BlockId): Promise<Answer> {
    const answer = await readShards(blockId);
    if (answer.kind === 'block' && answer.isLacking) options.onMissing([blockId]);
    return answer;
  }

  /**
   * Asks one node after the other, the next as soon as one cannot help or takes long; once one lacks the block, for its
   * shards, too.
   * @param before what nodes said that were asked already
   */
  function look(blockId: BlockId, before: ReadonlyMap<string, Answer>): Promise<StoredBlock | null> {
    const all = nodes.list();
    const readers = orderReaders(blockId, all).filter(({ nodeId }) => !before.has(nodeId));
    const answers = new Map(before);
    return new Promise((resolve, reject) => {
      let asked = 0;
      let wereShardsAsked = false;
      let underWay = 0;
      let done = false;
      let cancelHedge: () => void = () => undefined;

      function finish(block: StoredBlock, source: string): void {
        done = true;
        cancelHedge();
        resolve(block);
        // Nodes lack a coded block by intention.
        if (source === SHARDS) return;
        const lacking = [...answers].flatMap(([nodeId, { kind }]) =>
          kind === 'absent' || kind === 'damaged' ? [nodeId] : [],
        );
        if (lacking.length > 0) options.onLacking(block, new Set(lacking));
      }

      /** Who is asked next, and how. */
      function take(): { readonly source: string; readonly ask: () => Promise<Answer> } | null {
        const isLacking = [...answers.values()].some(({ kind }) => kind === 'absent' || kind === 'damaged');
        if (!wereShardsAsked && (isLacking || asked >= readers.length)) {
          wereShardsAsked = true;
          return { source: SHARDS, ask: () => askForShards(blockId) };
        }
        const node = readers[asked];
        if (node === undefined) return null;
        asked++;
        return { source: node.nodeId, ask: () => ask(node, blockId) };
      }

      function next(): void {
        cancelHedge();
        const taken = take();
        if (taken === null) {
          if (underWay > 0) return;
          done = true;
          try {
            resolve(verdict(blockId, [...answers.values()], all));
          } catch (error) {
            reject(error);
          }
          return;
        }
        underWay++;
        cancelHedge = environment.timers.schedule(hedgeAfterMs, () => {
          if (!done && (asked < readers.length || !wereShardsAsked)) next();
        });
        taken.ask().then((answer) => {
          underWay--;
          if (done) return;
          answers.set(taken.source, answer);
          if (answer.kind === 'block') finish(answer.block, taken.source);
          else next();
        }, reject);
      }
      next();
    });
  }

  /** A block may change between replicas and shards while it is looked for: nobody has it only if a second look says so. */
  async function search(blockId: BlockId, before?: ReadonlyMap<string, Answer>): Promise<StoredBlock | null> {
    try {
      const found = await look(blockId, before ?? new Map());
      if (found !== null) return found;
    } catch (error) {
      if (!isCairnError(error, 'data-damaged')) throw error;
    }
    return look(blockId, new Map());
  }

  /** One request to one node for many blocks; what it did not answer is not in the map. */
  async function askMany(node: ReplicaNode, blockIds: readonly BlockId[]): Promise<Map<BlockId, Answer>> {
    const answers = new Map<BlockId, Answer>();
    let position = 0;
    try {
      for await (const block of node.blocks.getMany(blockIds)) {
        const blockId = blockIds[position++] as BlockId;
        if (block === null) answers.set(blockId, { kind: 'absent' });
        else if (block.blockId === blockId && verify(block)) answers.set(blockId, { kind: 'block', block });
        else answers.set(blockId, { kind: 'damaged', error: wrongBytes(blockId) });
      }
      nodes.note(node.nodeId, 'answered');
    } catch (error) {
      // The others of this request are asked for one by one; a damaged block is no fault of the node's connection.
      if (!isCairnError(error, 'data-damaged')) nodes.note(node.nodeId, 'failed', error);
    }
    return answers;
  }

  /** Resolves after the time at which a slow node is overtaken, or when the work is done. */
  async function patiently(work: Promise<unknown>): Promise<void> {
    let cancel: () => void = () => undefined;
    const late = new Promise<void>((resolve) => {
      cancel = environment.timers.schedule(hedgeAfterMs * 4, resolve);
    });
    await Promise.race([work, late]);
    cancel();
  }

  async function readWindow(blockIds: readonly BlockId[]): Promise<(() => Promise<StoredBlock | null>)[]> {
    const all = nodes.list();
    const byNode = new Map<ReplicaNode, BlockId[]>();
    for (const blockId of new Set(blockIds)) {
      const [first] = orderReaders(blockId, all);
      if (first === undefined) continue;
      const list = byNode.get(first);
      if (list === undefined) byNode.set(first, [blockId]);
      else list.push(blockId);
    }
    const found = new Map<BlockId, { readonly nodeId: string; readonly answer: Answer }>();
    const requests = [...byNode].map(async ([node, list]) => {
      for (const [blockId, answer] of await askMany(node, list))
        found.set(blockId, { nodeId: node.nodeId, answer });
    });
    await patiently(Promise.all(requests));
    const searches = new Map<BlockId, Promise<StoredBlock | null>>();
    function begin(blockId: BlockId): Promise<StoredBlock | null> {
      const known = found.get(blockId);
      const searching =
        searches.get(blockId) ??
        search(blockId, known === undefined ? undefined : new Map([[known.nodeId, known.answer]]));
      searches.set(blockId, searching);
      return searching;
    }
    searchAhead(
      [...found].filter(([, { answer }]) => answer.kind === 'absent').map(([blockId]) => blockId),
      begin,
    );
    return blockIds.map((blockId) => async () => {
      const known = found.get(blockId);
      return known?.answer.kind === 'block' ? known.answer.block : begin(blockId);
    });
  }

  /** What the first node does not have is most likely coded: several of those are read at a time. */
  function searchAhead(blockIds: readonly BlockId[], begin: (blockId: BlockId) => Promise<unknown>): void {
    const left = [...blockIds];
    async function goOn(): Promise<void> {
      for (let blockId = left.shift(); blockId !== undefined; blockId = left.shift()) {
        // Whoever reads the block meets what went wrong.
        await begin(blockId).catch(() => undefined);
      }
    }
    for (let lane = 0; lane < SEARCHES; lane++) void goOn();
  }

  return {
    get: (blockId) => search(blockId),
    async *getMany(blockIds) {
      let ahead: ReturnType<typeof readWindow> | null = null;
      for (let start = 0; start < blockIds.length; start += windowBlocks) {
        const reads = await (ahead ?? readWindow(blockIds.slice(start, start + windowBlocks)));
        const following = blockIds.slice(start + windowBlocks, start + 2 * windowBlocks);
        ahead = following.length === 0 ? null : readWindow(following);
        for (const read of reads) yield await read();
      }
    },
  };
}
