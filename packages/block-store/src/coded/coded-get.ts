import type { StoredBlock } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import { ALL_SHARDS, DATA_SHARDS } from '@cairn/kernels';
import { type BlockId, CairnError, isCairnError, shardIdOf } from '@cairn/model';
import type { ReplicaNode, ReplicaNodes } from '../replicated/replica-node.ts';
import { decodeShards, parseShard, type Shard } from './shard-format.ts';

export interface CodedGetOptions {
  readonly nodes: ReplicaNodes;
  readonly environment: Environment;
  /** Whether the payload really is what the id names. */
  readonly verify: (block: StoredBlock) => boolean;
  /** One more shard is asked for when those that were have not come after this long. */
  readonly hedgeAfterMs: number;
}

export type CodedAnswer =
  /** `isLacking`: a shard that a node said to have was damaged or gone. */
  | { readonly kind: 'block'; readonly block: StoredBlock; readonly isLacking: boolean }
  /** No node has a shard. */
  | { readonly kind: 'absent' }
  /** There are shards, and they do not make the block. */
  | { readonly kind: 'damaged'; readonly error: unknown }
  /** As before, but a node did not answer. */
  | { readonly kind: 'failed'; readonly error: unknown };

interface Candidate {
  readonly node: ReplicaNode;
  readonly index: number;
}

/**
 * Reads a block from its shards: asks all nodes in one round who has which, then for four of them at the same time; for
 * another one when one fails, is damaged, of another set, or late. Never answers bytes that `verify` does not accept.
 */
export function createCodedGet(options: CodedGetOptions): (blockId: BlockId) => Promise<CodedAnswer> {
  const { nodes, environment, verify, hedgeAfterMs } = options;

  return function readShards(blockId) {
    const readable = nodes.list().filter((node) => node.isReadable);
    const shardIds = Array.from({ length: ALL_SHARDS }, (_, index) => shardIdOf(blockId, index));
    const waiting: Candidate[] = [];
    /** Indexes that were asked for and have not failed. */
    const begun = new Map<number, number>();
    const sets = new Map<string, Map<number, Shard>>();
    let [locating, fetching, extra, seen] = [readable.length, 0, 0, 0];
    let isPatient = true;
    let wasProbed = false;
    let isDone = false;
    let [failure, damage]: [unknown, unknown] = [undefined, undefined];
    let cancelTimer: () => void = () => undefined;

    return new Promise((resolve, reject) => {
      function finish(answer: CodedAnswer): void {
        isDone = true;
        cancelTimer();
        resolve(answer);
      }

      function fail(error: unknown): void {
        isDone = true;
        cancelTimer();
        reject(error);
      }

      function missing(): number {
        return DATA_SHARDS - Math.max(0, ...[...sets.values()].map(({ size }) => size));
      }

      /** Data before parity, since they need no sums; what nobody was asked for before the others; nodes that are up first. */
      function take(): Candidate {
        const rank = ({ node, index }: Candidate) =>
          (begun.get(index) ?? 0) * 100 + (node.isUp ? 0 : 10) + index;
        const best = waiting.reduce((least, each) => (rank(each) < rank(least) ? each : least));
        waiting.splice(waiting.indexOf(best), 1);
        return best;
      }

      function next(): void {
        if (isDone) return;
        const known = new Set([...waiting.map(({ index }) => index), ...begun.keys()]);
        const hasData = [...known].filter((index) => index < DATA_SHARDS).length === DATA_SHARDS;
        if (locating === 0 || hasData || (!isPatient && known.size >= DATA_SHARDS)) {
          while (waiting.length > 0 && fetching < missing() + extra) void fetch(take()).catch(fail);
        }
        if (fetching > 0 || waiting.length > 0 || locating > 0) return;
        if (!wasProbed) {
          wasProbed = true;
          for (const node of readable) void probe(node).catch(fail);
          if (readable.length > 0) return;
        }
        if (failure !== undefined) finish({ kind: 'failed', error: failure });
        else if (seen === 0 && damage === undefined) finish({ kind: 'absent' });
        else finish({ kind: 'damaged', error: damage ?? tooFew(blockId) });
      }

      function add(shard: Shard): void {
        const set = sets.get(shard.set) ?? new Map<number, Shard>();
        sets.set(shard.set, set.set(shard.index, shard));
        if (set.size < DATA_SHARDS) return;
        const block = decodeShards([...set.values()]);
        if (verify(block)) {
          finish({ kind: 'block', block, isLacking: damage !== undefined });
          return;
        }
        environment.log.error('storage-nodes.wrong-shards', { blockId, set: shard.set });
        sets.delete(shard.set);
        damage = wrongBytes(blockId);
      }

      async function fetch({ node, index }: Candidate): Promise<void> {
        fetching++;
        begun.set(index, (begun.get(index) ?? 0) + 1);
        const shard = await getShard(node, shardIds[index] as BlockId);
        fetching--;
        if (isDone) return;
        if (shard !== null) add(shard);
        else if (begun.get(index) === 1) begun.delete(index);
        else begun.set(index, (begun.get(index) as number) - 1);
        next();
      }

      async function getShard(node: ReplicaNode, shardId: BlockId): Promise<Shard | null> {
        try {
          const record = await node.blocks.get(shardId);
          nodes.note(node.nodeId, 'answered');
          const shard = record === null || record.blockId !== shardId ? null : parseShard(record);
          if (shard === null) damage = record === null ? tooFew(blockId) : wrongBytes(blockId);
          return shard;
        } catch (error) {
          if (isCairnError(error, 'data-damaged')) damage = error;
          else {
            nodes.note(node.nodeId, 'failed', error);
            failure = error;
          }
          return null;
        }
      }

      /** Shards that a node knows to be damaged are in no list of where they are; only asking for them tells. */
      async function probe(node: ReplicaNode): Promise<void> {
        fetching++;
        try {
          for await (const record of node.blocks.getMany(shardIds)) {
            const shard = record === null ? null : parseShard(record);
            if (shard !== null && !isDone) add(shard);
          }
        } catch (error) {
          if (isCairnError(error, 'data-damaged')) damage = error;
          else {
            nodes.note(node.nodeId, 'failed', error);
            failure = error;
          }
        }
        fetching--;
        next();
      }

      async function locate(node: ReplicaNode): Promise<void> {
        try {
          const locations = await node.blocks.locate(shardIds);
          nodes.note(node.nodeId, 'answered');
          for (const [index, location] of locations.entries()) {
            if (location !== null) waiting.push({ node, index });
            if (location !== null) seen++;
          }
        } catch (error) {
          nodes.note(node.nodeId, 'failed', error);
          failure = error;
        }
        locating--;
        next();
      }

      function hedge(): void {
        cancelTimer = environment.timers.schedule(hedgeAfterMs, () => {
          if (isDone) return;
          isPatient = false;
          if (fetching > 0) extra++;
          hedge();
          next();
        });
      }

      for (const node of readable) void locate(node).catch(fail);
      if (readable.length > 0) hedge();
      next();
    });
  };
}

function tooFew(blockId: BlockId): CairnError {
  return new CairnError('data-damaged', `storage nodes have too few shards of block ${blockId}`, {
    details: { blockId },
  });
}

function wrongBytes(blockId: BlockId): CairnError {
  return new CairnError(
    'data-damaged',
    `a storage node answered other bytes than a shard of block ${blockId} has`,
    {
      details: { blockId },
    },
  );
}
