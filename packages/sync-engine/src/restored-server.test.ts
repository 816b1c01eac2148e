import { CairnError } from '@cairn/model';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestWorld, type TestDevice, type TestWorld } from './testing/world.ts';

let world: TestWorld;
let a: TestDevice;
let b: TestDevice;

beforeEach(async () => {
  world = await createTestWorld({ backUps: true });
  a = await world.addDevice('Laptop');
  b = await world.addDevice('Desktop');
  a.disk.user.writeFile('old', 'in the backup');
  a.disk.user.writeFile('edited', 'before the backup');
  a.start();
  b.start();
  await world.settle([a, b]);
});
afterEach(() => world.close());

const text = (device: TestDevice, path: string) => new TextDecoder().decode(device.disk.user.readFile(path));
const names = (device: TestDevice) => device.disk.user.walk().map(({ path }) => path);

async function restoreBackup(): Promise<void> {
  a.network.offline = true;
  b.network.offline = true;
  await world.restoreBackup();
  a.network.offline = false;
  b.network.offline = false;
  a.engine.refresh();
  b.engine.refresh();
}

describe('a server that came back from an old backup [S-53]', () => {
  test('gets back what was made since, and no device deletes it', async () => {
    await world.backUp();
    a.disk.user.makeFolder('folder');
    a.disk.user.writeFile('folder/new', 'made after the backup');
    a.disk.user.writeFile('edited', 'after the backup');
    await world.until(
      'B has all',
      () => names(b).includes('folder/new') && text(b, 'edited').startsWith('after'),
    );
    await world.settle([a, b]);
    await restoreBackup();
    await world.until('both have noticed', () =>
      [a, b].every(({ engine }) => engine.status().notices.some(({ kind }) => kind === 'history-changed')),
    );
    await world.settle([a, b]);
    for (const device of [a, b]) {
      expect(text(device, 'old')).toBe('in the backup');
      expect(text(device, 'folder/new')).toBe('made after the backup');
      const contents = names(device)
        .filter((name) => name.startsWith('edited'))
        .map((name) => text(device, name));
      expect(contents).toContain('after the backup');
    }
    const found = await world.data.files.getByPath(world.principal, null, '/folder/new');
    expect(found.entry.kind).toBe('file');
  });

  test('takes nothing that was made from what it has forgotten, also where the numbers fit [S-57]', async () => {
    await world.backUp();
    a.disk.user.writeFile('new', 'one');
    await world.until('B has it', () => names(b).includes('new'));
    await world.settle([a, b]);
    const sequence = await world.sequence();
    for (const { network } of [a, b]) network.offline = true;
    await world.restoreBackup({ keepsEpoch: true });
    // B is told of nothing, and works on what it knows.
    b.network.hintsDropped = true;
    for (const { network } of [a, b]) network.offline = false;
    a.disk.user.writeFile('new', 'two');
    a.engine.refresh();
    await world.until(
      'the server counts as far as before',
      async () => (await world.sequence()) === sequence,
    );
    b.disk.user.remove('new');
    await world.until('B compares everything', () =>
      b.engine.status().notices.some(({ kind }) => kind === 'history-changed'),
    );
    b.network.hintsDropped = false;
    b.engine.refresh();
    await world.settle([a, b]);
    expect(text(a, 'new')).toBe('two');
  });

  test('has forgotten a commit of which this device had only the answer: what it made stays [S-57]', async () => {
    await world.backUp();
    a.network.hintsDropped = true;
    b.disk.user.writeFile('from-b', 'comes in between');
    await world.settle([b]);
    // A hears that its commit is in, but not what else is in the journal.
    const { commits } = a.network;
    let isAnswered = false;
    a.network.gate = async (request) => {
      if (request === 'commit' || a.network.commits === commits) return;
      isAnswered = true;
      throw new CairnError('server-unreachable', 'the test took the network away');
    };
    a.disk.user.writeFile('from-a', 'only here');
    await world.until('A has committed', () => isAnswered && a.engine.status().state === 'offline');
    await a.kill();
    // Who knows more than the cursor of A would tell the server that it has forgotten something.
    await b.stop();
    await world.restoreBackup({ keepsEpoch: true });
    a.network.gate = null;
    a.network.hintsDropped = false;
    a.start();
    await world.settle([a]);
    expect(text(a, 'from-a')).toBe('only here');
    b.start();
    await world.settle([a, b]);
    for (const device of [a, b]) expect(text(device, 'from-a')).toBe('only here');
  });
});
