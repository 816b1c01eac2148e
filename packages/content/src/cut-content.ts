import { type BlockId, CairnError, type ChunkProfile, type FileContent } from '@cairn/model';
import { findBlockId } from './block-encoding.ts';
import { returnChunker, takeChunker } from './chunker-pool.ts';
import { contentIdOf } from './content-id.ts';
import { createManifestTree } from './manifest-tree.ts';
import type { EmitBlock } from './plain-block.ts';
import type { ContentPlatform } from './platform.ts';

/** Bytes to cut. Read one call after another, from position 0 on without gaps. */
export interface ByteSource {
  /** Reads up to `into.length` bytes at `position`; resolves with their number, 0 at the end. */
  read(into: Uint8Array, position: number): Promise<number>;
  /**
   * Only of files in browsers: these bytes as something that can be sent without being brought into this memory again. What is
   * sent may differ from what was read, or fail, when the file has changed.
   */
  hold?(start: number, end: number): Blob;
}

export interface DescribeOptions {
  readonly profile: ChunkProfile;
  readonly signal?: AbortSignal | undefined;
}

export interface CutOptions extends DescribeOptions {
  /** Takes every block, children before parents; the same block may come more than once. */
  readonly emit: EmitBlock;
}

/** Files of this profile are hashed where they are read. */
const SMALL_PROFILE: ChunkProfile = 't32-64k';
/** Of files that are hashed beside this thread. */
const STEP_BYTES = 2 * 1024 * 1024;

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted)
    throw new CairnError('cancelled', 'reading the file was cancelled', { cause: signal.reason });
}

/**
 * Cuts a source into chunks and a manifest in bounded memory, whatever its size (a window of 1 to 8 MiB and a few
 * thousand manifest parts). Errors of `source` and `emit` pass through; `cancelled` after an abort.
 */
export async function cutContent(
  platform: ContentPlatform,
  source: ByteSource,
  options: CutOptions,
): Promise<FileContent> {
  const { profile, signal, emit } = options;
  const isAside = platform.sha256Aside !== undefined;
  const shared = platform.sharesMemory === true && profile !== SMALL_PROFILE;
  const chunker = takeChunker(profile, shared);
  const tree = createManifestTree(platform, emit);
  let sizeBytes = 0;
  let position = 0;
  /** Chunks of zeros have the largest size or are the last, so there are two at most, hashed once each. */
  const holes = new Map<number, BlockId | Promise<BlockId>>();
  /** Of what is hashed beside this thread: settles when all of it was taken, in the order of the content. */
  let taking: Promise<void> | null = null;
  let hasFailed = false;

  async function take(blockId: BlockId, plain: Uint8Array): Promise<void> {
    throwIfAborted(signal);
    await emit({ blockId, kind: 'chunk', plain, position });
    position += plain.length;
    await tree.add({ block: blockId, sizeBytes: plain.length });
  }

  function identify(plain: Uint8Array): BlockId | Promise<BlockId> {
    if (!chunker.isHole) return findBlockId(platform, 'chunk', plain);
    const blockId = holes.get(plain.length) ?? findBlockId(platform, 'chunk', plain);
    holes.set(plain.length, blockId);
    return blockId;
  }

  /** After all that were taken before. */
  function takeLater(blockId: BlockId | Promise<BlockId>, plain: Uint8Array): void {
    const before = taking;
    // Nobody asks for its id where one before it failed.
    if (typeof blockId !== 'string') blockId.catch(() => undefined);
    taking = (async () => {
      await before;
      await take(await blockId, plain);
    })();
    taking.catch(() => {
      hasFailed = true;
    });
  }

  async function cutAll(): Promise<void> {
    for (let more = true; more && !hasFailed; ) {
      throwIfAborted(signal);
      if (chunker.endsChunks) await taking;
      const space = chunker.space();
      // While that much is read and cut, what was read before is hashed.
      const count = await source.read(isAside ? space.subarray(0, STEP_BYTES) : space, sizeBytes);
      if (count === 0) {
        more = false;
        chunker.end();
      } else {
        chunker.add(count);
        sizeBytes += count;
      }
      for (let plain = chunker.next(); plain !== null; plain = chunker.next()) {
        const blockId = identify(plain);
        if (taking === null && typeof blockId === 'string') await take(blockId, plain);
        else takeLater(blockId, plain);
      }
    }
  }

  try {
    await cutAll();
    await taking;
  } catch (error) {
    // Nothing is emitted once the caller was told.
    await Promise.allSettled([taking]);
    throw error;
  }
  returnChunker(chunker, shared);
  const manifest = await tree.finish(profile);
  return { contentId: contentIdOf(platform, manifest, sizeBytes), sizeBytes, manifest };
}

/** What {@link cutContent} would return, without keeping any block. */
export function describeContent(
  platform: ContentPlatform,
  source: ByteSource,
  options: DescribeOptions,
): Promise<FileContent> {
  return cutContent(platform, source, { ...options, emit: () => {} });
}
