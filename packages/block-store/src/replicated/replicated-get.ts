import type { StoredBlock } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import { type BlockId, CairnError, isCairnError } from '@cairn/model';
import type { ReadMemory } from '../block-store.ts';
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
  /** Blocks that are asked for at once at first; then as many as their sizes allow. */
  readonly firstWindowBlocks: number;
  /** Told of nodes, by their ids, that ought to have the block and do not, or have it damaged. */
  readonly onLacking: (block: StoredBlock, lacking: ReadonlySet<string>) => void;
  /** Told of blocks whose shards were not all there. */
  readonly onMissing: (blockIds: readonly BlockId[]) => void;
}

/** Payloads of one window; two are read or waiting to be taken. */
const WINDOW_BYTES = 12 * 1024 * 1024;
const MAX_WINDOW_BLOCKS = 256;
const MIN_WINDOW_BLOCKS = 4;

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
  getMany(blockIds: readonly BlockId[], memory?: ReadMemory): AsyncGenerator<StoredBlock | null>;
}

/** Blocks that are read at the same time. */
interface Window {
  /** In the order asked; each is called once. */
  readonly reads: readonly (() => Promise<StoredBlock | null>)[];
  /** Nobody looks at their payloads any more. */
  release(): void;
}

/** Memory that is given back all at once. */
interface WindowMemory extends ReadMemory {
  /** What is taken may be written to until what this returns is called, once or more often. */
  hold(): () => void;
  release(): void;
}

function leaseOf(memory: ReadMemory | undefined): WindowMemory {
  const taken: Uint8Array[] = [];
  let underWay = 0;
  return {
    take(sizeBytes) {
      const piece = memory?.take(sizeBytes) ?? null;
      if (piece !== null) taken.push(piece);
      return piece;
    },
    // Payloads of a window wait for their turn, longer than the store that reads them into memory knows.
    give: () => undefined,
    hold() {
      let isHeld = true;
      underWay++;
      return () => {
        if (isHeld) underWay--;
        isHeld = false;
      };
    },
    release() {
      // A node that was overtaken still writes to what it took: that is left to the garbage collector.
      if (underWay > 0) return;
      for (const piece of taken.splice(0)) memory?.give(piece);
    },
  };
}

/** How many blocks of this size are read at once: as few as keep nodes and connection busy, for they wait in memory. */
function fitWindow(blockBytes: number): number {
  const fitting = Math.ceil(WINDOW_BYTES / Math.max(1, blockBytes));
  return Math.min(MAX_WINDOW_BLOCKS, Math.max(MIN_WINDOW_BLOCKS, fitting));
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
  const { nodes, environment, verify, hedgeAfterMs, firstWindowBlocks } = options;
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

  /** One request to one node for many blocks, each of which is told as it comes. */
  async function askMany(
    node: ReplicaNode,
    blockIds: readonly BlockId[],
    memory: ReadMemory,
    onAnswer: (blockId: BlockId, answer: Answer) => void,
  ): Promise<void> {
    let position = 0;
    try {
      for await (const block of node.blocks.getMany(blockIds, memory)) {
        const blockId = blockIds[position++] as BlockId;
        if (block === null) onAnswer(blockId, { kind: 'absent' });
        else if (block.blockId === blockId && verify(block)) onAnswer(blockId, { kind: 'block', block });
        else onAnswer(blockId, { kind: 'damaged', error: wrongBytes(blockId) });
      }
      nodes.note(node.nodeId, 'answered');
    } catch (error) {
      // The others of this request are asked for one by one; a damaged block is no fault of the node's connection, and
      // what ends behind the last answer is none of anybody.
      if (position < blockIds.length && !isCairnError(error, 'data-damaged'))
        nodes.note(node.nodeId, 'failed', error);
    }
  }

  /** Waits for work as long as there is progress; a node that tells nothing for a while is overtaken. */
  async function patiently(work: Promise<unknown>, progress: () => number): Promise<void> {
    let cancel: () => void = () => undefined;
    const late = new Promise<void>((resolve) => {
      const watch = (before: number): void => {
        cancel = environment.timers.schedule(hedgeAfterMs * 4, () => {
          const now = progress();
          if (now === before) resolve();
          else watch(now);
        });
      };
      watch(progress());
    });
    await Promise.race([work, late]);
    cancel();
  }

  /** Begins to read blocks, each from the node that comes first for it. */
  function readWindow(blockIds: readonly BlockId[], memory: ReadMemory | undefined): Window {
    const all = nodes.list();
    const lease = leaseOf(memory);
    const byNode = new Map<ReplicaNode, BlockId[]>();
    const found = new Map<BlockId, { readonly nodeId: string; readonly answer: Answer }>();
    /** Resolve when a block's node has answered, or is not waited for any more. */
    const heard = new Map<BlockId, PromiseWithResolvers<void>>();
    const searches = new Map<BlockId, Promise<StoredBlock | null>>();
    for (const blockId of new Set(blockIds)) {
      const [first] = orderReaders(blockId, all);
      if (first === undefined) continue;
      heard.set(blockId, Promise.withResolvers());
      const list = byNode.get(first);
      if (list === undefined) byNode.set(first, [blockId]);
      else list.push(blockId);
    }
    function begin(blockId: BlockId): Promise<StoredBlock | null> {
      const known = found.get(blockId);
      const searching =
        searches.get(blockId) ??
        search(blockId, known === undefined ? undefined : new Map([[known.nodeId, known.answer]]));
      searches.set(blockId, searching);
      return searching;
    }
    async function readFrom(node: ReplicaNode, list: readonly BlockId[]): Promise<void> {
      let answers = 0;
      const letGo = lease.hold();
      const asking = askMany(node, list, lease, (blockId, answer) => {
        if (++answers === list.length) letGo();
        found.set(blockId, { nodeId: node.nodeId, answer });
        heard.get(blockId)?.resolve();
      });
      void asking.then(letGo);
      await patiently(asking, () => answers);
      for (const blockId of list) heard.get(blockId)?.resolve();
      searchAhead(
        list.filter((blockId) => found.get(blockId)?.answer.kind === 'absent'),
        begin,
      );
    }
    for (const [node, list] of byNode) void readFrom(node, list);
    return {
      reads: blockIds.map((blockId) => async () => {
        await heard.get(blockId)?.promise;
        const known = found.get(blockId);
        return known?.answer.kind === 'block' ? known.answer.block : begin(blockId);
      }),
      release: lease.release,
    };
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
    async *getMany(blockIds, memory) {
      let next = 0;
      let windowBlocks = firstWindowBlocks;
      function begin(): Window | null {
        const some = blockIds.slice(next, next + windowBlocks);
        next += some.length;
        return some.length === 0 ? null : readWindow(some, memory);
      }
      for (let window = begin(); window !== null; ) {
        const following = begin();
        let sizeBytes = 0;
        for (const read of window.reads) {
          const block = await read();
          sizeBytes += block?.payload.length ?? 0;
          yield block;
        }
        // Whoever asks for the next block is done with all of these.
        window.release();
        windowBlocks = fitWindow(sizeBytes / window.reads.length);
        window = following;
      }
    },
  };
}
