import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestWorld, type TestDevice, type TestWorld } from './testing/world.ts';

let world: TestWorld;
let a: TestDevice;
let b: TestDevice;

beforeEach(async () => {
  world = await createTestWorld();
  a = await world.addDevice('Laptop');
  b = await world.addDevice('Desktop');
});
afterEach(() => world.close());

const text = (device: TestDevice, path: string) => new TextDecoder().decode(device.disk.user.readFile(path));

describe('two devices', () => {
  test('a tree made before the start arrives on the other device', async () => {
    a.disk.user.makeFolder('docs');
    a.disk.user.makeFolder('docs/empty');
    a.disk.user.writeFile('docs/a.txt', 'one');
    a.disk.user.writeFile('tool.sh', '#!/bin/sh');
    a.disk.user.setExecutable('tool.sh', true);
    a.disk.user.makeLink('link', 'docs/a.txt');
    a.disk.user.makeLink('dangling', '../../outside');
    a.start();
    b.start();
    await world.settle([a, b]);
    expect(text(b, 'docs/a.txt')).toBe('one');
    expect(b.disk.user.describe()).toEqual(a.disk.user.describe());
  });

  test('edits, renames, moves and deletes go both ways', async () => {
    a.disk.user.makeFolder('docs');
    for (let index = 0; index < 20; index++) a.disk.user.writeFile(`docs/${index}.txt`, `file ${index}`);
    a.start();
    b.start();
    await world.settle([a, b]);
    const sent = a.network.sentBlocks + b.network.sentBlocks;
    const read = a.network.readBlocks + b.network.readBlocks;

    b.disk.user.rename('docs', 'papers');
    await world.until('the rename is on A', () =>
      a.disk.user.describe().some((line) => line.includes('papers')),
    );
    await world.settle([a, b]);
    expect(a.network.sentBlocks + b.network.sentBlocks).toBe(sent);
    expect(a.network.readBlocks + b.network.readBlocks).toBe(read);

    a.disk.user.writeFile('papers/3.txt', 'edited on A');
    b.disk.user.remove('papers/4.txt');
    await world.until('both are there', () => text(b, 'papers/3.txt') === 'edited on A');
    await world.settle([a, b]);
    expect(a.disk.user.describe().some((line) => line.includes('papers/4.txt'))).toBe(false);
  });

  test('memory is given back amid any work, and nothing is lost', async () => {
    for (const device of [a, b]) {
      device.network.gate = async () => {
        for (const { running, engine } of [a, b]) if (running) engine.giveMemoryBack();
      };
    }
    a.disk.user.makeFolder('docs');
    for (let index = 0; index < 30; index++) a.disk.user.writeFile(`docs/${index}.txt`, `file ${index}`);
    a.disk.user.writeFile('large', new Uint8Array(700_000).fill(5));
    a.start();
    b.start();
    await world.settle([a, b]);
    b.disk.user.writeFile('docs/3.txt', 'edited');
    b.disk.user.rename('docs/4.txt', 'docs/40.txt');
    b.disk.user.remove('docs/5.txt');
    await world.until('all of that is there', () => text(a, 'docs/3.txt') === 'edited');
    await world.settle([a, b]);
    expect(a.disk.user.describe()).toEqual(b.disk.user.describe());
    expect(text(a, 'docs/40.txt')).toBe('file 4');
    expect(a.engine.status().state).toBe('in-sync');
    expect(a.engine.explain('docs/40.txt').planned).toEqual([]);
  });

  test('edits on both sides while offline keep both contents [S-21]', async () => {
    a.disk.user.writeFile('plan.txt', 'base');
    a.start();
    b.start();
    await world.settle([a, b]);
    b.network.offline = true;
    a.disk.user.writeFile('plan.txt', 'from A');
    await world.until(
      'A has committed',
      async () => (await world.sequence()) >= 2 && a.engine.status().state === 'in-sync',
    );
    b.disk.user.writeFile('plan.txt', 'from B');
    await world.until('B has noticed', () => b.engine.status().state === 'offline');
    b.network.offline = false;
    b.engine.refresh();
    await world.settle([a, b]);
    expect(text(a, 'plan.txt')).toBe('from A');
    const copy = a.disk.user.describe().find((line) => line.includes("Desktop's Conflict Copy"));
    expect(copy).toBeDefined();
    expect(b.engine.status().notices[0]?.kind).toBe('conflict-copy');
  });

  test('what happened while a device was stopped is found at its start [S-62]', async () => {
    a.disk.user.makeFolder('d');
    a.disk.user.writeFile('d/x', '1');
    a.disk.user.writeFile('d/y', '2');
    a.start();
    b.start();
    await world.settle([a, b]);
    await b.stop();
    b.disk.user.rename('d/x', 'd/z');
    b.disk.user.writeFile('new', '3');
    a.disk.user.remove('d/y');
    await world.settle([a]);
    b.start();
    await world.settle([a, b]);
    expect(text(a, 'd/z')).toBe('1');
    expect(text(a, 'new')).toBe('3');
    expect(a.disk.user.describe().some((line) => line.includes('d/y'))).toBe(false);
  });

  test('a folder that was copied from elsewhere is merged by union: what it lacks comes back [S-51]', async () => {
    for (const name of ['here', 'there']) a.disk.user.writeFile(name, name);
    a.start();
    b.start();
    await world.settle([a, b]);
    await a.stop();
    // Another device's folder: its marker is not the one that this device's database knows.
    const marker = JSON.parse(text(a, '.cairn/marker'));
    a.disk.user.writeFile('.cairn/marker', JSON.stringify({ ...marker, linkId: 'x'.repeat(26) }));
    a.disk.user.remove('there');
    a.start();
    await world.settle([a, b]);
    expect(new Set(b.disk.user.walk().map(({ path }) => path))).toEqual(new Set(['here', 'there']));
    expect(a.disk.user.describe()).toEqual(b.disk.user.describe());
  });

  test('what an interrupted download left is checked before it is used [S-7]', async () => {
    const big = new Uint8Array(6 * 1024 * 1024).map((_, index) => (index * 2_654_435_761) >>> 13);
    a.start();
    b.start();
    await world.settle([a, b]);
    let writes = 0;
    let killed: Promise<void> | null = null;
    b.disk.setFaults((operation) => {
      if (operation === 'write' && ++writes === 3) killed = b.kill();
      return null;
    });
    a.disk.user.writeFile('big', big);
    await world.until('B is killed in the middle', () => killed !== null);
    await killed;
    b.disk.setFaults(null);
    const folder = '.cairn/temporary';
    const left = b.disk.user.list(folder);
    expect(left.length).toBeGreaterThan(0);
    for (const name of left) {
      const bytes = b.disk.user.readFile(`${folder}/${name}`);
      b.disk.user.writeFile(`${folder}/${name}`, bytes.fill(7, 0, Math.min(1000, bytes.length)));
    }
    b.start();
    await world.settle([a, b]);
    expect(Buffer.compare(b.disk.user.readFile('big'), big)).toBe(0);
  });

  test('a lost database costs no data, no conflict and no traffic for equal files [S-51]', async () => {
    for (let index = 0; index < 10; index++) a.disk.user.writeFile(`${index}`, `content ${index}`);
    a.start();
    b.start();
    await world.settle([a, b]);
    await b.stop();
    b.loseTrees();
    b.disk.user.writeFile('3', 'edited on B meanwhile');
    const read = b.network.readBlocks;
    b.start();
    await world.settle([a, b]);
    expect(b.network.readBlocks).toBeLessThanOrEqual(read + 1);
    expect(a.disk.user.describe().filter((line) => line.includes('Conflict Copy')).length).toBe(1);
  });

  test('an unmounted root deletes nothing [S-47]', async () => {
    a.disk.user.writeFile('precious', 'data');
    a.start();
    b.start();
    await world.settle([a, b]);
    b.disk.setRootPresent(false);
    b.engine.refresh();
    await world.until('B has stopped', () => b.failure !== null);
    expect(String(b.failure)).toMatch(/root|folder/);
    expect(text(a, 'precious')).toBe('data');
    b.disk.setRootPresent(true);
    b.start();
    await world.settle([a, b]);
    expect(text(b, 'precious')).toBe('data');
  });

  test('a folder that is emptied together with its marker stops sync; nothing is deleted elsewhere [S-47]', async () => {
    for (const name of ['one', 'two', 'three']) a.disk.user.writeFile(name, name);
    a.start();
    b.start();
    await world.settle([a, b]);
    for (const name of ['.cairn', 'one', 'two', 'three']) b.disk.user.remove(name);
    await world.until('B has stopped, or the deletes are on A', () => {
      return b.failure !== null || a.disk.user.walk().length === 0;
    });
    expect(String(b.failure)).toContain('marker');
    const { principal, data } = world;
    for (const name of ['one', 'two', 'three']) {
      expect(text(a, name)).toBe(name);
      await expect(data.files.getByPath(principal, null, `/${name}`)).resolves.toBeDefined();
    }
    // The same at the next start: without its marker it is not the folder that this device knows.
    b.start();
    await world.until('B has stopped again', () => b.failure !== null);
    expect(String(b.failure)).toContain('marker');
    expect(a.disk.user.walk()).toHaveLength(3);
  });

  test('too many deletes are held, then go on when confirmed [S-48]', async () => {
    a.disk.user.makeFolder('big');
    for (let index = 0; index < 30; index++) a.disk.user.writeFile(`big/${index}`, `${index}`);
    const careful = await world.addDevice('Careful', { brake: { count: 5, share: 0.1 } });
    a.start();
    careful.start();
    await world.settle([a, careful]);
    careful.disk.user.remove('big');
    await world.until('the deletes are held', () => careful.engine.status().state === 'held');
    expect(a.disk.user.describe().length).toBe(31);
    careful.engine.rejectDeletes();
    await world.settle([a, careful]);
    expect(careful.disk.user.describe().length).toBe(31);
    careful.disk.user.remove('big');
    await world.until('the deletes are held again', () => careful.engine.status().state === 'held');
    careful.engine.confirmDeletes();
    await world.settle([a, careful]);
    expect(a.disk.user.describe()).toEqual([]);
  });

  test('ignored and unsyncable things stay where they are and say why [S-44]', async () => {
    a.disk.user.writeFile('.cairnignore', 'build/\n*.tmp\n');
    a.disk.user.makeFolder('build');
    a.disk.user.writeFile('build/out', 'x');
    a.disk.user.writeFile('a.tmp', 'x');
    a.disk.user.makeFifo('pipe');
    a.disk.user.writeFile('kept', 'y');
    a.start();
    b.start();
    await world.until('kept arrives', () => b.disk.user.describe().some((line) => line.includes('kept')));
    await world.until('in sync', () => a.engine.status().state === 'in-sync');
    const names = b.disk.user.describe().join('\n');
    expect(names).not.toMatch(/build|tmp|pipe/);
    expect(a.engine.explain('a.tmp').verdict).toBe('ignored');
    expect(a.engine.explain('pipe').verdict).toBe('unsyncable');
    expect(a.engine.explain('kept').verdict).toBe('in-sync');
    expect(a.engine.explain('nothing').verdict).toBe('unknown-path');
  });

  test('rules that begin to ignore what is there leave both devices in sync, with no trouble shown', async () => {
    a.disk.user.makeFolder('build');
    a.disk.user.writeFile('build/x', '1');
    a.start();
    b.start();
    await world.settle([a, b]);
    a.disk.user.writeFile('debug.log', 'made at the same moment as the rule');
    a.disk.user.writeFile('.cairnignore', '*.log\nbuild/\n');
    await world.until('the rules are on B', () => b.engine.explain('debug.log').verdict === 'ignored');
    await world.until('both are in sync', () =>
      [a, b].every(
        ({ engine }) => engine.status().state === 'in-sync' && engine.status().issues.length === 0,
      ),
    );
    expect(text(b, 'build/x')).toBe('1');
    expect(b.disk.user.describe().some((line) => line.includes('debug.log'))).toBe(false);
  });
});
