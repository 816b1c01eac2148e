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
const paths = (device: TestDevice) =>
  device.disk.user.describe().map((line) => line.split(/ (?:file|folder|link)(?: |$)/)[0]);
const rests = (device: TestDevice) =>
  world.until(`${device.name} rests`, () => ['in-sync', 'waiting'].includes(device.engine.status().state));
async function has(device: TestDevice, ...expected: string[]): Promise<void> {
  await world.until(
    `${device.name} has just ${expected.join(', ')}`,
    () => paths(device).sort().join() === expected.sort().join(),
  );
}
async function serverPaths(): Promise<string[]> {
  const found: string[] = [];
  const { data, principal } = world;
  const walk = async (
    entryId: Awaited<ReturnType<typeof data.files.getByPath>>['entry']['entryId'],
    prefix: string,
  ) => {
    const { entries } = await data.files.listFolder(principal, entryId, { after: null, limit: 1000 });
    for (const entry of entries) {
      found.push(prefix + entry.name);
      if (entry.kind === 'folder') await walk(entry.entryId, `${prefix}${entry.name}/`);
    }
  };
  await walk((await data.files.getByPath(principal, null, '/')).entry.entryId, '');
  return found.sort();
}
const ALL = ['big', 'big/1', 'big/2', 'big/in', 'big/in/3', 'kept'];
function fill(device: TestDevice): void {
  const { user } = device.disk;
  user.makeFolder('big');
  user.makeFolder('big/in');
  for (const name of ['big/1', 'big/2', 'big/in/3', 'kept']) user.writeFile(name, `content of ${name}`);
}

describe('selective sync [S-68]', () => {
  test('what is deselected leaves this disk only, stays away, and comes back when it is selected again', async () => {
    fill(a);
    a.start();
    b.start();
    await world.settle([a, b]);
    const sequence = await world.sequence();
    await a.engine.select({ exclude: ['big'] });
    await has(a, 'kept');
    await world.until('A is in sync', () => a.engine.status().state === 'in-sync');
    expect(await serverPaths()).toEqual(ALL);
    expect(await world.sequence()).toBe(sequence);
    expect(a.engine.selection()).toEqual([{ path: 'big', selected: false, unknown: false }]);
    expect(a.engine.explain('big/1').lines.join(' ')).toMatch(/not selected/);

    b.disk.user.writeFile('big/1', 'edited on B');
    b.disk.user.writeFile('big/4', 'new on B');
    b.disk.user.writeFile('also', 'comes');
    await has(a, 'kept', 'also');
    await a.engine.select({ include: ['big'] });
    await world.settle([a, b]);
    expect(text(a, 'big/1')).toBe('edited on B');
    expect(a.engine.selection()).toEqual([]);
  });

  test('--only keeps what leads to the chosen place; a mark follows its folder through renames', async () => {
    fill(a);
    a.start();
    b.start();
    await world.settle([a, b]);
    await a.engine.select({ only: ['big/in'] });
    await has(a, 'big', 'big/in', 'big/in/3');
    b.disk.user.rename('big', 'large');
    b.disk.user.writeFile('large/in/5', 'comes');
    b.disk.user.writeFile('large/6', 'does not');
    await has(a, 'large', 'large/in', 'large/in/3', 'large/in/5');
    expect(await serverPaths()).toContain('large/1');
    await a.restart();
    await rests(a);
    await has(a, 'large', 'large/in', 'large/in/3', 'large/in/5');
    await a.engine.select({ only: [''] });
    await world.settle([a, b]);
  });

  test('an edit gets to the server first; what is new stays and is told, and is no longer told when it is selected', async () => {
    fill(a);
    a.start();
    b.start();
    await world.settle([a, b]);
    a.network.offline = true;
    a.disk.user.writeFile('big/1', 'edited at the last moment');
    a.disk.user.writeFile('big/new', 'never synced');
    await world.until('A has noticed', () => a.engine.status().state === 'offline');
    const chosen = a.engine.select({ exclude: ['big'] });
    await chosen;
    expect(paths(a)).toContain('big/2');
    a.network.offline = false;
    a.engine.refresh();
    await world.until('the edit is on B', () => text(b, 'big/1') === 'edited at the last moment');
    await has(a, 'big', 'big/new', 'kept');
    await rests(a);
    expect(a.engine.status().state).toBe('waiting');
    expect(a.engine.explain('big/new').lines.join(' ')).toMatch(/not selected/);
    a.disk.user.makeFolder('big/more');
    a.disk.user.writeFile('big/more/x', 'mine');
    await world.until('it is listed', () =>
      a.engine.status().unsynced.some(({ path, reason }) => path === 'big/more' && reason === 'not-selected'),
    );
    expect(await serverPaths()).not.toContain('big/new');
    await a.engine.select({ include: ['big'] });
    await world.settle([a, b]);
    expect(text(b, 'big/more/x')).toBe('mine');
    expect(a.engine.status().unsynced).toEqual([]);
  });

  test('a brake that is set tight does not hold it, and the removals do not count', async () => {
    const careful = await world.addDevice('Careful', { brake: { count: 1, share: 0.01 } });
    fill(a);
    a.start();
    careful.start();
    await world.settle([a, careful]);
    await careful.engine.select({ exclude: ['big'] });
    await has(careful, 'kept');
  });

  test('T157 killed at any call to the disk, or by a power cut: nothing is deleted on the server', async () => {
    fill(a);
    a.start();
    b.start();
    await world.settle([a, b]);
    for (let calls = 1; calls <= 40; calls += 3) {
      let left = calls;
      let died = false;
      a.disk.setFaults(() => {
        if (--left === 0) {
          died = true;
          a.disk.restart();
        }
        return null;
      });
      const chosen = a.engine.select({ exclude: ['big'] }).catch(() => undefined);
      await world.until('it is dead or done', () => died || paths(a).join() === 'kept');
      a.disk.setFaults(null);
      await (calls % 2 === 0 ? a.kill() : a.cutPower());
      await chosen;
      a.start();
      await a.engine.select({ exclude: ['big'] });
      await has(a, 'kept');
      expect(await serverPaths()).toEqual(ALL);
      await a.engine.select({ include: ['big'] });
      await world.settle([a, b]);
    }
  }, 30_000);

  test('a lost database forgets the selection: everything comes back, nothing goes', async () => {
    fill(a);
    a.start();
    b.start();
    await world.settle([a, b]);
    await a.engine.select({ exclude: ['big'] });
    await has(a, 'kept');
    await a.stop();
    a.loseTrees();
    a.start();
    await world.settle([a, b]);
    expect(await serverPaths()).toEqual(ALL);
  });
});

