import {
  type BasePart,
  type BlockKind,
  type BlockSignature,
  type ContentPlatform,
  chooseSpanBytes,
  DELTA_LIMITS,
  type DeltaBlock,
  decodeSignatures,
  encodeDeltaBlock,
  matchBytes,
  matchSignatures,
  signatureBytes,
} from '@cairn/content';
import { type BlockId, isCairnError, type SpaceId } from '@cairn/model';
import { MEDIA_TYPES, PROTOCOL_LIMITS } from '@cairn/protocol';
import { type Api, apiPath } from './api.ts';
import type { BlockPlace } from './base-blocks.ts';
import { DEFAULT_RETRY } from './retry.ts';

/** Smaller chunks are sent before their signatures would be here. */
const MIN_CHUNK_BYTES = 32 * 1024;
/** Bases together may be so many times as long as the block: their signatures have to be fetched. */
const MAX_BASE_RATIO = 8;
/** So many in a row that were not worth it, and the rest of a file is sent as it is: what is new has no base. */
const MAX_VAIN = 4;

/** How a file fares with deltas. */
export interface DeltaTally {
  /** In a row that were not worth it. */
  vain: number;
}

/** What is known of a block in the older version of its file. */
export interface DeltaHint extends BlockPlace {
  readonly tally: DeltaTally;
}

export interface HintedBlock {
  readonly blockId: BlockId;
  readonly kind: BlockKind;
  readonly sizeBytes: number;
  readonly hint: DeltaHint | null;
}

/** Makes deltas for the blocks of one batch. */
export interface BatchDeltas {
  /** `null`: the block is sent as it is. */
  make(block: HintedBlock, plain: Uint8Array): DeltaBlock | null;
}

export interface UploadDeltas {
  /** What the server says of itself; until then it is not asked for signatures. */
  note(takesDeltas: boolean): void;
  /**
   * Fetches the signatures of what the blocks may be like. Never rejects: without them blocks are sent as they are.
   * @param answered settles when the server has said something of itself
   * @returns `null`: none of the blocks is sent as a delta
   */
  prepare(
    blocks: readonly HintedBlock[],
    answered: Promise<unknown>,
    signal: AbortSignal,
  ): Promise<BatchDeltas | null>;
}

/** The delta side of all uploads to one space. */
export function createUploadDeltas(api: Api, platform: ContentPlatform, spaceId: SpaceId): UploadDeltas {
  let takesDeltas: boolean | null = null;

  async function sign(
    bases: readonly BasePart[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<BlockId, BlockSignature>> {
    if (bases.length === 0) return new Map();
    const sizes = bases.map(({ sizeBytes }) => sizeBytes);
    const spanBytes = chooseSpanBytes(Math.max(...sizes));
    const signatures = await api.stream(
      {
        method: 'POST',
        path: apiPath`/spaces/${spaceId}/blocks/signatures`,
        json: { blockIds: bases.map(({ block }) => block), spanBytes },
        headers: { accept: `${MEDIA_TYPES.signatures}, ${MEDIA_TYPES.problem}` },
        signal,
        retry: { ...DEFAULT_RETRY, attempts: 1 },
      },
      MEDIA_TYPES.signatures,
      async (response) => {
        const bytes = new Uint8Array(signatureBytes(sizes, spanBytes));
        let length = 0;
        for await (const piece of response.body) {
          // What does not fit is not what was asked for; reading it shows that.
          bytes.set(piece.subarray(0, bytes.length - length), length);
          length += piece.length;
          if (length > bytes.length) response.discard();
        }
        return decodeSignatures(bytes.subarray(0, length), bases.length, spanBytes);
      },
    );
    return new Map(bases.map(({ block }, index) => [block, signatures[index] as BlockSignature]));
  }

  return {
    note(takes) {
      takesDeltas = takes;
    },
    async prepare(blocks, answered, signal) {
      const wishes = chooseWishes(blocks);
      if (wishes.size === 0) return null;
      try {
        if (takesDeltas === null) await answered;
        if (takesDeltas !== true) return null;
        const unknown = new Map<BlockId, BasePart>();
        for (const { hint, bases } of wishes.values()) {
          for (const base of bases) if (hint.plainOf(base.block) === undefined) unknown.set(base.block, base);
        }
        const signatures = await sign([...unknown.values()], signal);
        return {
          make: (block, plain) => makeDelta(platform, wishes.get(block.blockId), signatures, block, plain),
        };
      } catch (error) {
        if (!isCairnError(error)) throw error;
        api.environment.log.debug('upload.no-signatures', { code: error.code });
        return null;
      }
    },
  };
}

interface Wish {
  readonly hint: DeltaHint;
  readonly bases: readonly BasePart[];
}

/** The blocks that are to be sent as deltas, with what they are made from, within what a server takes at once. */
function chooseWishes(blocks: readonly HintedBlock[]): Map<BlockId, Wish> {
  const wishes = new Map<BlockId, Wish>();
  let baseBytes = 0;
  let baseCount = 0;
  for (const { blockId, kind, sizeBytes, hint } of blocks) {
    if (hint === null || hint.tally.vain >= MAX_VAIN) continue;
    if (sizeBytes < (kind === 'chunk' ? MIN_CHUNK_BYTES : DELTA_LIMITS.minPlainBytes)) continue;
    const bases = hint.bases();
    const known = bases.map(({ block }) => hint.plainOf(block)?.length);
    const bytes = bases.reduce((sum, base, index) => sum + (known[index] ?? base.sizeBytes), 0);
    if (bases.length === 0 || bytes > sizeBytes * MAX_BASE_RATIO) continue;
    // A manifest block's size is that of the file below it: only its bytes say how long it is itself.
    if (kind === 'manifest' && known.includes(undefined)) continue;
    baseBytes += bytes;
    baseCount += bases.length;
    if (baseBytes > PROTOCOL_LIMITS.maxDeltaBaseBytes || baseCount > PROTOCOL_LIMITS.maxDeltas) break;
    wishes.set(blockId, { hint, bases });
  }
  return wishes;
}

function makeDelta(
  platform: ContentPlatform,
  wish: Wish | undefined,
  signatures: ReadonlyMap<BlockId, BlockSignature>,
  block: HintedBlock,
  plain: Uint8Array,
): DeltaBlock | null {
  if (wish === undefined || wish.hint.tally.vain >= MAX_VAIN) return null;
  const { hint, bases } = wish;
  const maxBytes = Math.floor(plain.length / 2);
  const known = bases.map(({ block: baseId }) => hint.plainOf(baseId));
  const signed = bases.map(({ block: baseId }) => signatures.get(baseId));
  let instructions: Uint8Array | null = null;
  if (known.every((bytes) => bytes !== undefined)) instructions = matchBytes(known, plain, maxBytes);
  else if (signed.every((one, index) => one !== undefined && one.plainBytes === bases[index]?.sizeBytes)) {
    instructions = matchSignatures(platform, signed as BlockSignature[], plain, maxBytes);
  }
  hint.tally.vain = instructions === null ? hint.tally.vain + 1 : 0;
  if (instructions === null) return null;
  const { blockId, kind } = block;
  return encodeDeltaBlock(
    platform,
    { blockId, kind, plainBytes: plain.length },
    bases.map(({ block: baseId }) => baseId),
    instructions,
  );
}
