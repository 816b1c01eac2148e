import { CairnError } from '@cairn/model';
import type { Principal } from '@cairn/services';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CleanUpReport } from './clean-up.ts';
import { createCollectionJob } from './collection-job.ts';
import { createMaintenance, type MaintenanceService } from './create-maintenance.ts';
import { type CollectionWorld, createCollectionWorld } from './testing/collection-world.ts';

describe('a clean-up that was asked for', () => {
  let world: CollectionWorld;
  let root: Principal;
  beforeEach(async () => {
    world = await createCollectionWorld();
    root = (await world.addOwner('root', 'administrator')).principal;
  });
  afterEach(() => world.close());

  /** A job whose clean-up ends when it is let go. */
  function createHeld() {
    const gate = Promise.withResolvers<CleanUpReport>();
    const calls: Parameters<MaintenanceService['collect']>[1][] = [];
    const { store, environment } = world.dependencies;
    const job = createCollectionJob({
      store,
      environment,
      maintenance: {
        collect(_principal, options) {
          calls.push(options);
          options.signal?.addEventListener('abort', () => gate.reject(options.signal?.reason));
          return gate.promise;
        },
      },
    });
    return { ...job, gate, calls };
  }

  test('is started, tells how far it is, is joined, and is asked for afterwards', async () => {
    const { service, gate, calls, stop } = createHeld();
    expect(await service.state(root)).toMatchObject({ state: 'never', report: null });
    expect(await service.begin(root, { dryRun: false })).toMatchObject({ state: 'running', step: null });
    calls[0]?.onProgress?.('orphans', 12);
    expect(await service.state(root)).toMatchObject({ state: 'running', step: 'orphans', doneBlocks: 12 });
    await service.begin(root, { dryRun: false });
    await expect(service.begin(root, { dryRun: true })).rejects.toMatchObject({ code: 'unavailable' });
    expect(calls).toHaveLength(1);
    gate.resolve({ dryRun: false } as CleanUpReport);
    await stop();
    expect(await service.state(root)).toMatchObject({ state: 'done', report: { dryRun: false } });
  });

  test('that fails says why, and another may be started', async () => {
    const { service, gate, calls, stop } = createHeld();
    await service.begin(root, { dryRun: true });
    gate.reject(new CairnError('unavailable', 'a clean-up is running already'));
    await expect.poll(async () => (await service.state(root)).state).toBe('failed');
    expect(await service.state(root)).toMatchObject({ problem: 'a clean-up is running already' });
    await service.begin(root, { dryRun: false });
    expect(calls).toHaveLength(2);
    await stop();
  });

  test('ends with its process', async () => {
    const { service, stop } = createHeld();
    await service.begin(root, { dryRun: false });
    await stop();
    expect(await service.state(root)).toMatchObject({ state: 'failed', problem: 'the server is stopping' });
  });

  test('is nothing for who is no administrator, and tells its steps', async () => {
    const { dependencies } = world;
    const { service: maintenance } = createMaintenance(dependencies);
    const { service, stop } = createCollectionJob({ ...dependencies, maintenance });
    const ann = await world.addOwner('ann');
    await expect(service.begin(ann.principal, { dryRun: true })).rejects.toMatchObject({ code: 'not-found' });
    await expect(service.state(ann.principal)).rejects.toMatchObject({ code: 'not-found' });
    await world.upload(ann, world.make('garbage'));
    const steps: string[] = [];
    await maintenance.collect(root, {
      dryRun: false,
      onProgress: (step) => steps.at(-1) !== step && steps.push(step),
    });
    expect(steps).toEqual(['trash', 'versions', 'expire', 'condemn', 'orphans', 'audit']);
    await service.begin(root, { dryRun: false });
    await expect.poll(async () => (await service.state(root)).state).toBe('done');
    await stop();
  });
});
