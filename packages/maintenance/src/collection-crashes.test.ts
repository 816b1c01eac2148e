import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSimulatedEnvironment } from '@cairn/environment';
import type { MetadataStore } from '@cairn/metadata-store';
import { releaseContents } from '@cairn/services';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { auditReferences } from './audit-references.ts';
import { type CollectionDependencies, collectGarbage } from './collect-garbage.ts';
import { DEFAULT_GRACE_MS } from './collection-settings.ts';
import { type CollectionWorld, createCollectionWorld } from './testing/collection-world.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-collection-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The stores of a process that ends before its call of this number, and how many calls it made. */
function dieAt({ store, blocks, environment }: CollectionDependencies, last: number) {
  let calls = 0;
  function guard<Call extends (...input: never[]) => unknown>(call: Call): Call {
    return ((...input: never[]) => {
      if (++calls > last) throw new Error('the process ends here');
      return call(...input);
    }) as Call;
  }
  const dependencies: CollectionDependencies = {
    store: { ...store, read: guard(store.read), transact: guard(store.transact) } as MetadataStore,
    blocks: {
      ...blocks,
      locate: guard(blocks.locate),
      delete: guard(blocks.delete),
      list: guard(blocks.list),
    },
    environment,
  };
  return { dependencies, calls: () => calls };
}

test('on disk: a run that ends at any call leaves what is needed, and what the next one finishes [T239]', async () => {
  const environment = createSimulatedEnvironment({ seed: 1 });
  const open = (name: string): Promise<CollectionWorld> =>
    createCollectionWorld({ folder: join(folder, name), environment });
  const template = await open('template');
  const ann = await template.addOwner('ann');
  const [kept, swept, condemned] = [
    template.make('kept', 'and shared'),
    template.make('swept', 'and shared'),
    template.make('condemned in this run'),
  ];
  for (const made of [kept, swept]) {
    await template.upload(ann, made);
    await template.create(ann, made.content);
  }
  const orphan = template.make('orphan');
  await template.blocks.put(orphan.blocks);
  await template.store.transact((transaction) =>
    releaseContents(transaction, ann.spaceId, [swept.content], environment.clock.now()),
  );
  await environment.advance(DEFAULT_GRACE_MS);
  await collectGarbage(template.dependencies);
  await template.upload(ann, condemned);
  await environment.advance(DEFAULT_GRACE_MS);
  await template.close();
  const ids = (made: typeof kept) => made.blocks.map(({ blockId }) => blockId).sort();

  let deaths = 0;
  for (let last = 0; ; last++) {
    const name = `died at ${last}`;
    await cp(join(folder, 'template'), join(folder, name), { recursive: true });
    const first = await open(name);
    const dying = dieAt(first.dependencies, last);
    const ended = await collectGarbage(dying.dependencies, { batchBlocks: 1 }).then(
      () => true,
      () => false,
    );
    await first.close();

    const second = await open(name);
    expect((await second.blocks.has(ids(kept))).every(Boolean), name).toBe(true);
    await collectGarbage(second.dependencies);
    const stored: string[] = [];
    for await (const { blockId } of second.blocks.list()) stored.push(blockId);
    expect(stored.sort(), name).toEqual([...ids(kept), ...ids(condemned)].sort());
    expect(await auditReferences(second.dependencies), name).toMatchObject({ references: 3, dangling: 0 });
    await second.close();
    await rm(join(folder, name), { recursive: true });
    if (ended) break;
    deaths += 1;
  }
  expect(deaths).toBeGreaterThan(20);
});
