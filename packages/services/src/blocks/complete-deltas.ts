import { setImmediate as nextTurn } from 'node:timers/promises';
import { type DeltaBlock, encodeNamedBlock, listDeltaBases, openBlock, openDelta } from '@cairn/content';
import type { BlockId, SpaceId } from '@cairn/model';
import { authoriseSpace } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import { MAX_DELTA_BASE_BYTES, MAX_DELTAS_PER_CALL } from './block-limits.ts';
import { blocksMissing } from './check-reachable.ts';
import { describePlain, type VerifiedBlock } from './describe-blocks.ts';
import { findReadable } from './read-blocks.ts';
import { tooManyBases } from './sign-blocks.ts';

/**
 * The blocks that deltas stand for, verified and whole. What they are made from must be reachable by the user: a base of
 * somebody else is missing, like one that nobody has.
 * @throws CairnError `blocks-missing` (details.blocks), `block-wrong`, `too-large`, `data-damaged`
 */
export async function completeDeltas(
  { store, blocks, platform, environment }: DataDependencies,
  principal: Principal,
  spaceId: SpaceId,
  deltas: readonly DeltaBlock[],
): Promise<VerifiedBlock[]> {
  if (deltas.length === 0) return [];
  if (deltas.length > MAX_DELTAS_PER_CALL) throw tooManyBases();
  const named = deltas.map((delta) => ({ delta, bases: listDeltaBases(delta) }));
  const baseIds = [...new Set(named.flatMap(({ bases }) => bases))];
  const now = environment.clock.now();
  const sizes = await store.read(async (reader) => {
    await authoriseSpace(reader, principal, 'write', spaceId);
    const readable = await findReadable(reader, principal, spaceId, baseIds, now);
    const missing = baseIds.filter((_, position) => readable[position] !== true);
    if (missing.length > 0) throw blocksMissing(missing);
    const records = await reader.getBlocks(baseIds);
    return new Map(baseIds.map((baseId, position) => [baseId, records[position]?.plainBytes ?? 0]));
  });
  let baseBytes = 0;
  for (const { bases } of named) for (const base of bases) baseBytes += sizes.get(base) ?? 0;
  if (baseBytes > MAX_DELTA_BASE_BYTES) throw tooManyBases();

  const completed: VerifiedBlock[] = [];
  /** Of the delta before: neighbours share them. */
  let held = new Map<BlockId, Uint8Array>();
  for (const { delta, bases } of named) {
    const opened = new Map<BlockId, Uint8Array>();
    const wanted = bases.filter((base) => {
      const plain = held.get(base);
      if (plain !== undefined) opened.set(base, plain);
      return plain === undefined;
    });
    let next = 0;
    for await (const block of blocks.getMany(wanted)) {
      const base = wanted[next++] as BlockId;
      if (block === null) throw blocksMissing([base]);
      opened.set(base, openBlock(platform, block));
    }
    held = opened;
    const plain = openDelta(
      platform,
      delta,
      bases.map((base) => opened.get(base) as Uint8Array),
    );
    const { blockId, kind } = delta;
    completed.push(describePlain(encodeNamedBlock(platform, blockId, kind, plain, { keep: true }), plain));
    // A few milliseconds each: others come in between.
    await nextTurn();
  }
  return completed;
}
