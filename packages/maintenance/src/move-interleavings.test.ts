import { createSeededRandom } from '@cairn/environment';
import { isCairnError } from '@cairn/model';
import { expect, test } from 'vitest';
import { createBlockMoveJob } from './block-move-job.ts';
import { collectGarbage } from './collect-garbage.ts';
import { DEFAULT_GRACE_MS, TOMBSTONE_MS } from './collection-settings.ts';
import { moveBlocks } from './move-blocks.ts';
import { createCollectionWorld, type MadeContent, type Owner } from './testing/collection-world.ts';
import { createMovingPlaces, PLACES } from './testing/moving-places.ts';
import { checkPromises, listStored, type Promises, release, uploadAndCommit } from './testing/promises.ts';

const RUNS = Number(process.env['MOVE_RUNS'] ?? 25);
const FIRST_SEED = Number(process.env['MOVE_SEED'] ?? 1);
const STEPS = 130;
const HOUR_MS = 3_600_000;
const PAUSES_MS = [60_000, 30 * HOUR_MS, 60 * HOUR_MS, 121 * HOUR_MS, 121 * HOUR_MS, 270 * HOUR_MS];

/** What was met over all runs: a property that never meets the race proves nothing. */
const met = {
  commits: 0,
  refusedCommits: 0,
  moves: 0,
  ended: 0,
  cancels: 0,
  returned: 0,
  crashesInMoves: 0,
  copied: 0,
  deletesInMoves: 0,
  collections: 0,
};

