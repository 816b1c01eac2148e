import type { EntryId } from '@cairn/model';
import { describe, expect, test } from 'vitest';
import { describeReason, explainEntry, plan } from './index.ts';
import { type Files, find, start } from './testing/hands.ts';
import { localOf, ROOT } from './testing/model-nodes.ts';
import type { TreeReader, Trees } from './trees.ts';

describe('what cannot be seen', () => {
  test('T086 I7 an unreadable folder deletes nothing, and heals [S-45]', () => {
    const [world, a, b] = start({ 'd/x': '1', 'd/e/y': '2', z: '3' });
    const folder = find(a.device, 'd');
    for (const id of a.device.disk.below(folder.entryId).slice(1).reverse()) a.device.disk.delete(id);
    a.device.unknown.add(folder.entryId);
    b.edit('d/x', '4');
    b.make('d/new', '5');
    for (let round = 0; round < 5; round++) {
      for (const { device } of [b, a]) {
        device.follow();
        const { trees, plan: made } = device.plan();
        device.execute(trees, made.operations, () => true);
      }
    }
    const { plan: stuck } = a.device.plan();
    expect(stuck.operations).toEqual([]);
    expect(stuck.issues.find((issue) => issue.entryId === folder.entryId)?.code).toBe('unreadable');
    expect(b.files()).toEqual({ 'd/x': '4', 'd/e/y': '2', 'd/new': '5', z: '3' });
    expect(world.server.trash.size).toBe(0);
  });

  test('T066 a local name that cannot be synced is an issue, for it and what is below [S-43]', () => {
    const [, a] = start({});
    const name = 'x'.repeat(256);
    a.make(`${name}/`);
    a.make(`${name}/in`, '1');
    const { plan: made } = a.device.plan();
    expect(made.operations).toEqual([]);
    expect(made.issues.map((issue) => issue.code)).toEqual(['bad-local-name', 'waiting-for-parent']);
  });

  test('T069 folders 2,000 deep are reported, not followed into the ground', () => {
    const [, a] = start({});
    let parentId = ROOT;
    for (let depth = 0; depth < 2000; depth++) {
      const id = `deep${String(depth).padStart(5, '0')}` as EntryId;
      a.device.disk.set(localOf(id, parentId, 'd', {}));
      parentId = id;
    }
    const { plan: made } = a.device.plan();
    expect(made.operations).toHaveLength(512);
    expect(made.issues.every((issue) => issue.code === 'too-deep')).toBe(true);
  });
});

describe('I8 the brake', () => {
  const many: Files = Object.fromEntries(
    Array.from({ length: 20 }, (_, index) => [`d/f${index}`, `${index}`]),
  );
  const brake = { count: 10, share: 0.5 };

  test('holds deletes towards the server until confirmed [S-48]', () => {
    const [world, a, b] = start(many);
    a.device.options = { ...a.device.options, brake };
    a.remove('d');
    expect(a.device.plan().plan.held).toMatchObject({ direction: 'up', count: 21, sizeBytes: 20 });
    expect(world.converge(10)).toBeNull();
    expect(Object.keys(b.files())).toHaveLength(20);
    a.device.options = { ...a.device.options, confirmed: new Set(['up'] as const) };
    expect(world.converge(10)).toBeNull();
    expect(b.files()).toEqual({});
  });

  test('holds deletes towards the disk, and lets everything else through [S-48 S-69]', () => {
    const [world, a, b] = start({ ...many, other: '1' });
    b.device.options = { ...b.device.options, brake };
    a.remove('d');
    a.edit('other', '2');
    expect(world.converge(10)).toBeNull();
    expect(Object.keys(b.files())).toHaveLength(21);
    expect(b.files()['other']).toBe('2');
    expect(b.device.plan().plan.held).toMatchObject({ direction: 'down', count: 21, sizeBytes: 20 });
    b.device.options = { ...b.device.options, confirmed: new Set(['down'] as const) };
    expect(world.converge(10)).toBeNull();
    expect(b.files()).toEqual({ other: '2' });
  });
});

describe('explain', () => {
  test('says what differs, what happens next and why [S-75]', () => {
    const [world, a, b] = start({ f: '1' });
    const id = find(a.device, 'f').entryId;
    expect(explainEntry(a.device.observe(), id, a.device.options).inSync).toBe(true);
    b.edit('f', '2');
    expect(world.converge(10, [b.device])).toBeNull();
    a.device.follow();
    const explanation = explainEntry(a.device.observe(), id, a.device.options);
    expect(explanation.operations.map(({ operation }) => operation.kind)).toEqual(['download']);
    expect(explanation.sentences).toContain('Since then it was edited on the server.');
    expect(explanation.sentences.join(' ')).toContain(describeReason('edited-on-server'));
  });
});

describe('speed', () => {
  test('one change among 10,000 entries looks at few of them', () => {
    const [, a] = start({ 'd/f': '1' });
    a.edit('d/f', '2');
    const { device } = a;
    const folder = find(device, 'd').entryId;
    const entry = device.remote.get(folder);
    const base = device.synced.get(folder);
    if (entry === undefined || base === undefined) throw new Error('the folder is not in sync');
    for (let index = 0; index < 10_000; index++) {
      const place = { entryId: `x${index}` as EntryId, parentId: ROOT, name: `n${index}` };
      device.remote.set({ ...entry, ...place });
      device.synced.set({ ...base, ...place });
      device.disk.set(localOf(place.entryId, ROOT, place.name, {}));
    }
    const trees = device.observe();
    const reads = { count: 0 };
    const counted = <Node>(tree: TreeReader<Node>): TreeReader<Node> => ({
      get: (id) => {
        reads.count++;
        return tree.get(id);
      },
      children: (id) => tree.children(id),
      values: () => tree.values(),
      size: tree.size,
    });
    const watched: Trees = {
      rootId: ROOT,
      remote: counted(trees.remote),
      local: counted(trees.local),
      synced: counted(trees.synced),
    };
    const made = plan(watched, device.options, [find(device, 'd/f').entryId]);
    expect(made.operations.map(({ operation }) => operation.kind)).toEqual(['inspect']);
    expect(reads.count).toBeLessThan(100);
  });
});

describe('names that a disk spells its own way', () => {
  test('what was agreed takes the spelling of the server, and nothing is moved [S-41]', () => {
    const [, a] = start({ née: '1' });
    const { device } = a;
    const { entryId } = find(device, 'née');
    const base = device.synced.get(entryId);
    if (base === undefined) throw new Error('the file is not in sync');
    device.options = { ...device.options, foldsNames: true };
    device.synced.set({ ...base, name: 'née'.normalize('NFD') });
    device.disk.set({ ...find(device, 'née'), name: 'née'.normalize('NFD') });
    const { plan: made } = device.plan();
    expect(made.operations.map(({ operation }) => operation.kind)).toEqual(['settle']);
    device.execute(device.observe(), made.operations, () => true);
    expect(device.synced.get(entryId)?.name).toBe('née'.normalize('NFC'));
    expect(device.plan().plan.operations).toEqual([]);
  });
});
