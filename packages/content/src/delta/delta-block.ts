import {
  BLOCK_ID_BYTES,
  type BlockId,
  blockKindOf,
  CairnError,
  decodeBlockId,
  encodeBlockId,
  isBlockId,
  MAX_BLOCK_BYTES,
} from '@cairn/model';
import { blockIdOf } from '../block-encoding.ts';
import type { ContentPlatform } from '../platform.ts';
import type { BlockKind } from '../stored-block.ts';
import { followInstructions } from './delta-instructions.ts';

export const DELTA_LIMITS = {
  /** Blocks that one is made from. */
  maxBases: 4,
  /** Smaller blocks are sent as they are. */
  minPlainBytes: 4096,
} as const;

/** A block on its way, described by blocks that the other side has. Never stored. */
export interface DeltaBlock {
  readonly blockId: BlockId;
  readonly kind: BlockKind;
  readonly codec: 'delta';
  /** Length of the bytes that it makes. */
  readonly plainBytes: number;
  /**
   * u8 number of bases, their 33-byte ids, u8 how the instructions are written (0: as they are, 1: zstd), u32le length of
   * the instructions, the instructions.
   */
  readonly payload: Uint8Array;
}

const CODINGS = { plain: 0, zstd: 1 } as const;
/** A delta is sent if it has at most this part of what the block itself would take. */
const WORTHWHILE_RATIO = 0.75;

/** Whether a delta of that length is to be sent instead of a payload of `wholeBytes`. */
export function isWorthwhile(delta: DeltaBlock, wholeBytes: number): boolean {
  return delta.payload.length <= wholeBytes * WORTHWHILE_RATIO;
}

/** @param baseIds 1 to 4 different ones of the block's kind, in the order that the instructions count them */
export function encodeDeltaBlock(
  platform: ContentPlatform,
  block: Pick<DeltaBlock, 'blockId' | 'kind' | 'plainBytes'>,
  baseIds: readonly BlockId[],
  instructions: Uint8Array,
): DeltaBlock {
  if (baseIds.length < 1 || baseIds.length > DELTA_LIMITS.maxBases) {
    throw new RangeError(`a delta has 1 to ${DELTA_LIMITS.maxBases} bases, not ${baseIds.length}`);
  }
  const compressed = platform.compress(instructions);
  const body = compressed ?? instructions;
  const headBytes = 1 + baseIds.length * BLOCK_ID_BYTES;
  const payload = new Uint8Array(headBytes + 5 + body.length);
  payload[0] = baseIds.length;
  for (const [index, baseId] of baseIds.entries()) {
    payload.set(encodeBlockId(baseId), 1 + index * BLOCK_ID_BYTES);
  }
  payload[headBytes] = compressed === null ? CODINGS.plain : CODINGS.zstd;
  new DataView(payload.buffer).setUint32(headBytes + 1, instructions.length, true);
  payload.set(body, headBytes + 5);
  const { blockId, kind, plainBytes } = block;
  return { blockId, kind, codec: 'delta', plainBytes, payload };
}

function wrong({ blockId }: DeltaBlock, problem: string, cause?: unknown): CairnError {
  return new CairnError('block-wrong', `the delta of block ${blockId} ${problem}; send the whole block`, {
    cause,
    details: { blockId },
  });
}

/** The bases that a delta names: 1 to 4 different ones of its kind. Throws `block-wrong`. */
export function listDeltaBases(delta: DeltaBlock): BlockId[] {
  const { payload } = delta;
  const count = payload[0] ?? 0;
  if (count < 1 || count > DELTA_LIMITS.maxBases) throw wrong(delta, 'has a wrong number of bases');
  if (payload.length < 1 + count * BLOCK_ID_BYTES + 5) throw wrong(delta, 'is cut off');
  const bases = Array.from({ length: count }, (_, index) => {
    const start = 1 + index * BLOCK_ID_BYTES;
    return decodeBlockId(payload.subarray(start, start + BLOCK_ID_BYTES));
  });
  const areFit = bases.every((base) => isBlockId(base) && blockKindOf(base) === delta.kind);
  if (!areFit || new Set(bases).size !== count || bases.includes(delta.blockId)) {
    throw wrong(delta, 'names bases that cannot be');
  }
  return bases;
}

/**
 * The verified plain bytes of the block, in memory of their own. Makes no more than 3 MiB at any step. Throws
 * `block-wrong` for anything that does not end in the bytes that the id names.
 * @param bases plain bytes of what {@link listDeltaBases} names, in that order
 */
export function openDelta(
  platform: ContentPlatform,
  delta: DeltaBlock,
  bases: readonly Uint8Array[],
): Uint8Array {
  const { blockId, kind, plainBytes, payload } = delta;
  if (!Number.isInteger(plainBytes) || plainBytes < 1 || plainBytes > MAX_BLOCK_BYTES) {
    throw wrong(delta, `claims to make ${plainBytes} bytes`);
  }
  if (blockKindOf(blockId) !== kind) throw wrong(delta, `is of no ${kind}, as its id says`);
  if (listDeltaBases(delta).length !== bases.length) throw wrong(delta, 'has other bases than it names');
  const headBytes = 1 + bases.length * BLOCK_ID_BYTES;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const instructionBytes = view.getUint32(headBytes + 1, true);
  // Longer ones are never of use, so nobody makes them.
  if (instructionBytes < 1 || instructionBytes > plainBytes) throw wrong(delta, 'is longer than its block');
  const body = payload.subarray(headBytes + 5);
  const coding = payload[headBytes];
  let instructions = body;
  if (coding === CODINGS.zstd) {
    try {
      instructions = platform.decompress(body, instructionBytes);
    } catch (error) {
      throw wrong(delta, 'cannot be decompressed to the size it claims', error);
    }
  } else if (coding !== CODINGS.plain) throw wrong(delta, 'is written in an unknown way');
  if (instructions.length !== instructionBytes) throw wrong(delta, 'has not the length it claims');
  const made = followInstructions(bases, instructions, plainBytes);
  if (blockIdOf(platform, kind, made) !== blockId) throw wrong(delta, 'makes other bytes than its id names');
  return made;
}
