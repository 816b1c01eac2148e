import type { StoredBlock } from '@cairn/content';
import { type BlockId, CairnError, ERROR_CODES, type ErrorCode, isCairnError } from '@cairn/model';
import {
  decodeFrames,
  decodeLocations,
  encodeEnd,
  encodeFrame,
  encodeIds,
  NODE_LIMITS,
  NODE_PATHS,
  type NodeFrame,
  type NodeStatus,
  nodeCompactedSchema,
  nodeDeletedSchema,
  nodeProblemSchema,
  nodeScrubbedSchema,
  nodeStatusSchema,
} from '@cairn/protocol';
import type { BlockLocation, BlockStore, Fence } from '../block-store.ts';
import { gatherQuestions } from './gather-questions.ts';
import { collectBytes, type NodeConnection } from './node-connection.ts';

/** The blocks of one storage node. */
export interface RemoteBlockStore extends BlockStore {
  /** What the node says of itself. Throws `unavailable` when it does not answer. */
  status(): Promise<NodeStatus>;
}

interface Delete {
  readonly blockId: BlockId;
  readonly generation: number;
  readonly fence: Fence | undefined;
}

const BATCH_BYTES = 16 * 1024 * 1024;
const GET_BLOCKS = 256;
const MAX_JSON_BYTES = 64 * 1024;
/** A day of signs of life, and a thousand ids. */
const MAX_REPORT_BYTES = 256 * 1024;
const MAX_LOCATIONS_BYTES = 1024 * 1024;

/** What is known of work that was given up: the node ends it when the connection does, and says nothing more. */
const NOTHING_COMPACTED = {
  segmentsRewritten: 0,
  segmentsRemoved: 0,
  movedBytes: 0,
  freedBytes: 0,
  skippedDamaged: 0,
};
const NOTHING_SCRUBBED = {
  checkedBlocks: 0,
  checkedBytes: 0,
  damaged: [],
  damagedCount: 0,
  unreadable: 0,
  durationMs: 0,
};

/** Splits blocks so that each request is within what a node takes. */
function* batches(blocks: readonly StoredBlock[]): Generator<StoredBlock[]> {
  let batch: StoredBlock[] = [];
  let sizeBytes = 0;
  for (const block of blocks) {
    const isFull = batch.length >= NODE_LIMITS.maxBlocks || sizeBytes + block.payload.length > BATCH_BYTES;
    if (isFull && batch.length > 0) {
      yield batch;
      batch = [];
      sizeBytes = 0;
    }
    batch.push(block);
    sizeBytes += block.payload.length;
  }
  if (batch.length > 0) yield batch;
}

function* slices<Item>(items: readonly Item[], length: number): Generator<Item[]> {
  for (let start = 0; start < items.length; start += length) yield items.slice(start, start + length);
}

function* runsOfOneFence(deletes: readonly Delete[]): Generator<Delete[]> {
  let run: Delete[] = [];
  for (const each of deletes) {
    const last = run.at(-1)?.fence;
    if (run.length > 0 && (last?.job !== each.fence?.job || last?.token !== each.fence?.token)) {
      yield run;
      run = [];
    }
    run.push(each);
  }
  if (run.length > 0) yield run;
}

