import type { BlockStore } from '@cairn/block-store';
import type { StoredBlock } from '@cairn/content';
import type { MetadataReader, MetadataStore, VersionedEntry } from '@cairn/metadata-store';
import { type BlockId, type EntryId, isCairnError, type SpaceId, type VersionId } from '@cairn/model';

/** `missing`: it is nowhere. `damaged`: its bytes are not what its id names. `unavailable`: it may be on a node that does not answer. */
export type BlockProblem = 'missing' | 'damaged' | 'unavailable';

/** A version of which not every byte can be read now. */
export interface DamagedVersion {
  readonly spaceId: SpaceId;
  readonly entryId: EntryId;
  readonly versionId: VersionId;
  /** Where the file is, or was when it was deleted. */
  readonly path: string;
  /** `current`, an `older` version of a file that is there, or a version of something in the `trash`. */
  readonly place: 'current' | 'older' | 'trash';
  readonly problem: BlockProblem;
}

export interface VerificationReport {
  readonly checkedBlocks: number;
  /** Stored bytes that were read; 0 where presence alone was asked for. */
  readonly checkedBytes: number;
  readonly badBlocks: number;
  /** Blocks on fewer nodes than wanted; 0 without storage nodes. */
  readonly underReplicated: number;
  /** Replicas that are not what was written, where every one was read; 0 otherwise. */
  readonly damagedReplicas: number;
  /** How many versions cannot be read whole. */
  readonly damagedVersions: number;
  /** The first thousand of these. */
  readonly examples: readonly DamagedVersion[];
}

export interface VerificationDependencies {
  readonly store: MetadataStore;
  readonly blocks: BlockStore;
  /** Whether a block's payload is what its id names. */
  readonly verify: (block: StoredBlock) => boolean;
  /** How many nodes have each block, and how many ought to; `null` without storage nodes. */
  readonly replicas: {
    readonly wanted: number;
    count(blockIds: readonly BlockId[]): Promise<readonly number[]>;
    /** Reads every replica on every node that answers, and tells how many are damaged; these are made anew. */
    readAll(signal: AbortSignal | undefined): Promise<number>;
  } | null;
}

export interface VerificationOptions {
  /** Asks only whether blocks are there, and reads none. */
  readonly quick?: boolean;
  /** Also reads every replica, since one that rots behind others is not seen by reading each block once. */
  readonly everyReplica?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (checkedBlocks: number) => void;
}

const PAGE_BLOCKS = 500;
const PAGE_ENTRIES = 200;
const MAX_VERSIONS = 10_000;
const MAX_EXAMPLES = 1000;

/**
 * Checks that every version of every file can be read: all its blocks are there and, unless it is to be quick, have the bytes
 * that their ids name. Changes nothing, whatever it finds, but for this: a replica that a node finds damaged is set aside
 * there, as by any read.
 * @throws errors of the metadata store; the signal's reason
 */
export async function verifyContents(
  { store, blocks, verify, replicas }: VerificationDependencies,
  options: VerificationOptions = {},
): Promise<VerificationReport> {
  const { quick = false, signal } = options;
  const bad = new Map<BlockId, BlockProblem>();
  let checkedBlocks = 0;
  let checkedBytes = 0;
  let underReplicated = 0;

  async function readOne(blockId: BlockId): Promise<void> {
    try {
      const block = await blocks.get(blockId);
      if (block === null) bad.set(blockId, 'missing');
      else if (!verify(block)) bad.set(blockId, 'damaged');
      else checkedBytes += block.payload.length;
    } catch (error) {
      if (isCairnError(error, 'data-damaged')) bad.set(blockId, 'damaged');
      else if (isCairnError(error, 'unavailable')) bad.set(blockId, 'unavailable');
      else throw error;
    }
  }

  async function readAll(ids: readonly BlockId[]): Promise<void> {
    let position = 0;
    try {
      for await (const block of blocks.getMany(ids)) {
        signal?.throwIfAborted();
        const blockId = ids[position++] as BlockId;
        if (block === null) bad.set(blockId, 'missing');
        else if (!verify(block)) bad.set(blockId, 'damaged');
        else checkedBytes += block.payload.length;
      }
    } catch (error) {
      if (!isCairnError(error, 'data-damaged', 'unavailable')) throw error;
      // One that cannot be read keeps none of the others from being looked at.
      for (const blockId of ids.slice(position)) {
        signal?.throwIfAborted();
        await readOne(blockId);
      }
    }
  }

  async function ask(ids: readonly BlockId[]): Promise<void> {
    const has = await blocks.has(ids);
    // Absent and damaged answer alike here; reading the few tells them apart.
    for (const [index, blockId] of ids.entries()) if (has[index] !== true) await readOne(blockId);
  }

  const damagedReplicas =
    options.everyReplica === true && replicas !== null ? await replicas.readAll(signal) : 0;
  for (let after: number | null = 0; after !== null; ) {
    signal?.throwIfAborted();
    const from: number = after;
    const page = await store.read((reader) => reader.pageBlockIds(from, PAGE_BLOCKS));
    after = page.next;
    if (quick) await ask(page.blockIds);
    else await readAll(page.blockIds);
    if (replicas !== null && page.blockIds.length > 0) {
      const counts = await replicas.count(page.blockIds);
      underReplicated += counts.filter((count) => count < replicas.wanted).length;
    }
    checkedBlocks += page.blockIds.length;
    options.onProgress?.(checkedBlocks);
  }

  // What was swept while this ran is needed by nobody, and what nobody needs yet (an upload under way) is no file.
  const found = await findDamagedVersions(store, bad, signal);
  return { checkedBlocks, checkedBytes, badBlocks: bad.size, underReplicated, damagedReplicas, ...found };
}

