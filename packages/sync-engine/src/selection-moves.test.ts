import { type ChangesetId, createId } from '@cairn/model';
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

const FILES = [
  'other/kept',
  'out/deep/in/3',
  'out/deep/in/4',
  'out/deep/2',
  'out/1',
  'own/deep/in/5',
  'own/deep/6',
];

function files(device: TestDevice): string[] {
  const lines = device.disk.user.describe().filter((line) => / file(?: |$)/.test(line));
  return lines.map((line) => line.split(' file')[0] ?? '').sort();
}
function folders(device: TestDevice): string[] {
  const lines = device.disk.user.describe().filter((line) => / folder(?: |$)/.test(line));
  return lines.map((line) => line.split(' folder')[0] ?? '').sort();
}
const text = (device: TestDevice, path: string) => new TextDecoder().decode(device.disk.user.readFile(path));

async function serverFiles(): Promise<string[]> {
  const found: string[] = [];
  const { data, principal } = world;
  type Id = Awaited<ReturnType<typeof data.files.getByPath>>['entry']['entryId'];
  const walk = async (entryId: Id, prefix: string) => {
    const { entries } = await data.files.listFolder(principal, entryId, { after: null, limit: 1000 });
    for (const entry of entries) {
      if (entry.kind === 'folder') await walk(entry.entryId, `${prefix}${entry.name}/`);
      else found.push(prefix + entry.name);
    }
  };
  await walk((await data.files.getByPath(principal, null, '/')).entry.entryId, '');
  return found.sort();
}

/** Both have all of it, A's user made it. */
async function fill(): Promise<void> {
  const { user } = a.disk;
  for (const path of FILES) {
    const names = path.split('/').slice(0, -1);
    for (let depth = 1; depth <= names.length; depth++) {
      const folder = names.slice(0, depth).join('/');
      if (!folders(a).includes(folder)) user.makeFolder(folder);
    }
    user.writeFile(path, `content of ${path}`);
  }
  a.start();
  b.start();
  await world.settle([a, b]);
}

/** Both are in sync with what the server has now. */
const rest = () =>
  world.until('both are in sync', async () => {
    const now = await world.sequence();
    return [a, b].every(
      ({ engine }) => engine.status().state === 'in-sync' && engine.status().sequence === now,
    );
  });

/** Waits until the device has just these files, and both are in sync. */
async function has(device: TestDevice, expected: readonly string[]): Promise<void> {
  const wanted = [...expected].sort().join();
  await world.until(`${device.name} has just ${wanted}`, () => files(device).join() === wanted);
  await rest();
  expect(files(device).join()).toBe(wanted);
}

async function deselect(device: TestDevice, ...paths: string[]): Promise<void> {
  await device.engine.select({ exclude: paths });
  await has(
    device,
    files(device).filter((file) => !paths.some((path) => file.startsWith(`${path}/`))),
  );
}

/** Everything is selected again: whoever had it not has it then. */
async function selectAll(): Promise<void> {
  const before = await serverFiles();
  for (const device of [a, b]) await device.engine.select({ only: [''] });
  await world.settle([a, b]);
  expect(await serverFiles()).toEqual(before);
  expect(files(a)).toEqual(before);
}

/** Some files cannot be made for a while, so that a plan is carried out in part only. */
function failDownloads(device: TestDevice): void {
  device.disk.setFaults((_, path) => (path.includes('/3') || path.includes('/4') ? 'EIO' : null));
}

