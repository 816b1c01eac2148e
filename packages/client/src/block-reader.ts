import { type ContentPlatform, openBlock } from '@cairn/content';
import { type BlockId, CairnError, isCairnError, type SpaceId } from '@cairn/model';
import { decodePackStream, MEDIA_TYPES } from '@cairn/protocol';
import { type Api, apiPath } from './api.ts';
import { DEFAULT_RETRY, type RetryPolicy, withRetry } from './retry.ts';
import { createSmallBlocks } from './small-blocks.ts';
import type { TransportResponse } from './transport.ts';

const MANIFEST_CACHE_BYTES = 16 * 1024 * 1024;
const READ_RETRY: RetryPolicy = { ...DEFAULT_RETRY, attempts: 6 };
const ONE_TRY: RetryPolicy = { ...DEFAULT_RETRY, attempts: 1 };

/** Gives memory for so many bytes, and so many more that only count until it is asked again. */
export type Allocate = (sizeBytes: number, roomBytes?: number) => Uint8Array;

/** Reads verified plain bytes of blocks of one space. */
export interface BlockReader {
  /**
   * Hands over the plain bytes of at most 4096 different blocks, each once, as they arrive in the order asked.
   * What arrived before a broken connection is not asked for again.
   * @param allocate gives the memory that their bytes come in, and some that only counts until it is asked again; it may
   * be asked more than once for the same block
   */
  read(
    blockIds: Iterable<BlockId>,
    onBlock: (blockId: BlockId, plain: Uint8Array) => void,
    signal?: AbortSignal,
    allocate?: Allocate,
  ): Promise<void>;
  /** One manifest block, remembered for a while. */
  readManifest(blockId: BlockId, signal?: AbortSignal): Promise<Uint8Array>;
  /** Remembers a copy of a manifest block's verified bytes. */
  keepManifest(blockId: BlockId, plain: Uint8Array): void;
  /** A manifest block, if it is remembered. */
  findManifest(blockId: BlockId): Uint8Array | undefined;
  /** Takes blocks that came unasked, as a pack in base64: they need not be asked for once. */
  takeAlong(pack: string): void;
}

export function createBlockReader(api: Api, platform: ContentPlatform, spaceId: SpaceId): BlockReader {
  const manifests = new Map<BlockId, Uint8Array>();
  const small = createSmallBlocks(platform);
  let manifestBytes = 0;

  function remember(blockId: BlockId, plain: Uint8Array): void {
    if (manifests.has(blockId)) return;
    manifests.set(blockId, plain);
    manifestBytes += plain.length;
    for (const [oldest, bytes] of manifests) {
      if (manifestBytes <= MANIFEST_CACHE_BYTES) break;
      manifests.delete(oldest);
      manifestBytes -= bytes.length;
    }
  }

  async function receive(
    response: TransportResponse,
    asked: readonly BlockId[],
    onBlock: (blockId: BlockId, plain: Uint8Array) => void,
    allocate: Allocate | undefined,
  ): Promise<void> {
    let next = 0;
    let packed = new Uint8Array(0);
    /** Compressed bytes are looked at only until the block is opened: they need no place beside the others. */
    function place(sizeBytes: number, codec: 'raw' | 'zstd'): Uint8Array {
      if (allocate === undefined) return new Uint8Array(sizeBytes);
      if (codec === 'raw') return allocate(sizeBytes);
      if (packed.length < sizeBytes) packed = new Uint8Array(sizeBytes * 2);
      return packed.subarray(0, sizeBytes);
    }
    try {
      const blocks = decodePackStream(response.body, {
        maxBlocks: asked.length,
        allocate: (sizeBytes, { codec }) => place(sizeBytes, codec),
      });
      for await (const block of blocks) {
        if (block.blockId !== asked[next++]) throw broken('it sent another block than was asked for');
        const room = block.codec === 'raw' ? undefined : allocate?.(block.plainBytes, 1);
        onBlock(block.blockId, openBlock(platform, block, room));
      }
    } catch (error) {
      if (isCairnError(error, 'bad-request', 'too-large')) throw broken(error.message, error);
      throw error;
    }
    if (next !== asked.length) throw broken('it sent fewer blocks than were asked for');
  }

  function broken(what: string, cause?: unknown): CairnError {
    return new CairnError(
      'server-unreachable',
      `the download from ${api.transport.serverUrl} broke off (${what}). Try again`,
      cause === undefined ? {} : { cause },
    );
  }

  async function read(
    blockIds: Iterable<BlockId>,
    onBlock: (blockId: BlockId, plain: Uint8Array) => void,
    signal?: AbortSignal,
    allocate?: Allocate,
  ): Promise<void> {
    const wanted = new Set(blockIds);
    const take = (blockId: BlockId, plain: Uint8Array): void => {
      wanted.delete(blockId);
      onBlock(blockId, plain);
    };
    for (const blockId of wanted) {
      const plain = small.remove(blockId);
      if (plain !== undefined) take(blockId, plain);
    }
    let wrong = 0;
    const attempt = async (): Promise<void> => {
      const left = [...wanted];
      if (left.length === 0) return;
      await api.stream(
        {
          method: 'POST',
          path: apiPath`/spaces/${spaceId}/blocks/read`,
          json: { blockIds: left },
          headers: { accept: `${MEDIA_TYPES.pack}, ${MEDIA_TYPES.problem}` },
          signal,
          bulk: true,
          retry: ONE_TRY,
        },
        MEDIA_TYPES.pack,
        (response) => receive(response, left, take, allocate),
      );
    };
    await withRetry(api.environment, api.bound(READ_RETRY), signal, async () => {
      try {
        await attempt();
      } catch (error) {
        // Damage on the way is worth one more try; damage at the server stays.
        if (!isCairnError(error, 'block-wrong') || wrong++ > 0) throw error;
        api.environment.log.warn('client.block-wrong', { spaceId });
        await attempt();
      }
    });
  }

  function findManifest(blockId: BlockId): Uint8Array | undefined {
    const known = manifests.get(blockId);
    if (known === undefined) return undefined;
    // Back to the young end.
    manifests.delete(blockId);
    manifests.set(blockId, known);
    return known;
  }

  return {
    read,
    takeAlong: small.take,
    findManifest,
    keepManifest(blockId, plain) {
      if (!manifests.has(blockId)) remember(blockId, new Uint8Array(plain));
    },
    async readManifest(blockId, signal) {
      const known = findManifest(blockId);
      if (known !== undefined) return known;
      let plain: Uint8Array | null = null;
      await read(
        [blockId],
        (_id, bytes) => {
          plain = bytes;
        },
        signal,
      );
      if (plain === null) throw broken('it sent no block');
      remember(blockId, plain);
      return plain;
    },
  };
}