async function play(seed: number): Promise<string[]> {
  const next = createSeededRandom(seed);
  const pick = (count: number) => next() % count;
  const plain = await createCollectionWorld({ seed });
  const moving = createMovingPlaces(plain.store);
  const world = { ...plain, blocks: moving.blocks };
  const { environment, store } = world;
  const stores = { store: moving.store, blocks: moving.blocks };
  const verify = () => true;
  const job = createBlockMoveJob({ store, environment, verify, places: moving.places });
  try {
    await moving.begin();
    const owners = [await world.addOwner('ann', 'administrator'), await world.addOwner('bob')];
    const { principal } = owners[0] as Owner;
    const contents = [world.make('a'), world.make('b'), world.make('a', 'b'), world.make('a', 'c')];
    const promises: Promises = { held: [], leases: new Map() };
    const history: string[] = [];
    const stop = (problems: readonly string[]) => [...problems, `seed ${seed}`, ...history.slice(-30)];
    const readMove = async () => (await store.read((reader) => reader.getBlockLocation()))?.move ?? null;

    async function move(on: typeof stores): Promise<void> {
      const location = await store.read((reader) => reader.getBlockLocation());
      if (location === undefined || location.move === null) return;
      const opened = await moving.places.apply(location);
      if (opened === null) throw new Error('nothing is open for a move that is recorded');
      try {
        const outcome = await moveBlocks({
          store: on.store,
          environment,
          verify,
          opened,
          location: { ...location, move: location.move },
          signal: new AbortController().signal,
          keepJob: async () => undefined,
          onProgress: ({ move: now }) => {
            if ((now?.copiedBlocks ?? 0) > 0) met.copied += 1;
          },
        });
        if (outcome !== 'ended') throw new Error('blocks are bad that nobody damaged');
        met.ended += 1;
        if (location.move.isReturn) met.returned += 1;
      } catch (error) {
        if (!isCairnError(error, 'cancelled')) throw error;
      }
      const after = await store.read((reader) => reader.getBlockLocation());
      if (after !== undefined) await moving.places.apply(after);
    }

    async function collect(on: typeof stores): Promise<void> {
      met.collections += 1;
      await collectGarbage({ ...on, environment }, { graceMs: DEFAULT_GRACE_MS, batchBlocks: 2 });
    }

    for (let step = 0; step < STEPS; step++) {
      const standing = moving.standing();
      const dice = pick(100);
      if (standing.length > 0 && (dice < 52 || standing.length > 6)) {
        const name = standing[pick(standing.length)] as string;
        const count = pick(3) === 0 ? 40 : 1 + pick(4);
        history.push(`${name} goes on, at most ${count} calls`);
        for (let call = 0; call < count && moving.standing().includes(name); call++) {
          await moving.step(name);
          const problems = await checkPromises(world, promises, contents);
          if (problems.length > 0) return stop(problems);
        }
      } else if (dice < 62) {
        const [owner, made] = [owners[pick(2)] as Owner, contents[pick(contents.length)] as MadeContent];
        const commits = pick(3) > 0;
        history.push(`an upload starts${commits ? '' : ' that nobody commits'}`);
        await moving.start(`upload ${step}`, () =>
          uploadAndCommit(world, stores, owner, made, promises, commits, met),
        );
      } else if (dice < 69) {
        const made = contents[pick(contents.length)] as MadeContent;
        history.push('all versions of one content are removed');
        for (const holding of promises.held.filter((one) => one.made === made)) {
          promises.held.splice(promises.held.indexOf(holding), 1);
          await release(world, world, holding);
        }
      } else if (dice < 75) {
        history.push('a collection starts');
        await moving.start(`collection ${step}`, () => collect(stores));
      } else if (dice < 79) {
        history.push('a whole collection, after a grace');
        await environment.advance(DEFAULT_GRACE_MS);
        if ((await readMove()) !== null) met.deletesInMoves += 1;
        await collect(world);
        if (pick(3) === 0) {
          history.push('and more, until its deletes are forgotten');
          for (const pauseMs of [DEFAULT_GRACE_MS, TOMBSTONE_MS]) {
            await environment.advance(pauseMs);
            await collect(world);
          }
        }
      } else if (dice < 86) {
        const pauseMs = PAUSES_MS[pick(PAUSES_MS.length)] as number;
        history.push(`${pauseMs / HOUR_MS} hours go by`);
        await environment.advance(pauseMs);
      } else if (dice < 97) {
        const under = await readMove();
        if (under === null) {
          const target = PLACES[pick(PLACES.length)] as string;
          const { place } = await job.service.state(principal);
          if (target === place) continue;
          history.push(`a move to ${target} begins`);
          await job.service.begin(principal, { target });
          met.moves += 1;
        } else if (pick(4) === 0) {
          history.push('the move is cancelled');
          await job.service.cancel(principal);
          met.cancels += 1;
        }
        if (!moving.isRunning('move') && pick(4) > 0) await moving.start('move', () => move(stores));
      } else {
        history.push('the server dies and starts again');
        if ((await readMove()) !== null) met.crashesInMoves += 1;
        await moving.crash();
      }
      if (moving.failures.length > 0) return stop(moving.failures);
      const problems = await checkPromises(world, promises, contents);
      if (problems.length > 0) return stop(problems);
    }
    await moving.crash();

    // Nobody does anything any more: the move ends, what is needed is in its one place, everything else goes.
    await move(world);
    expect(await readMove(), `seed ${seed}`).toBeNull();
    const settle = async () => {
      for (let round = 0; round < 4; round++) {
        await environment.advance(DEFAULT_GRACE_MS);
        await collect(world);
      }
    };
    await settle();
    const needed = new Set(promises.held.flatMap(({ made }) => made.blocks.map(({ blockId }) => blockId)));
    expect(await listStored(world), `seed ${seed}`).toEqual([...needed].sort());
    expect(await checkPromises(world, promises, contents)).toEqual([]);
    for (const holding of promises.held.splice(0)) await release(world, world, holding);
    await settle();
    expect(await listStored(world), `seed ${seed}`).toEqual([]);
    return [];
  } finally {
    await plain.close();
  }
}

test('whatever happens while blocks move, what is in use stays readable, and garbage goes', async () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) expect(await play(seed)).toEqual([]);
  for (const [name, count] of Object.entries(met)) {
    expect(count, `${name} in ${RUNS} runs; all: ${JSON.stringify(met)}`).toBeGreaterThan(0);
  }
  if (process.env['MOVE_RUNS'] !== undefined) console.log(JSON.stringify(met));
});