describe('moves into and out of places that are not selected [S-68]', () => {
  test('what another device moves out of such a place arrives whole', async () => {
    await fill();
    await deselect(b, 'out');
    a.disk.user.rename('out/deep', 'other/deep');
    await has(b, [
      'other/kept',
      'other/deep/2',
      'other/deep/in/3',
      'other/deep/in/4',
      'own/deep/6',
      'own/deep/in/5',
    ]);
    expect(text(b, 'other/deep/in/3')).toBe('content of out/deep/in/3');
    await selectAll();
  });

  test('also when the device is stopped, or killed, after it made the folder only', async () => {
    await fill();
    await deselect(b, 'out');
    for (const end of ['none', 'stop', 'kill'] as const) {
      failDownloads(b);
      a.disk.user.rename('out/deep', 'other/deep');
      await world.until('the folder is there', () => folders(b).includes('other/deep/in'));
      if (end === 'kill') await b.kill();
      if (end === 'stop') await b.stop();
      b.disk.setFaults(null);
      if (end !== 'none') b.start();
      b.engine.refresh();
      await has(b, [
        'other/kept',
        'other/deep/2',
        'other/deep/in/3',
        'other/deep/in/4',
        'own/deep/6',
        'own/deep/in/5',
      ]);
      a.disk.user.rename('other/deep', 'out/deep');
      await has(b, ['other/kept', 'own/deep/6', 'own/deep/in/5']);
      expect(folders(b)).toEqual(['other', 'own', 'own/deep', 'own/deep/in']);
    }
    await selectAll();
  });

  test('what another device moves into such a place leaves this disk and stays on the server', async () => {
    await fill();
    await deselect(b, 'out');
    a.disk.user.rename('own/deep', 'out/more');
    await has(b, ['other/kept']);
    expect(folders(b)).toEqual(['other', 'own']);
    expect(await serverFiles()).toContain('out/more/in/5');
    a.disk.user.rename('out/more', 'other/more');
    await has(b, ['other/kept', 'other/more/6', 'other/more/in/5']);
    await selectAll();
  });

  test('also when this device was stopped or killed in the middle of letting go', async () => {
    await fill();
    await deselect(b, 'out');
    for (let calls = 1; calls < 20; calls += 2) {
      let left = calls;
      let died = false;
      b.disk.setFaults(() => {
        if (--left === 0) {
          died = true;
          b.disk.restart();
        }
        return null;
      });
      a.disk.user.rename('own/deep', 'out/more');
      await world.until('it is dead or done', () => died || files(b).join() === 'other/kept');
      b.disk.setFaults(null);
      await (calls % 4 === 1 ? b.kill() : b.cutPower());
      b.start();
      await has(b, ['other/kept']);
      expect(folders(b)).toEqual(['other', 'own']);
      expect(await serverFiles()).toContain('out/more/in/5');
      a.disk.user.rename('out/more', 'own/deep');
      await has(b, ['other/kept', 'own/deep/6', 'own/deep/in/5']);
    }
    await selectAll();
  }, 30_000);

  test('an edit of what is moved there gets to the server first', async () => {
    await fill();
    await deselect(b, 'out');
    b.network.offline = true;
    b.disk.user.writeFile('own/deep/in/5', 'edited on B');
    await world.until('B has noticed', () => b.engine.status().state === 'offline');
    a.disk.user.rename('own/deep', 'out/more');
    await world.until('the move is on the server', async () => (await serverFiles()).includes('out/more/6'));
    b.network.offline = false;
    b.engine.refresh();
    await has(b, ['other/kept']);
    await world.until('the edit is on A', () => text(a, 'out/more/in/5') === 'edited on B');
    await selectAll();
  });

  test('what is new in it stays here and is told, and gets to the server once the place is selected', async () => {
    await fill();
    await deselect(b, 'out');
    b.network.offline = true;
    b.disk.user.writeFile('own/deep/in/new', 'new on B');
    await world.until('B has noticed', () => b.engine.status().state === 'offline');
    a.disk.user.rename('own/deep', 'out/more');
    await world.until('the move is on the server', async () => (await serverFiles()).includes('out/more/6'));
    b.network.offline = false;
    b.engine.refresh();
    await world.until('what is new is left', () => files(b).length === 2);
    await world.until('it is told', () => b.engine.status().state === 'waiting');
    expect(b.engine.status().issues.map(({ code }) => code)).toContain('not-selected-but-changed');
    await b.engine.select({ only: [''] });
    await world.settle([a, b]);
    expect(text(a, 'out/more/in/new')).toBe('new on B');
  });

  test('what is moved into such a place here is not removed on the server', async () => {
    await fill();
    await deselect(b, 'out');
    const before = await serverFiles();
    b.disk.user.makeFolder('out');
    b.disk.user.rename('own/deep', 'out/deep');
    b.disk.user.rename('other/kept', 'out/kept');
    await world.until(
      'it is back',
      () => files(b).includes('own/deep/in/5') && files(b).includes('other/kept'),
    );
    await rest();
    expect(await serverFiles()).toEqual(before);
    expect(b.engine.status().unsynced).toContainEqual({ path: 'out', reason: 'not-selected' });
    await b.engine.select({ only: [''] });
    await world.settle([a, b]);
    const all = await serverFiles();
    for (const file of [...FILES, 'out/kept', 'out/deep/in/5', 'out/deep/6']) expect(all).toContain(file);
  });

  test('the same deeper in it, while the device is stopped', async () => {
    await fill();
    await deselect(b, 'out');
    const before = await serverFiles();
    await b.stop();
    b.disk.user.makeFolder('out');
    b.disk.user.makeFolder('out/new');
    b.disk.user.rename('own/deep', 'out/new/deep');
    b.start();
    await world.until('it is back', () => files(b).includes('own/deep/in/5'));
    await rest();
    expect(await serverFiles()).toEqual(before);
  });

  test('what is moved between selected places here, with something in it that is not, goes whole', async () => {
    await fill();
    await deselect(b, 'own/deep/in');
    b.disk.user.rename('own/deep', 'other/deep');
    await world.until('A follows', () => files(a).includes('other/deep/in/5'));
    await rest();
    expect(b.engine.selection()).toEqual([{ path: 'other/deep/in', selected: false, unknown: false }]);
    expect(files(b)).not.toContain('other/deep/in/5');
    await selectAll();
  });

  test('the choice follows a folder that another device renames or moves; its old name is free', async () => {
    await fill();
    await deselect(b, 'out');
    a.disk.user.rename('out', 'gone');
    await world.until('A is in sync', async () => (await serverFiles()).includes('gone/1'));
    await has(b, ['other/kept', 'own/deep/6', 'own/deep/in/5']);
    expect(b.engine.selection()).toEqual([{ path: 'gone', selected: false, unknown: false }]);
    a.disk.user.rename('own', 'out');
    await has(b, ['other/kept', 'out/deep/6', 'out/deep/in/5']);
    a.disk.user.rename('gone', 'other/gone');
    await world.until('A is in sync', async () => (await serverFiles()).includes('other/gone/1'));
    await has(b, ['other/kept', 'out/deep/6', 'out/deep/in/5']);
    await selectAll();
  });

  test('the old name is free also while something of the folder is left here', async () => {
    await fill();
    b.disk.user.writeFile('out/new', 'x');
    await b.engine.select({ exclude: ['out'] });
    await world.until('it is told or gone', () => !files(b).includes('out/1'));
    b.network.offline = true;
    a.disk.user.rename('out', 'gone');
    await world.until('A is in sync', async () => (await serverFiles()).includes('gone/1'));
    a.disk.user.rename('own', 'out');
    await world.until('A is in sync', async () => (await serverFiles()).includes('out/deep/6'));
    b.network.offline = false;
    b.engine.refresh();
    await world.until('it is here', () => files(b).includes('out/deep/in/5'));
    await b.engine.select({ only: [''] });
    await world.settle([a, b]);
  });

  test('a selection of one place only: what leaves it leaves this disk, what enters it comes', async () => {
    await fill();
    await b.engine.select({ only: ['own'] });
    await has(b, ['own/deep/6', 'own/deep/in/5']);
    a.disk.user.rename('own/deep/in', 'other/in');
    await has(b, ['own/deep/6']);
    a.disk.user.rename('out/deep', 'own/more');
    await has(b, ['own/deep/6', 'own/more/2', 'own/more/in/3', 'own/more/in/4']);
    a.disk.user.rename('own', 'other/own');
    await has(b, ['other/own/deep/6', 'other/own/more/2', 'other/own/more/in/3', 'other/own/more/in/4']);
    await selectAll();
  });
});

