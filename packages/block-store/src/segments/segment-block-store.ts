import { join } from 'node:path';
import type { StoredBlock } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import { type BlockId, CairnError } from '@cairn/model';
import type { BlockLocation, BlockStore } from '../block-store.ts';
import { createSealedBlockStore } from '../sealed/sealed-block-store.ts';
import type { Sealing } from '../sealed/sealing.ts';
import { openStoreKeys, type StoreKey } from '../sealed/store-keys.ts';
import { createAppendQueue } from './append-queue.ts';
import { createBackgroundWork } from './background-work.ts';
import { createBlockReading, type Reading } from './block-reading.ts';
import { createCompaction } from './compaction.ts';
import { damageRecord } from './damage-record.ts';
import { lockDirectory } from './directory-lock.ts';
import { closeIndexFile, rebuildIndexFile, type StorePlace } from './index-file.ts';
import type { IndexedBlock } from './index-rows.ts';
import { readAhead } from './read-ahead.ts';
import { MAX_PAYLOAD_BYTES, recordBytes } from './record-format.ts';
import { createScrub } from './scrub.ts';
import { nodeSegmentFiles, type SegmentFiles } from './segment-files.ts';
import { createSegmentReader } from './segment-reader.ts';
import { createSegmentWriter, type PendingRecord } from './segment-writer.ts';
import { createSpaceReserve } from './space-reserve.ts';
import { type StartedStore, startStore } from './start-store.ts';

export interface SegmentBlockStoreOptions {
  /** The store's own folder; made if missing. */
  readonly directory: string;
  readonly environment: Environment;
  /** When a segment is full; 64 MiB unless told. At most 1 GiB. */
  readonly maxSegmentBytes?: number;
  /** Bytes of puts that may wait for the disk; 64 MiB unless told. */
  readonly maxQueuedBytes?: number;
  /** Space kept back for deletes and the index on a full disk; 8 MiB unless told. */
  readonly reserveBytes?: number;
  /**
   * Whether a block's bytes are what its id says; asked by a scrub. Anything counts as right unless told, for a store
   * may hold what only a device can check.
   */
  readonly verify?: (block: StoredBlock) => boolean;
  /**
   * Seals what is stored, so that the disk shows neither contents nor ids; docs/adr/0012 says what it still shows. For
   * an empty store, and from then on always.
   */
  readonly key?: StoreKey;
  /** The file operations; the system's unless told. */
  readonly files?: SegmentFiles;
}

/** The block store in a folder, and what may be done to it for a drill. */
export interface SegmentBlockStore extends BlockStore {
  /**
   * Damages the record of a block on the disk, as rot would.
   * @param mayDamage is asked with the block, read now
   * @returns whether it was done
   */
  damage(blockId: BlockId, mayDamage: (block: StoredBlock) => boolean): Promise<boolean>;
}

const MEBIBYTE = 1024 * 1024;
const MAX_GROUP_BYTES = 16 * MEBIBYTE;
const MAX_OPEN_FILES = 64;
const MAX_READS = 16;
const PAGE_BLOCKS = 1000;

async function placeOf(options: SegmentBlockStoreOptions): Promise<StorePlace> {
  const files = options.files ?? nodeSegmentFiles;
  const segmentsDirectory = join(options.directory, 'segments');
  await files.makeDirectory(segmentsDirectory);
  await files.syncDirectory(options.directory);
  return { directory: options.directory, segmentsDirectory, files, environment: options.environment };
}

/**
 * Makes the index of a store that is not running anew from its segments. Throws `already-running` when it is.
 */
export async function rebuildSegmentIndex(options: SegmentBlockStoreOptions): Promise<void> {
  const place = await placeOf(options);
  const unlock = lockDirectory(options.directory);
  try {
    await rebuildIndexFile(place);
  } finally {
    unlock();
  }
}

/**
 * Opens the block store in a folder: takes its lock, recovers, and is then the only one to write there.
 * Throws `already-running`, `not-configured` or `wrong-credentials` when the key and the store do not belong together, and
 * whatever the disk throws.
 */
