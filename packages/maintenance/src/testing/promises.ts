import type { BlockId } from '@cairn/model';
import { isCairnError } from '@cairn/model';
import { createDataServices, LEASE_MS, releaseContents } from '@cairn/services';
import type { CollectionWorld, MadeContent, Owner } from './collection-world.ts';
import type { ProcessStores } from './interleaving.ts';

/** A version that was committed and not removed. */
export interface Holding {
  readonly owner: Owner;
  readonly made: MadeContent;
}

/** What the stores have promised to whom, by the answers that were given. */
export interface Promises {
  readonly held: Holding[];
  /** Until when, by owner and block. */
  readonly leases: Map<string, number>;
}

/** Every referenced or leased block must be there with the right bytes. Returns what is not so. */
export async function checkPromises(
  world: CollectionWorld,
  promises: Promises,
  all: readonly MadeContent[],
): Promise<string[]> {
  const { store, blocks, environment } = world;
  const bytes = new Map<BlockId, Uint8Array>();
  for (const { blocks: made } of all) for (const { blockId, payload } of made) bytes.set(blockId, payload);
  const needed = new Set<BlockId>();
  const problems = await store.read(async (reader) => {
    const found: string[] = [];
    const page = await reader.pageReferences(null, 1000);
    for (const { blockId } of page.references) needed.add(blockId);
    for (const { owner, made } of promises.held) {
      const ids = made.blocks.map(({ blockId }) => blockId);
      const held = await reader.hasReferences(owner.spaceId, ids);
      if (!held.every(Boolean)) found.push('a version has lost its references');
    }
    const leased = [...promises.leases].filter(([, until]) => until > environment.clock.now());
    for (const [key] of leased) {
      const [, blockId] = key.split(' ') as [string, BlockId];
      needed.add(blockId);
    }
    const rows = await reader.getBlocks([...needed]);
    if (rows.includes(undefined)) found.push('a block in use has no row');
    return found;
  });
  for (const blockId of needed) {
    const got = await blocks.get(blockId);
    if (got === null) problems.push(`block ${blockId.slice(0, 8)} in use was deleted`);
    else if (Buffer.compare(got.payload, bytes.get(blockId) as Uint8Array) !== 0)
      problems.push('wrong bytes');
  }
  return problems;
}

/** Uploads and commits as our clients do: ask, send, commit, and send what the commit lacks. */
export async function uploadAndCommit(
  world: CollectionWorld,
  stores: ProcessStores,
  owner: Owner,
  made: MadeContent,
  promises: Promises,
  commits: boolean,
  met: { commits: number; refusedCommits: number },
): Promise<void> {
  const services = createDataServices({ ...world.dependencies, ...stores });
  const lease = (ids: readonly BlockId[], from: number) => {
    for (const id of ids) {
      const key = `${owner.spaceId} ${id}`;
      promises.leases.set(key, Math.max(promises.leases.get(key) ?? 0, from + LEASE_MS));
    }
  };
  for (let attempt = 0; attempt < 4; attempt++) {
    const ids = made.blocks.map(({ blockId }) => blockId);
    try {
      const startedAt = world.environment.clock.now();
      const missing = new Set(await services.blocks.findMissingBlocks(owner.principal, owner.spaceId, ids));
      const there = ids.filter((id) => !missing.has(id));
      lease(there, startedAt);
      const sentAt = world.environment.clock.now();
      if (missing.size > 0) {
        await services.blocks.storeBlocks(
          owner.principal,
          owner.spaceId,
          made.blocks.filter(({ blockId }) => missing.has(blockId)),
        );
        lease([...missing], sentAt);
      }
      if (!commits) return;
      await world.create(owner, made.content, services);
      met.commits += 1;
      promises.held.push({ owner, made });
      return;
    } catch (error) {
      if (!isCairnError(error, 'blocks-missing')) throw error;
      met.refusedCommits += 1;
    }
  }
}

/** Takes one version away. */
export async function release(
  world: CollectionWorld,
  stores: Pick<ProcessStores, 'store'>,
  holding: Holding,
): Promise<void> {
  await stores.store.transact((transaction) =>
    releaseContents(
      transaction,
      holding.owner.spaceId,
      [holding.made.content],
      world.environment.clock.now(),
    ),
  );
}

/** Ids of all blocks that are stored, in order. */
export async function listStored(world: CollectionWorld): Promise<string[]> {
  const ids: string[] = [];
  for await (const { blockId } of world.blocks.list()) ids.push(blockId);
  return ids.sort();
}