async function findDamagedVersions(
  store: MetadataStore,
  bad: ReadonlyMap<BlockId, BlockProblem>,
  signal: AbortSignal | undefined,
): Promise<Pick<VerificationReport, 'damagedVersions' | 'examples'>> {
  const examples: DamagedVersion[] = [];
  let damagedVersions = 0;
  if (bad.size === 0) return { damagedVersions, examples };
  /** The problem of a block or of anything below it, where that is known. */
  const below = new Map<BlockId, BlockProblem | null>();

  async function problemOf(
    reader: MetadataReader,
    blockId: BlockId,
    depth: number,
  ): Promise<BlockProblem | null> {
    const own = bad.get(blockId);
    if (own !== undefined || depth === 0) return own ?? null;
    const known = below.get(blockId);
    if (known !== undefined) return known;
    const [record] = await reader.getBlocks([blockId]);
    let problem: BlockProblem | null = null;
    for (const part of record?.parts ?? []) {
      problem = await problemOf(reader, part.block, depth - 1);
      if (problem !== null) break;
    }
    below.set(blockId, problem);
    return problem;
  }

  for (let after: VersionedEntry | null = null; ; ) {
    signal?.throwIfAborted();
    const from: VersionedEntry | null = after;
    const page = await store.read(async (reader) => {
      const entries = await reader.pageVersionedEntries(from, PAGE_ENTRIES);
      for (const { spaceId, entryId } of entries) {
        const [entry] = await reader.getEntries(spaceId, [entryId]);
        for (const version of await reader.listVersions(spaceId, entryId, MAX_VERSIONS)) {
          const { manifest } = version.content ?? { manifest: null };
          let problem: BlockProblem | null = null;
          for (const part of manifest?.parts ?? []) {
            problem ??= await problemOf(reader, part.block, manifest?.depth ?? 0);
          }
          if (problem === null) continue;
          damagedVersions++;
          if (examples.length >= MAX_EXAMPLES) continue;
          const { versionId } = version;
          const isCurrent = entry?.versionId === versionId;
          examples.push({
            spaceId,
            entryId,
            versionId,
            path: await pathOf(reader, spaceId, entryId),
            place: entry?.trashId != null ? 'trash' : isCurrent ? 'current' : 'older',
            problem,
          });
        }
      }
      return entries;
    });
    if (page.length < PAGE_ENTRIES) return { damagedVersions, examples };
    after = page[page.length - 1] ?? null;
  }
}

async function pathOf(reader: MetadataReader, spaceId: SpaceId, entryId: EntryId): Promise<string> {
  const [entry] = await reader.getEntries(spaceId, [entryId]);
  if (entry === undefined) return '';
  if (entry.trashId === null) {
    const names = [entry, ...(await reader.listAncestors(spaceId, entryId))].map(({ name }) => name);
    return names.reverse().join('/');
  }
  const trash = await reader.getTrash(spaceId, entry.trashId);
  // Below the top of a trash item the path is not kept; its own name says most.
  return entry.entryId === entry.trashId
    ? (trash?.path ?? entry.name)
    : `${trash?.path ?? ''}/…/${entry.name}`;
}
