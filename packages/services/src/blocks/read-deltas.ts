import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BlockStore } from '@cairn/block-store';
import {
  type ContentPlatform,
  DELTA_LIMITS,
  type DeltaBlock,
  encodeDeltaBlock,
  isWorthwhile,
  matchBytes,
  openBlock,
  type StoredBlock,
} from '@cairn/content';
import { type BlockId, blockKindOf, CairnError, isCairnError, type SpaceId } from '@cairn/model';
import { authoriseSpace } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import type { WantedDelta } from '../data-services-types.ts';
import { checkBlockIds, MAX_DELTA_BASE_BYTES, MAX_DELTAS_PER_CALL } from './block-limits.ts';
import { findReadable, noSuchBlock, readKnownBlocks } from './read-blocks.ts';
import { tooManyBases } from './sign-blocks.ts';

/** So many in a row that were not worth it, and the rest of the call goes as it is: what is new has no base. */
const MAX_VAIN = 4;

/** See `BlocksService.readDeltas`. */
export async function readDeltas(
  { store, blocks, platform, environment }: DataDependencies,
  principal: Principal,
  spaceId: SpaceId,
  wanted: readonly WantedDelta[],
): Promise<AsyncIterable<StoredBlock | DeltaBlock>> {
  if (wanted.length > MAX_DELTAS_PER_CALL) throw tooManyBases();
  const blockIds = wanted.map(({ blockId }) => blockId);
  const baseIds = [...new Set(wanted.flatMap(({ bases }) => bases))];
  checkBlockIds(blockIds);
  checkBlockIds(baseIds);
  if (wanted.some(({ bases }) => bases.length > DELTA_LIMITS.maxBases)) {
    throw new CairnError('bad-request', `a delta has at most ${DELTA_LIMITS.maxBases} bases; name fewer`);
  }
  const now = environment.clock.now();
  /** Plain bytes of the bases that may be used. */
  const sizes = await store.read(async (reader) => {
    await authoriseSpace(reader, principal, 'read', spaceId);
    const readable = await findReadable(reader, principal, spaceId, blockIds, now);
    if (!readable.every(Boolean)) throw noSuchBlock();
    const usable = await findReadable(reader, principal, spaceId, baseIds, now);
    const records = await reader.getBlocks(baseIds);
    const found = new Map<BlockId, number>();
    for (const [position, baseId] of baseIds.entries()) {
      const record = records[position];
      if (usable[position] === true && record !== undefined) found.set(baseId, record.plainBytes);
    }
    return found;
  });
  return makeDeltas(platform, blocks, wanted, sizes);
}

async function* makeDeltas(
  platform: ContentPlatform,
  blocks: BlockStore,
  wanted: readonly WantedDelta[],
  sizes: ReadonlyMap<BlockId, number>,
): AsyncGenerator<StoredBlock | DeltaBlock> {
  let leftBytes = MAX_DELTA_BASE_BYTES;
  let vain = 0;
  let next = 0;
  for await (const block of readKnownBlocks(
    blocks,
    wanted.map(({ blockId }) => blockId),
  )) {
    const { bases = [] } = wanted[next++] ?? {};
    const usable = [...new Set(bases)].filter(
      (base) => sizes.has(base) && base !== block.blockId && blockKindOf(base) === block.kind,
    );
    const baseBytes = usable.reduce((sum, base) => sum + (sizes.get(base) ?? 0), 0);
    const isTried =
      usable.length > 0 &&
      vain < MAX_VAIN &&
      baseBytes <= leftBytes &&
      block.plainBytes >= DELTA_LIMITS.minPlainBytes;
    if (!isTried) {
      yield block;
      continue;
    }
    leftBytes -= baseBytes;
    const delta = await makeDelta(platform, blocks, block, usable);
    vain = delta === null ? vain + 1 : 0;
    yield delta ?? block;
    // A few milliseconds each: others come in between.
    await nextTurn();
  }
}

/** `null`: the block itself is as good, or the bases cannot be read. */
async function makeDelta(
  platform: ContentPlatform,
  blocks: BlockStore,
  block: StoredBlock,
  baseIds: readonly BlockId[],
): Promise<DeltaBlock | null> {
  try {
    const bases: Uint8Array[] = [];
    for await (const base of blocks.getMany(baseIds)) {
      if (base === null) return null;
      bases.push(openBlock(platform, base));
    }
    const plain = openBlock(platform, block);
    const instructions = matchBytes(bases, plain, Math.floor(plain.length / 2));
    if (instructions === null) return null;
    const delta = encodeDeltaBlock(platform, block, baseIds, instructions);
    return isWorthwhile(delta, block.payload.length) ? delta : null;
  } catch (error) {
    // A damaged base is none. What is wrong with the block itself, its reader finds.
    if (isCairnError(error, 'data-damaged', 'block-wrong')) return null;
    throw error;
  }
}
