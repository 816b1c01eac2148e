import { type ContentPlatform, DELTA_LIMITS, listDeltaBases, openBlock, openDelta } from '@cairn/content';
import { type BlockId, isCairnError, type SpaceId } from '@cairn/model';
import { decodeDeltaStream, MEDIA_TYPES, type PackRecord, PROTOCOL_LIMITS } from '@cairn/protocol';
import { type Api, apiPath } from './api.ts';
import type { Allocate, BlockReader } from './block-reader.ts';
import { DEFAULT_RETRY } from './retry.ts';
import type { TransportResponse } from './transport.ts';

/** Bytes that are here and that blocks which are wanted may be like. */
export interface ContentBase {
  /** Blocks that are here; at most 4 count. None: the block is read as it is. */
  basesOf(blockId: BlockId): readonly BlockId[];
  /** Verified plain bytes of one of them; `null` when it is not here any more. */
  read(blockId: BlockId): Promise<Uint8Array | null>;
  /** Whether naming bases for a block was of any use. */
  note?(wasOfUse: boolean): void;
}

/** Reads verified plain bytes of blocks, some of them as deltas against what is here. */
export interface DeltaReader {
  /**
   * Hands over the plain bytes of each block once, in whatever order they arrive. A delta that cannot be had or does not fit
   * costs one request more and nothing else.
   * @param wanted at most 4096, each with what is here that it may be like
   * @param allocate as for {@link BlockReader.read}; of no use for what deltas make
   */
  read(
    wanted: ReadonlyMap<BlockId, ContentBase | null>,
    onBlock: (blockId: BlockId, plain: Uint8Array) => void,
    signal?: AbortSignal,
    allocate?: Allocate,
  ): Promise<void>;
}

interface Asked {
  readonly blockId: BlockId;
  readonly bases: readonly BlockId[];
  readonly base: ContentBase;
}

type OnBlock = (blockId: BlockId, plain: Uint8Array) => void;

export function createDeltaReader(
  api: Api,
  platform: ContentPlatform,
  spaceId: SpaceId,
  reader: BlockReader,
): DeltaReader {
  /** Until a server shows that it does not know the route. */
  let isKnown = true;

  async function open(record: PackRecord, { base, blockId, bases }: Asked): Promise<Uint8Array | null> {
    if (record.codec !== 'delta') return openBlock(platform, { ...record, codec: record.codec });
    const delta = { ...record, codec: record.codec };
    const plain: Uint8Array[] = [];
    for (const baseId of listDeltaBases(delta)) {
      const bytes = bases.includes(baseId) ? await base.read(baseId) : null;
      if (bytes === null) {
        api.environment.log.debug('download.base-gone', { blockId });
        return null;
      }
      plain.push(bytes);
    }
    return openDelta(platform, delta, plain);
  }

  async function receive(
    response: TransportResponse,
    asked: readonly Asked[],
    left: Set<BlockId>,
    onBlock: OnBlock,
  ): Promise<void> {
    let next = 0;
    for await (const record of decodeDeltaStream(response.body, { maxBlocks: asked.length })) {
      const one = asked[next++];
      // Not what was asked for: the rest of the answer cannot be trusted in anything.
      if (one === undefined || one.blockId !== record.blockId) return response.discard();
      try {
        const plain = await open(record, one);
        one.base.note?.(record.codec === 'delta');
        if (plain === null) continue;
        left.delete(one.blockId);
        onBlock(one.blockId, plain);
      } catch (error) {
        if (!isCairnError(error, 'block-wrong')) throw error;
        api.environment.log.warn('client.delta-wrong', { spaceId });
      }
    }
  }

  async function readDeltas(
    asked: readonly Asked[],
    onBlock: OnBlock,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (asked.length === 0) return;
    const left = new Set(asked.map(({ blockId }) => blockId));
    let isUnknown = false;
    try {
      await api.stream(
        {
          method: 'POST',
          path: apiPath`/spaces/${spaceId}/blocks/deltas`,
          json: { blocks: asked.map(({ blockId, bases }) => ({ blockId, bases })) },
          headers: { accept: `${MEDIA_TYPES.pack}, ${MEDIA_TYPES.problem}` },
          signal,
          retry: { ...DEFAULT_RETRY, attempts: 1 },
        },
        MEDIA_TYPES.pack,
        (response) => receive(response, asked, left, onBlock),
      );
    } catch (error) {
      if (signal?.aborted || !isCairnError(error)) throw error;
      isUnknown = isCairnError(error, 'not-found');
      api.environment.log.debug('download.no-deltas', { code: error.code });
    }
    if (left.size === 0) return;
    await reader.read(left, onBlock, signal);
    // The blocks are there, so it was the route that is not.
    if (isUnknown) isKnown = false;
  }

  return {
    async read(wanted, onBlock, signal, allocate) {
      const asked: Asked[] = [];
      const whole: BlockId[] = [];
      for (const [blockId, base] of wanted) {
        const isPossible = isKnown && base !== null && asked.length < PROTOCOL_LIMITS.maxDeltas;
        const bases = isPossible ? base.basesOf(blockId).slice(0, DELTA_LIMITS.maxBases) : [];
        if (base === null || bases.length === 0) whole.push(blockId);
        else asked.push({ blockId, bases, base });
      }
      await Promise.all([
        whole.length === 0 ? undefined : reader.read(whole, onBlock, signal, allocate),
        readDeltas(asked, onBlock, signal),
      ]);
    },
  };
}
