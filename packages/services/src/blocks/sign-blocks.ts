import { setImmediate as nextTurn } from 'node:timers/promises';
import { type BlockSignature, encodeSignatures, openBlock, signBlock } from '@cairn/content';
import { type BlockId, CairnError, type SpaceId } from '@cairn/model';
import { authoriseSpace } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import { checkBlockIds, MAX_DELTA_BASE_BYTES, MAX_DELTAS_PER_CALL } from './block-limits.ts';
import { findReadable, noSuchBlock, readKnownBlocks } from './read-blocks.ts';

/** What a call asks too much of. */
export function tooManyBases(): CairnError {
  return new CairnError(
    'too-large',
    `one request has at most ${MAX_DELTAS_PER_CALL} deltas, made from ${MAX_DELTA_BASE_BYTES} bytes; send several, or whole blocks`,
  );
}

/** See `BlocksService.signBlocks`. */
export async function signBlocks(
  { store, blocks, platform, environment }: DataDependencies,
  principal: Principal,
  spaceId: SpaceId,
  blockIds: readonly BlockId[],
  spanBytes: number,
): Promise<Uint8Array> {
  checkBlockIds(blockIds);
  if (blockIds.length > MAX_DELTAS_PER_CALL) throw tooManyBases();
  const now = environment.clock.now();
  const records = await store.read(async (reader) => {
    await authoriseSpace(reader, principal, 'read', spaceId);
    const readable = await findReadable(reader, principal, spaceId, blockIds, now);
    if (!readable.every(Boolean)) throw noSuchBlock();
    return reader.getBlocks(blockIds);
  });
  const plainBytes = records.reduce((sum, record) => sum + (record?.plainBytes ?? 0), 0);
  if (plainBytes > MAX_DELTA_BASE_BYTES) throw tooManyBases();
  const signatures: BlockSignature[] = [];
  for await (const block of readKnownBlocks(blocks, blockIds)) {
    signatures.push(signBlock(platform, openBlock(platform, block), spanBytes));
    // A few milliseconds each: others come in between.
    await nextTurn();
  }
  return encodeSignatures(signatures, spanBytes);
}