describe('rules that change [S-67]', () => {
  test('what becomes ignored stays everywhere, also when its file is then deleted here; un-ignored it is merged', async () => {
    fill(a);
    a.start();
    b.start();
    await world.settle([a, b]);
    a.disk.user.writeFile('.cairnignore', 'big/\n');
    await world.until('the rule is on B', () => b.engine.explain('big/1').verdict === 'ignored');
    await world.until('both rest', () => [a, b].every(({ engine }) => engine.status().state === 'in-sync'));
    a.disk.user.remove('big/1');
    a.disk.user.writeFile('big/2', 'changed while ignored');
    a.disk.user.remove('big/in');
    a.engine.refresh();
    b.engine.refresh();
    await world.until('both rest', () => [a, b].every(({ engine }) => engine.status().state === 'in-sync'));
    expect(await serverPaths()).toEqual(['.cairnignore', ...ALL]);
    expect(paths(b)).toContain('big/in/3');

    a.disk.user.remove('.cairnignore');
    await world.settle([a, b]);
    const all = await serverPaths();
    for (const path of ALL) expect(all).toContain(path);
    expect(text(a, 'big/1')).toBe('content of big/1');
    const both = paths(a).filter((path) => path?.startsWith('big/2'));
    expect(both.map((path) => text(a, path ?? '')).sort()).toEqual([
      'changed while ignored',
      'content of big/2',
    ]);
  });

  test('a rule that is written in the same moment as its files are deleted deletes nothing', async () => {
    fill(a);
    a.start();
    b.start();
    await world.settle([a, b]);
    await a.stop();
    a.disk.user.writeFile('.cairnignore', 'big/\n');
    a.disk.user.remove('big');
    a.start();
    await world.until('the rule is on B', () => b.engine.explain('big/1').verdict === 'ignored');
    await world.until('both rest', () => [a, b].every(({ engine }) => engine.status().state === 'in-sync'));
    expect(await serverPaths()).toEqual(['.cairnignore', ...ALL]);
    expect(paths(b)).toContain('big/1');
  });
});
