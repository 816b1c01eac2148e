import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_GRACE_MS } from './collection-settings.ts';
import { createMaintenance, type Maintenance } from './create-maintenance.ts';
import { withJobLease } from './job-lease.ts';
import { type CollectionWorld, createCollectionWorld, type Owner } from './testing/collection-world.ts';

const HOUR_MS = 3_600_000;

let world: CollectionWorld;
let ann: Owner;
const running: Maintenance[] = [];
beforeEach(async () => {
  world = await createCollectionWorld();
  ann = await world.addOwner('ann');
});
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
  await world.close();
});

function start(): Maintenance {
  const maintenance = createMaintenance(world.dependencies);
  running.push(maintenance);
  maintenance.start();
  return maintenance;
}

/** Hour by hour, so that what a timer woke comes to its end in between. */
async function wait(hours: number): Promise<void> {
  for (let hour = 0; hour < hours; hour++) {
    await world.environment.advance(HOUR_MS);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('the periodic clean-up', () => {
  test('comes within two hours, then once a day, and frees what nobody needs', async () => {
    await world.upload(ann, world.make('garbage'));
    const maintenance = start();
    expect((await maintenance.measure()).lastRunAt).toBeNull();
    await wait(2);
    expect(await maintenance.measure()).toMatchObject({ runs: 1, danglingReferences: 0 });
    await wait(20);
    expect((await maintenance.measure()).runs).toBe(1);
    await wait(5);
    expect((await maintenance.measure()).runs).toBe(2);
    await wait((2 * DEFAULT_GRACE_MS) / HOUR_MS + 52);
    expect(await maintenance.measure()).toMatchObject({
      reclaimedBlocks: 1,
      reclaimedBytes: 7,
      waitingBlocks: 0,
    });
    expect(await world.blocks.usage()).toMatchObject({ blocks: 0 });
  });

  test('is done by one of several processes', async () => {
    const all = [start(), start(), start()];
    await wait(10 * 24);
    const measures = await Promise.all(all.map((one) => one.measure()));
    const runs = measures.reduce((sum, one) => sum + one.runs, 0);
    expect(runs).toBeGreaterThanOrEqual(9);
    expect(runs).toBeLessThanOrEqual(10);
    expect(measures.every((one) => one.failedRuns === 0)).toBe(true);
  });

  test('that fails is told, and tried again in the next hour', async () => {
    const maintenance = start();
    const { list } = world.blocks;
    world.blocks.list = () => {
      throw new Error('the disk is away');
    };
    await wait(2);
    expect(await maintenance.measure()).toMatchObject({ runs: 0, lastRunAt: null });
    expect((await maintenance.measure()).failedRuns).toBeGreaterThan(0);
    world.blocks.list = list;
    await wait(2);
    expect((await maintenance.measure()).runs).toBe(1);
  });

  test('ends with its process', async () => {
    const maintenance = start();
    await maintenance.stop();
    await maintenance.stop();
    await wait(48);
    expect((await maintenance.measure()).runs).toBe(0);
    expect(world.environment.untilNextTimerMs()).toBeNull();
  });

  test('tells references that lead nowhere', async () => {
    const made = world.make('lost');
    await world.upload(ann, made);
    await world.create(ann, made.content);
    const [location] = await world.blocks.locate(made.blocks.map(({ blockId }) => blockId));
    await world.blocks.delete(location as NonNullable<typeof location>);
    const maintenance = start();
    await wait(2);
    expect((await maintenance.measure()).danglingReferences).toBe(1);
  });
});

describe('for administrators', () => {
  test('a clean-up is done or told, for nobody else', async () => {
    const { service } = createMaintenance(world.dependencies);
    await world.upload(ann, world.make('garbage'));
    await world.environment.advance(DEFAULT_GRACE_MS);
    for (const dryRun of [true, false]) {
      await expect(service.collect(ann.principal, { dryRun })).rejects.toMatchObject({ code: 'not-found' });
    }
    // What the token says is not believed.
    const pretender = { ...ann.principal, role: 'administrator' as const };
    await expect(service.usage(pretender)).rejects.toMatchObject({ code: 'not-found' });

    const root = await world.addOwner('root', 'administrator');
    const told = await service.collect(root.principal, { dryRun: true });
    expect(told.collection.condemned).toEqual({ blocks: 1, storedBytes: 7 });
    const done = await service.collect(root.principal, { dryRun: false });
    expect(done.collection.condemned).toEqual(told.collection.condemned);
    expect((await service.usage(root.principal)).garbage).toEqual({ blocks: 1, storedBytes: 7 });
  });

  test('while another process cleans up it is refused, and a dry run is not', async () => {
    const root = await world.addOwner('root', 'administrator');
    const { service } = createMaintenance(world.dependencies);
    await withJobLease(world.dependencies, { name: 'clean-up', holder: 'another' }, async () => {
      await expect(service.collect(root.principal, { dryRun: false })).rejects.toMatchObject({
        code: 'unavailable',
      });
      await service.collect(root.principal, { dryRun: true });
    });
    await service.collect(root.principal, { dryRun: false });
  });
});

describe('the lease of a job', () => {
  const lease = { name: 'job', holder: 'a' };

  test('is renewed as long as the work takes', async () => {
    await withJobLease(world.dependencies, lease, async (signal) => {
      for (let minutes = 0; minutes < 60; minutes++) await world.environment.advance(60_000);
      expect(signal.aborted).toBe(false);
      expect(await withJobLease(world.dependencies, { ...lease, holder: 'b' }, async () => 1)).toBeNull();
    });
    expect(await withJobLease(world.dependencies, { ...lease, holder: 'b' }, async () => 1)).toBe(1);
    expect(world.environment.untilNextTimerMs()).toBeNull();
  });

  test('that was lost ends the work', async () => {
    const work = withJobLease(world.dependencies, lease, async (signal) => {
      // The process stood still while another one took the job.
      const now = world.environment.clock.now();
      await world.store.transact((transaction) =>
        transaction.takeJobLease('job', 'b', now + HOUR_MS, now + 2 * HOUR_MS),
      );
      await world.environment.advance(10 * 60_000);
      signal.throwIfAborted();
    });
    await expect(work).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('ends when its process is stopped', async () => {
    const stopping = new AbortController();
    const work = withJobLease(world.dependencies, { ...lease, signal: stopping.signal }, async (signal) => {
      stopping.abort(new Error('stopped'));
      signal.throwIfAborted();
    });
    await expect(work).rejects.toThrow('stopped');
    expect(await withJobLease(world.dependencies, { ...lease, holder: 'b' }, async () => 1)).toBe(1);
  });
});