/** The block store that a storage node keeps, spoken to over the network. */
export function createRemoteBlockStore(connection: NodeConnection): RemoteBlockStore {
  let closed = false;

  function checkOpen(): void {
    if (closed) throw new CairnError('unavailable', 'the block store is closed; start the server again');
  }

  /** What breaks off or is garbled says nothing about blocks, only about the way to them. */
  function unreadable(error: unknown): unknown {
    if (!isCairnError(error, 'bad-request', 'too-large')) return error;
    return new CairnError('unavailable', 'a storage node broke off or answered what is not understood', {
      cause: error,
    });
  }

  async function ask(path: string, parts: readonly Uint8Array[] | null, maxBytes: number): Promise<Buffer> {
    checkOpen();
    return collectBytes(await connection.send(path, parts), maxBytes);
  }

  async function askJson(path: string, body: unknown): Promise<unknown> {
    const parts = body === null ? null : [Buffer.from(JSON.stringify(body))];
    const bytes = await ask(path, parts, MAX_JSON_BYTES);
    try {
      return JSON.parse(bytes.toString());
    } catch (error) {
      throw new CairnError('unavailable', 'a storage node answered what is not understood', { cause: error });
    }
  }

  /** Long work: the node shows that it is alive until it has the result. */
  async function runLong<Report>(
    path: string,
    { signal, ...options }: { readonly signal?: AbortSignal },
    schema: { safeParse(value: unknown): { success: true; data: Report } | { success: false } },
  ): Promise<Report> {
    checkOpen();
    const body = await connection.send(path, [Buffer.from(JSON.stringify(options))], signal);
    const bytes = await collectBytes(body, MAX_REPORT_BYTES);
    let value: { readonly report?: unknown; readonly problem?: unknown };
    try {
      value = JSON.parse(bytes.toString()) as typeof value;
    } catch (error) {
      throw new CairnError('unavailable', 'a storage node answered what is not understood', { cause: error });
    }
    const problem = nodeProblemSchema.safeParse(value.problem);
    if (problem.success && Object.hasOwn(ERROR_CODES, problem.data.code)) {
      throw new CairnError(problem.data.code as ErrorCode, problem.data.detail);
    }
    const report = schema.safeParse(value.report);
    if (report.success) return report.data;
    throw new CairnError('unavailable', 'a storage node answered what is not understood');
  }

  async function status(): Promise<NodeStatus> {
    const parsed = nodeStatusSchema.safeParse(await askJson(NODE_PATHS.status, null));
    if (parsed.success) return parsed.data;
    throw new CairnError('unavailable', 'a storage node describes itself in a way that is not understood', {
      cause: parsed.error,
    });
  }

  async function locate(blockIds: readonly BlockId[]): Promise<(BlockLocation | null)[]> {
    const found: (BlockLocation | null)[] = [];
    for (const slice of slices(blockIds, NODE_LIMITS.maxBlocks)) {
      const bytes = await ask(NODE_PATHS.locate, [encodeIds(slice)], MAX_LOCATIONS_BYTES);
      const locations = decodeLocations(bytes);
      if (locations.length !== slice.length || locations.some((each, at) => each.blockId !== slice[at])) {
        throw new CairnError('unavailable', 'a storage node answered for other blocks than was asked for');
      }
      for (const location of locations) found.push(location.generation === 0 ? null : location);
    }
    return found;
  }

  /** Settle when what is to be deleted of a block is. */
  const deletes = new Map<BlockId, Promise<unknown>>();
  // Collections ask for and delete blocks one by one, and many at a time.
  const locateOne = gatherQuestions(locate, NODE_LIMITS.maxBlocks);
  const deleteOne = gatherQuestions(async (deletes: readonly Delete[]) => {
    const outcomes: { readonly deleted: boolean; readonly error?: unknown }[] = [];
    for (const some of runsOfOneFence(deletes)) {
      try {
        for (const deleted of await deleteTogether(some)) outcomes.push({ deleted });
      } catch (error) {
        // Whose fence is refused takes nobody else along.
        for (const _ of some) outcomes.push({ deleted: false, error });
      }
    }
    return outcomes;
  }, NODE_LIMITS.maxDeletes);

  async function deleteTogether(deletes: readonly Delete[]): Promise<readonly boolean[]> {
    const fence = deletes[0]?.fence;
    const locations = deletes.map(({ blockId, generation }) => ({ blockId, generation }));
    const body = { locations, ...(fence === undefined ? {} : { fence }) };
    const parsed = nodeDeletedSchema.safeParse(await askJson(NODE_PATHS.delete, body));
    if (parsed.success && parsed.data.deleted.length === locations.length) return parsed.data.deleted;
    throw new CairnError('unavailable', 'a storage node answered what is not understood');
  }

  async function* frames(
    blockIds: readonly BlockId[],
    allocate?: (sizeBytes: number) => Uint8Array,
  ): AsyncGenerator<NodeFrame> {
    let position = 0;
    try {
      const answer = await connection.send(NODE_PATHS.get, [encodeIds(blockIds)]);
      for await (const frame of decodeFrames(answer, allocate === undefined ? {} : { allocate })) {
        const blockId = frame.status === 'block' ? frame.block.blockId : frame.blockId;
        if (blockId !== blockIds[position++]) {
          throw new CairnError('unavailable', 'a storage node answered for other blocks than was asked for');
        }
        yield frame;
      }
    } catch (error) {
      throw unreadable(error);
    }
    if (position !== blockIds.length) {
      throw new CairnError('unavailable', 'a storage node answered for fewer blocks than was asked for');
    }
  }

  function take(frame: NodeFrame): StoredBlock | null {
    if (frame.status === 'block') return frame.block;
    if (frame.status === 'absent') return null;
    throw new CairnError('data-damaged', `block ${frame.blockId} is damaged on a storage node`, {
      details: { blockId: frame.blockId, generation: frame.number },
    });
  }

  return {
    status,
    async put(blocks, above) {
      checkOpen();
      const unique = new Map<BlockId, StoredBlock>();
      for (const block of blocks) unique.set(block.blockId, block);
      // What a delete is about to take must not count as there already.
      await Promise.all([...unique.keys()].map((blockId) => deletes.get(blockId)));
      const locations = new Map<BlockId, BlockLocation>();
      for (const batch of batches([...unique.values()])) {
        const parts = batch.flatMap((block) =>
          encodeFrame({ status: 'block', block, number: above?.get(block.blockId) ?? 0 }),
        );
        const bytes = await ask(NODE_PATHS.put, [...parts, encodeEnd(batch.length)], MAX_LOCATIONS_BYTES);
        for (const location of decodeLocations(bytes)) locations.set(location.blockId, location);
      }
      return blocks.map(({ blockId }) => {
        const location = locations.get(blockId);
        if (location !== undefined) return location;
        throw new CairnError('unavailable', 'a storage node did not say that it has all blocks');
      });
    },
    async get(blockId) {
      checkOpen();
      let found: StoredBlock | null = null;
      for await (const frame of frames([blockId])) found = take(frame);
      return found;
    },
    async *getMany(blockIds, memory) {
      let taken: Uint8Array | null = null;
      function allocate(sizeBytes: number): Uint8Array {
        // Whoever asks for the next block is done with the one before.
        if (taken !== null) memory?.give(taken);
        taken = memory?.take(sizeBytes) ?? null;
        return taken ?? new Uint8Array(sizeBytes);
      }
      for (const slice of slices(blockIds, GET_BLOCKS)) {
        checkOpen();
        for await (const frame of frames(slice, allocate)) yield take(frame);
      }
      if (taken !== null) memory?.give(taken);
    },
    async has(blockIds) {
      checkOpen();
      return (await locate(blockIds)).map((location) => location !== null);
    },
    async locate(blockIds) {
      checkOpen();
      const [only] = blockIds;
      if (only !== undefined && blockIds.length === 1) return [await locateOne(only)];
      return locate(blockIds);
    },
    async delete({ blockId, generation }, fence) {
      checkOpen();
      const deleting = deleteOne({ blockId, generation, fence });
      const before = deletes.get(blockId);
      const all: Promise<unknown> = Promise.allSettled([before, deleting]).then(() => {
        if (deletes.get(blockId) === all) deletes.delete(blockId);
      });
      deletes.set(blockId, all);
      const { deleted, error } = await deleting;
      if (error !== undefined) throw error;
      return deleted;
    },
    async *list(from) {
      for (let after = from; ; ) {
        const body = after === undefined ? [] : [after];
        const page: BlockLocation[] = decodeLocations(
          await ask(NODE_PATHS.list, [encodeIds(body)], MAX_LOCATIONS_BYTES),
        );
        yield* page;
        if (page.length < NODE_LIMITS.pageBlocks) return;
        after = (page[page.length - 1] as BlockLocation).blockId;
      }
    },
    async usage() {
      return (await status()).usage;
    },
    async checkHealth() {
      const { refusesWrites } = await status();
      if (refusesWrites !== null) throw new CairnError('unavailable', refusesWrites);
    },
    async compact(options = {}) {
      try {
        return await runLong(NODE_PATHS.compact, options, nodeCompactedSchema);
      } catch (error) {
        if (options.signal?.aborted !== true || closed) throw error;
        return { ...NOTHING_COMPACTED, stoppedBy: 'aborted' };
      }
    },
    async scrub(options = {}) {
      try {
        const report = await runLong(NODE_PATHS.scrub, options, nodeScrubbedSchema);
        return { ...report, damaged: report.damaged as BlockId[] };
      } catch (error) {
        if (options.signal?.aborted !== true || closed) throw error;
        return { ...NOTHING_SCRUBBED, stoppedBy: 'aborted' };
      }
    },
    async close() {
      closed = true;
      connection.close();
    },
  };
}
