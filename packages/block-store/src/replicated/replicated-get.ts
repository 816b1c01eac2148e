import type { StoredBlock } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import { type BlockId, CairnError, isCairnError } from '@cairn/model';
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
}

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

  /**
   * Asks one node after the other, the next as soon as one cannot help or takes long.
   * @param before what nodes said that were asked already
   */
  function search(
    blockId: BlockId,
    before: ReadonlyMap<string, Answer> = new Map(),
  ): Promise<StoredBlock | null> {
    const all = nodes.list();
    const readers = orderReaders(blockId, all).filter(({ nodeId }) => !before.has(nodeId));
    const answers = new Map(before);
    return new Promise((resolve, reject) => {
      let asked = 0;
      let underWay = 0;
      let done = false;
      let cancelHedge: () => void = () => undefined;

      function finish(block: StoredBlock): void {
        done = true;
        cancelHedge();
        resolve(block);
        const lacking = [...answers].flatMap(([nodeId, { kind }]) =>
          kind === 'absent' || kind === 'damaged' ? [nodeId] : [],
        );
        if (lacking.length > 0) options.onLacking(block, new Set(lacking));
      }

      function next(): void {
        cancelHedge();
        const node = readers[asked];
        if (node === undefined) {
          if (underWay > 0) return;
          done = true;
          try {
            resolve(verdict(blockId, [...answers.values()], all));
          } catch (error) {
            reject(error);
          }
          return;
        }
        asked++;
        underWay++;
        cancelHedge = environment.timers.schedule(hedgeAfterMs, () => {
          if (!done && asked < readers.length) next();
        });
        ask(node, blockId).then((answer) => {
          underWay--;
          if (done) return;
          answers.set(node.nodeId, answer);
          if (answer.kind === 'block') finish(answer.block);
          else next();
        }, reject);
      }
      next();
    });
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
    return blockIds.map((blockId) => async () => {
      const known = found.get(blockId);
      if (known?.answer.kind === 'block') return known.answer.block;
      return search(blockId, known === undefined ? undefined : new Map([[known.nodeId, known.answer]]));
    });
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