test('the rules are held whatever is selected: what they ignore is not sent [S-67]', async () => {
  await fill();
  a.disk.user.writeFile('.cairnignore', 'build/\n');
  await world.until('the rules are on B', () => files(b).includes('.cairnignore'));
  await b.engine.select({ only: ['own'] });
  await has(b, ['.cairnignore', 'own/deep/6', 'own/deep/in/5']);
  b.disk.user.makeFolder('own/build');
  b.disk.user.writeFile('own/build/result', 'of no use elsewhere');
  b.disk.user.writeFile('own/after', 'sent');
  await world.until('A has what came after it', () => files(a).includes('own/after'));
  expect(await serverFiles()).not.toContain('own/build/result');
});

describe('moves into and out of places that are ignored [S-67]', () => {
  async function ignore(rules: string): Promise<void> {
    a.disk.user.writeFile('.cairnignore', rules);
    await world.until('the rules are on B', () => files(b).includes('.cairnignore'));
    await rest();
  }

  test('what moves into a folder that is let in at the same moment is moved, with its id', async () => {
    await fill();
    await ignore('/own/\n');
    const idAt = async (path: string) =>
      (await world.data.files.getByPath(world.principal, null, path)).entry.entryId;
    const [file, folder] = [await idAt('/other/kept'), await idAt('/out')];
    a.disk.user.rename('other/kept', 'own/deep/kept');
    a.disk.user.rename('out', 'own/out');
    a.disk.user.writeFile('.cairnignore', '');
    await world.until('both have it', () =>
      [a, b].every((device) => files(device).includes('own/deep/kept')),
    );
    await rest();
    const moved = ['own/deep/in/5', 'own/deep/6', 'own/deep/kept'];
    const inFolder = FILES.filter((path) => path.startsWith('out/')).map((path) => `own/${path}`);
    for (const device of [a, b]) await has(device, ['.cairnignore', ...moved, ...inFolder]);
    expect([await idAt('/own/deep/kept'), await idAt('/own/out')]).toEqual([file, folder]);
  });

  test('a folder that gets another name than an ignored one arrives whole', async () => {
    await fill();
    await ignore('/out/\n');
    // Only the server has it yet: A's own disk ignores it, too.
    a.disk.user.rename('out', 'free');
    await world.until('it is on B', () => files(b).includes('free/deep/in/3'));
    await rest();
    expect(await serverFiles()).toContain('free/deep/in/4');
  });

  test('a folder in an ignored place that the server moves out of it arrives whole', async () => {
    await fill();
    const c = await world.addDevice('New');
    await ignore('/out/\n');
    // It has the rules before anything else arrives.
    c.disk.user.writeFile('.cairnignore', '/out/\n');
    c.start();
    await world.until(
      'C is in sync',
      () => c.engine.status().state === 'in-sync' && files(c).includes('own/deep/6'),
    );
    expect(files(c)).not.toContain('out/1');
    await moveOnServer('/out/deep', '/other', 'deep');
    await world.until(
      'it is on C',
      () => files(c).includes('other/deep/in/3') && files(c).includes('other/deep/2'),
    );
    await world.until('C is in sync', () => c.engine.status().state === 'in-sync');
    expect(await serverFiles()).toContain('other/deep/in/4');
  });

  test('a folder that gets an ignored name is not removed on the server', async () => {
    await fill();
    await ignore('build/\n');
    const before = await serverFiles();
    a.disk.user.rename('own/deep', 'own/build');
    await world.until('it is back', () => files(a).includes('own/deep/in/5'));
    await rest();
    expect(await serverFiles()).toEqual(before);
    expect(files(b)).toEqual(before);
    expect(files(a)).toContain('own/build/in/5');
  });

  test('a folder that is moved into an ignored one is not removed on the server', async () => {
    await fill();
    await ignore('build/\n');
    a.disk.user.makeFolder('build');
    const before = await serverFiles();
    a.disk.user.rename('own/deep', 'build/deep');
    await world.until('it is back', () => files(a).includes('own/deep/in/5'));
    await rest();
    expect(await serverFiles()).toEqual(before);
    expect(files(b)).toEqual(before);
  });

  test('what the server moves into an ignored place is kept there, and the devices come to rest', async () => {
    await fill();
    await ignore('/out/\n');
    await moveOnServer('/own/deep', '/out', 'more');
    await world.until('it has left', () => [a, b].every((each) => !files(each).includes('own/deep/in/5')));
    await rest();
    expect(await serverFiles()).toContain('out/more/in/5');
    a.disk.user.remove('.cairnignore');
    await world.settle([a, b]);
    expect(text(b, 'out/more/in/5')).toBe('content of own/deep/in/5');
  });

  test('what the server gives an ignored name keeps its content on disk and on the server', async () => {
    await fill();
    await ignore('build/\n');
    await moveOnServer('/own/deep', '/own', 'build');
    await world.until('it is there', () => [a, b].every((each) => files(each).includes('own/build/in/5')));
    await rest();
    expect(await serverFiles()).toContain('own/build/in/5');
    await moveOnServer('/own/build', '/own', 'again');
    await world.until('it is back', () => [a, b].every((each) => files(each).includes('own/again/in/5')));
    await rest();
    expect(await serverFiles()).toContain('own/again/6');
  });
});

/** A move that no device makes: as from the web. */
async function moveOnServer(from: string, toFolder: string, name: string): Promise<void> {
  const { data, principal, spaceId } = world;
  const { entry } = await data.files.getByPath(principal, null, from);
  const folder = (await data.files.getByPath(principal, null, toFolder)).entry;
  await data.spaces.commitChangeset(principal, spaceId, {
    changesetId: createId<ChangesetId>(world.environment.random.bytes(16)),
    changes: [
      {
        kind: 'update',
        entryId: entry.entryId,
        baseSequence: entry.sequence,
        parentId: folder.entryId,
        name,
      },
    ],
  });
}