export async function openSegmentBlockStore(options: SegmentBlockStoreOptions): Promise<SegmentBlockStore> {
  const { directory, environment } = options;
  const log = environment.log;
  const maxSegmentBytes = Math.min(options.maxSegmentBytes ?? 64 * MEBIBYTE, 1024 * MEBIBYTE);
  const place = await placeOf(options);
  const { files, segmentsDirectory } = place;
  const unlock = lockDirectory(directory);

  let sealing: Sealing | null;
  let started: StartedStore;
  try {
    sealing = await openStoreKeys(place, options.key);
    started = await startStore(place, maxSegmentBytes);
  } catch (error) {
    unlock();
    throw error;
  }
  const { index } = started;
  let diskBytes = started.diskBytes;
  let closing: Promise<void> | null = null;

  const segmentUuids = new Map<number, string>();
  function segmentUuid(number: number): string {
    if (!segmentUuids.has(number)) {
      for (const segment of index.segments()) segmentUuids.set(segment.number, segment.segmentUuid);
    }
    // None any more: the file that this leads to is missing, too.
    return segmentUuids.get(number) ?? '';
  }

  function onDiskBytes(differenceBytes: number): void {
    diskBytes += differenceBytes;
  }

  const reserve = createSpaceReserve(files, directory, options.reserveBytes ?? 8 * MEBIBYTE);
  const writer = createSegmentWriter({
    files,
    index,
    environment,
    segmentsDirectory,
    storeUuid: started.storeUuid,
    keyId: sealing?.keyId ?? null,
    maxSegmentBytes,
    reserve,
    current: started.current,
    nextNumber: started.nextNumber,
    stopWriting: (error) => queue.stop(error),
    onDiskBytes,
  });
  const reader = createSegmentReader({
    files,
    segmentsDirectory,
    segmentUuid,
    maxOpenFiles: MAX_OPEN_FILES,
    maxReads: MAX_READS,
  });
  const queue = createAppendQueue<PendingRecord>({
    maxQueuedBytes: options.maxQueuedBytes ?? 64 * MEBIBYTE,
    maxGroupBytes: MAX_GROUP_BYTES,
    commit: (records) => writer.commit(records),
    onPoisoned: (error) => log.error('block-store.poisoned', { directory, error }),
  });

  function openStored(block: StoredBlock): StoredBlock | null {
    return sealing === null ? block : sealing.open(block);
  }

  const reading = createBlockReading(index, reader, log, openStored);
  const compaction = createCompaction({
    files,
    index,
    reader,
    reading,
    reserve,
    environment,
    segmentsDirectory,
    append: (records, sizeBytes) => queue.append(records, sizeBytes),
    sealedBelow: () => writer.sealedBelow(),
    stopWriting: (error) => queue.stop(error),
    onDiskBytes,
  });
  function verify(block: StoredBlock): boolean {
    const opened = openStored(block);
    return opened !== null && (options.verify?.(opened) ?? true);
  }

  const scrub = createScrub({ index, reading, environment, verify });
  const background = createBackgroundWork();

  function checkOpen(): void {
    if (closing !== null)
      throw new CairnError('unavailable', 'the block store is closed; start the server again');
  }

  /** What is on its way to the disk, by block: puts can be joined, deletes must be waited for. */
  const underway = new Map<
    BlockId,
    { readonly kind: 'put' | 'delete'; readonly generation: number; readonly done: Promise<void> }
  >();

  async function write(kind: 'put' | 'delete', records: readonly PendingRecord[]): Promise<void> {
    let sizeBytes = 0;
    for (const record of records) sizeBytes += recordBytes(record.payload.length);
    const done = queue.append(records, sizeBytes);
    for (const record of records) underway.set(record.blockId, { kind, generation: record.generation, done });
    try {
      await done;
    } finally {
      for (const record of records) underway.delete(record.blockId);
    }
  }

  /** What must end first, or `null`. Callers ask again after each wait, so that nothing slips in between. */
  function underwayOf(blockIds: Iterable<BlockId>, kind: 'delete' | 'any'): Promise<unknown> | null {
    const waits = new Set<Promise<void>>();
    for (const blockId of blockIds) {
      const other = underway.get(blockId);
      if (other !== undefined && (kind === 'any' || other.kind === kind)) waits.add(other.done);
    }
    return waits.size === 0 ? null : Promise.allSettled(waits);
  }

  async function put(
    blocks: readonly StoredBlock[],
    above?: ReadonlyMap<BlockId, number>,
  ): Promise<readonly BlockLocation[]> {
    checkOpen();
    const unique = new Map<BlockId, StoredBlock>();
    for (const block of blocks) {
      if (block.payload.length > MAX_PAYLOAD_BYTES) {
        throw new CairnError(
          'too-large',
          `a block may have at most ${MAX_PAYLOAD_BYTES} bytes; cut the file into smaller chunks`,
        );
      }
      unique.set(block.blockId, block);
    }
    const mustEnd = () =>
      underwayOf(unique.keys(), 'delete') ?? (above === undefined ? null : underwayOf(above.keys(), 'any'));
    for (let wait = mustEnd(); wait !== null; wait = mustEnd()) await wait;
    checkOpen();
    const poison = queue.poison();
    if (poison !== null) throw poison;
    // From here to the call of `write` nothing waits, so nobody can come in between.
    const locations = new Map<BlockId, BlockLocation>();
    const records: PendingRecord[] = [];
    const joined = new Set<Promise<void>>();
    for (const block of unique.values()) {
      const { blockId, payload } = block;
      const other = underway.get(blockId);
      const known = index.find(blockId);
      const least = above?.get(blockId) ?? 0;
      let generation = Math.max(known?.generation ?? 0, least) + 1;
      let storedBytes = payload.length;
      if (other !== undefined) {
        joined.add(other.done);
        generation = other.generation;
      } else if (known?.state === 'live' && known.generation > least) {
        generation = known.generation;
        storedBytes = known.storedBytes;
      } else records.push({ ...block, generation });
      locations.set(blockId, { blockId, generation, storedBytes });
    }
    const results = await Promise.allSettled([
      ...(records.length > 0 ? [write('put', records)] : []),
      ...joined,
    ]);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return blocks.map((block) => locations.get(block.blockId) as BlockLocation);
  }

  const store: SegmentBlockStore = {
    put,
    async damage(blockId, mayDamage) {
      checkOpen();
      return damageRecord({ files, index, reading, segmentsDirectory, segmentUuid }, blockId, mayDamage);
    },
    async get(blockId) {
      checkOpen();
      const block = reading.find(blockId);
      if (block === null) return null;
      const [found] = await reading.read([block]);
      return reading.take(found as Reading);
    },
    getMany(blockIds, memory) {
      checkOpen();
      return readAhead(blockIds, reading, memory);
    },
    async has(blockIds) {
      checkOpen();
      return blockIds.map((blockId) => index.find(blockId)?.state === 'live');
    },
    async locate(blockIds) {
      checkOpen();
      return blockIds.map((blockId) => {
        const block = index.find(blockId);
        if (block?.state !== 'live') return null;
        return { blockId, generation: block.generation, storedBytes: block.storedBytes };
      });
    },
    async delete({ blockId, generation }) {
      checkOpen();
      for (let wait = underwayOf([blockId], 'any'); wait !== null; ) {
        await wait;
        wait = underwayOf([blockId], 'any');
      }
      checkOpen();
      const known = index.find(blockId);
      if (known === null || known.state === 'deleted' || known.generation !== generation) return false;
      const tombstone = {
        blockId,
        generation,
        kind: 'tombstone',
        codec: 'raw',
        plainBytes: 0,
        payload: new Uint8Array(0),
      } as const;
      await write('delete', [tombstone]);
      return true;
    },
    async *list(from) {
      for (let after: BlockId | null = from ?? null; ; ) {
        checkOpen();
        const page: IndexedBlock[] = index.page(after, PAGE_BLOCKS);
        for (const { blockId, generation, storedBytes } of page) yield { blockId, generation, storedBytes };
        if (page.length < PAGE_BLOCKS) return;
        after = (page[page.length - 1] as IndexedBlock).blockId;
      }
    },
    async usage() {
      checkOpen();
      return { ...index.totals(), diskBytes };
    },
    async compact(options = {}) {
      checkOpen();
      const poison = queue.poison();
      if (poison !== null) throw poison;
      return background.run('compaction', options.signal, (signal) => compaction.run(options, signal));
    },
    async scrub(options = {}) {
      checkOpen();
      return background.run('scrub', options.signal, (signal) => scrub.run(options, signal));
    },
    async checkHealth() {
      checkOpen();
      const poison = queue.poison();
      if (poison !== null) throw poison;
    },
    close() {
      closing ??= (async () => {
        await background.stop();
        await queue.drain();
        try {
          await writer.close();
          await reader.close();
        } finally {
          closeIndexFile(index);
          unlock();
        }
      })();
      return closing;
    },
  };
  if (sealing === null) return store;
  const { blind } = sealing;
  return {
    ...createSealedBlockStore(store, sealing),
    damage: (blockId, mayDamage) => store.damage(blind(blockId), mayDamage),
  };
}
