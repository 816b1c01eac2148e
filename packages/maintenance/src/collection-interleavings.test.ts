import { createSeededRandom } from '@cairn/environment';
import { expect, test } from 'vitest';
import { collectGarbage } from './collect-garbage.ts';
import { DEFAULT_GRACE_MS, TOMBSTONE_MS } from './collection-settings.ts';
import {
  type CollectionWorld,
  createCollectionWorld,
  type MadeContent,
  type Owner,
} from './testing/collection-world.ts';
import { createInterleaving, type ProcessStores } from './testing/interleaving.ts';
import { checkPromises, listStored, type Promises, release, uploadAndCommit } from './testing/promises.ts';

const RUNS = Number(process.env['COLLECTION_RUNS'] ?? 60);
const FIRST_SEED = Number(process.env['COLLECTION_SEED'] ?? 1);
const STEPS = 150;
const HOUR_MS = 3_600_000;
const PAUSES_MS = [60_000, HOUR_MS, 30 * HOUR_MS, 60 * HOUR_MS, 121 * HOUR_MS, 121 * HOUR_MS, 270 * HOUR_MS];

/** What was met over all runs: a property that never meets the race proves nothing. */
const met = {
  commits: 0,
  refusedCommits: 0,
  crashes: 0,
  sweptBlocks: 0,
  sweptOrphans: 0,
  deletes: 0,
  missedDeletes: 0,
  putsAbove: 0,
  putsAfterPruning: 0,
};

function countCalls(world: CollectionWorld): void {
  const { put, delete: remove } = world.blocks;
  world.blocks.put = async (given, above) => {
    const again = [...(above ?? [])];
    if (again.some(([, generation]) => generation > 0)) met.putsAbove += 1;
    if (again.some(([, generation]) => generation === 0)) met.putsAfterPruning += 1;
    return put(given, above);
  };
  world.blocks.delete = async (location) => {
    const hit = await remove(location);
    if (hit) met.deletes += 1;
    else met.missedDeletes += 1;
    return hit;
  };
}

async function collect(world: CollectionWorld, stores: ProcessStores): Promise<void> {
  const report = await collectGarbage(
    { ...stores, environment: world.environment },
    { graceMs: DEFAULT_GRACE_MS, batchBlocks: 2 },
  );
  met.sweptBlocks += report.swept.blocks;
  met.sweptOrphans += report.orphansSwept.blocks;
}

async function play(seed: number): Promise<string[]> {
  const next = createSeededRandom(seed);
  const pick = (count: number) => next() % count;
  const world = await createCollectionWorld({ seed });
  try {
    countCalls(world);
    const owners = [await world.addOwner('ann'), await world.addOwner('bob')];
    const contents = [world.make('a'), world.make('b'), world.make('a', 'b'), world.make('a', 'c')];
    const promises: Promises = { held: [], leases: new Map() };
    const { store, blocks } = world;
    const interleaving = createInterleaving({ store, blocks });
    const history: string[] = [];
    const stop = (problems: readonly string[]) => [...problems, `seed ${seed}`, ...history.slice(-25)];

    for (let step = 0; step < STEPS; step++) {
      const running = interleaving.names();
      const dice = pick(100);
      if (running.length > 0 && (dice < 45 || running.length > 6)) {
        const place = pick(running.length);
        // Who has put blocks and not told the metadata stands still more often: there the races are.
        if (interleaving.hasJustPut(place) && pick(4) > 0) continue;
        const isCollection = running[place]?.startsWith('collection') === true;
        const count = pick(3) === 0 ? (isCollection ? 12 : 30) : 1 + pick(3);
        history.push(`${running[place]} goes on, at most ${count} calls`);
        for (let call = 0; call < count && interleaving.names()[place] === running[place]; call++) {
          if (call > 0 && interleaving.hasJustPut(place) && pick(2) === 0) break;
          await interleaving.step(place);
          const problems = await checkPromises(world, promises, contents);
          if (problems.length > 0) return stop(problems);
        }
      } else if (dice < 58) {
        const [owner, made] = [owners[pick(2)] as Owner, contents[pick(contents.length)] as MadeContent];
        const commits = pick(2) === 0;
        history.push(`an upload starts${commits ? '' : ' that nobody commits'}`);
        await interleaving.start(`upload ${step}`, (stores) =>
          uploadAndCommit(world, stores, owner, made, promises, commits, met),
        );
      } else if (dice < 70) {
        const made = contents[pick(contents.length)] as MadeContent;
        history.push('all versions of one content are removed');
        for (const holding of promises.held.filter((one) => one.made === made)) {
          promises.held.splice(promises.held.indexOf(holding), 1);
          await release(world, world, holding);
        }
      } else if (dice < 80) {
        history.push('a collection starts');
        await interleaving.start(`collection ${step}`, (stores) => collect(world, stores));
      } else if (dice < 85) {
        history.push('a whole collection, after a grace');
        await world.environment.advance(DEFAULT_GRACE_MS);
        await collect(world, world);
        if (pick(3) === 0) {
          history.push('and more, until its deletes are forgotten');
          for (const pauseMs of [DEFAULT_GRACE_MS, TOMBSTONE_MS]) {
            await world.environment.advance(pauseMs);
            await collect(world, world);
          }
        }
      } else if (dice < 96) {
        const pauseMs = PAUSES_MS[pick(PAUSES_MS.length)] as number;
        history.push(`${pauseMs / HOUR_MS} hours go by`);
        await world.environment.advance(pauseMs);
      } else if (running.length > 0) {
        met.crashes += 1;
        const all = pick(4) === 0;
        history.push(all ? 'all processes die' : 'a process dies');
        const count = all ? running.length : 1;
        for (let index = 0; index < count; index++) interleaving.kill(pick(interleaving.names().length));
      }
      const problems = await checkPromises(world, promises, contents);
      if (problems.length > 0) return stop(problems);
    }
    for (let place = interleaving.names().length; place > 0; place--) interleaving.kill(0);
    if (interleaving.failures.length > 0) {
      return stop(interleaving.failures.map(({ name, error }) => `${name}: ${error}`));
    }

    // Nobody does anything any more: what is needed stays, everything else goes.
    const settle = async () => {
      for (let round = 0; round < 4; round++) {
        await world.environment.advance(DEFAULT_GRACE_MS);
        await collect(world, world);
      }
    };
    await settle();
    const needed = new Set(promises.held.flatMap(({ made }) => made.blocks.map(({ blockId }) => blockId)));
    expect(await listStored(world), `seed ${seed}`).toEqual([...needed].sort());
    expect(await checkPromises(world, promises, contents)).toEqual([]);
    for (const holding of promises.held.splice(0)) await release(world, world, holding);
    await settle();
    expect(await listStored(world), `seed ${seed}`).toEqual([]);
    expect((await store.read((reader) => reader.countAll())).blocks).toBe(0);
    return [];
  } finally {
    await world.close();
  }
}

test('whatever happens in which order, what is in use stays readable, and garbage goes', async () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) expect(await play(seed)).toEqual([]);
  // The races were there.
  for (const [name, count] of Object.entries(met)) {
    expect(count, `${name} in ${RUNS} runs; all: ${JSON.stringify(met)}`).toBeGreaterThan(0);
  }
  if (process.env['COLLECTION_RUNS'] !== undefined) console.log(JSON.stringify(met));
});
