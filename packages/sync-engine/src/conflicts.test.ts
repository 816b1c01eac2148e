import type { Entry, EntryId } from '@cairn/model';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestWorld, type TestDevice, type TestWorld } from './testing/world.ts';

/** What the conflict policy says, from both disks to the server and back. */

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
const files = (device: TestDevice) =>
  Object.fromEntries(
    device.disk.user
      .walk()
      .flatMap(({ path, bytes }) => (bytes === null ? [] : [[path, new TextDecoder().decode(bytes)]])),
  );

async function entries(): Promise<Map<string, Entry>> {
  const page = await world.data.spaces.readSnapshot(world.principal, world.spaceId, null, 1000);
  return new Map(page.entries.map((entry) => [entry.name, entry]));
}

async function conflicts() {
  return (await world.data.conflicts.list(world.principal, world.spaceId, { after: null, limit: 100 }))
    .conflicts;
}

async function both(start: () => void): Promise<void> {
  start();
  a.start();
  b.start();
  await world.settle([a, b]);
}

/** A's doing reaches the server first; B, without network, does its own. */
async function diverge(onA: (user: TestDevice['disk']['user']) => void, onB: typeof onA): Promise<void> {
  b.network.offline = true;
  const before = await world.sequence();
  onA(a.disk.user);
  await world.until('A has committed', async () => {
    const now = await world.sequence();
    return now > before && a.engine.status().state === 'in-sync' && a.engine.status().sequence === now;
  });
  onB(b.disk.user);
}

async function meet(): Promise<void> {
  b.network.offline = false;
  b.engine.refresh();
  await world.settle([a, b]);
}

const notices = (device: TestDevice) => device.engine.status().notices.map(({ kind, path }) => [kind, path]);

describe('conflict copies', () => {
  test('I18 P1 are marked on the server with what they are a copy of and what both were made from [S-33]', async () => {
    await both(() => a.disk.user.writeFile('f.txt', 'base'));
    const base = (await entries()).get('f.txt');
    await diverge(
      (user) => user.writeFile('f.txt', 'from A'),
      (user) => user.writeFile('f.txt', 'from B'),
    );
    await meet();
    const [conflict, ...more] = await conflicts();
    expect(more).toEqual([]);
    expect(conflict).toMatchObject({
      conflictOf: { entryId: base?.entryId, deviceName: 'Desktop' },
      original: { path: '/f.txt' },
      base: { versionId: base?.kind === 'file' ? base.versionId : null },
    });
    expect(conflict?.copy.path).toMatch(/^\/f \(Desktop's Conflict Copy \d{4}-\d\d-\d\d\)\.txt$/);
    expect(notices(b)).toEqual([['conflict-copy', conflict?.copy.path.slice(1)]]);
    expect(b.engine.status().notices[0]?.text).toContain('cairn conflicts');
    // The mark is the server's from now on: nothing of it is left to be sent again.
    for (const device of [a, b])
      for (const node of device.trees.local.values()) expect(node).not.toHaveProperty('conflictOf');
  });

  test('P6 of two new files the later one is marked too, without a common version', async () => {
    await both(() => a.disk.user.makeFolder('d'));
    await diverge(
      (user) => user.writeFile('d/n', 'from A'),
      (user) => user.writeFile('d/n', 'from B'),
    );
    await meet();
    const [conflict] = await conflicts();
    expect(conflict).toMatchObject({ original: { path: '/d/n' }, base: null });
    expect(conflict?.conflictOf.baseSequence).toBeNull();
  });

  test('T012 what was renamed onto a name that is taken is marked', async () => {
    await both(() => a.disk.user.writeFile('f', 'base'));
    await diverge(
      (user) => user.writeFile('g', 'from A'),
      (user) => user.rename('f', 'g'),
    );
    await meet();
    const [conflict] = await conflicts();
    expect(conflict).toMatchObject({
      original: { path: '/g' },
      copy: { version: { versionId: expect.any(String) } },
    });
    expect(files(a)['g']).toBe('from A');
  });

  test('T012 so is what gets new bytes from the server before its new name is sent [S-33]', async () => {
    await both(() => a.disk.user.writeFile('x', 'base'));
    await diverge(
      (user) => {
        user.writeFile('taken', 'from A');
        user.writeFile('x', 'edited on A');
      },
      (user) => user.rename('x', 'taken'),
    );
    await meet();
    const [conflict, ...more] = await conflicts();
    expect(more).toEqual([]);
    expect(conflict?.copy.path).toMatch(/^\/taken \(Desktop's Conflict Copy/);
    expect(files(b)).toEqual({ taken: 'from A', [conflict?.copy.path.slice(1) ?? '']: 'edited on A' });
  });

  test('P4 so is what comes back from the trash under such a name [S-33]', async () => {
    await both(() => a.disk.user.writeFile('x', 'base'));
    await diverge(
      (user) => {
        user.writeFile('taken', 'from A');
        user.remove('x');
      },
      (user) => {
        user.writeFile('x', 'from B');
        user.rename('x', 'taken');
      },
    );
    await meet();
    const taken = (await entries()).get('taken');
    const [conflict, ...more] = await conflicts();
    expect(more).toEqual([]);
    expect(conflict?.copy.path).toMatch(/^\/taken \(Desktop's Conflict Copy/);
    expect(conflict?.conflictOf).toMatchObject({ entryId: taken?.entryId, deviceName: 'Desktop' });
    expect(Object.values(files(a)).sort()).toEqual(['from A', 'from B']);
  });

  test('I22 a copy of a copy counts as one of the original [S-30]', async () => {
    await both(() => a.disk.user.writeFile('f', 'base'));
    for (const round of ['1', '2']) {
      const paths = Object.keys(files(a));
      await diverge(
        (user) => {
          for (const path of paths) user.writeFile(path, `A${round}${path}`);
        },
        (user) => {
          for (const path of paths) user.writeFile(path, `B${round}${path}`);
        },
      );
      await meet();
    }
    const original = (await entries()).get('f')?.entryId;
    const found = await conflicts();
    expect(found).toHaveLength(3);
    for (const { conflictOf, copy } of found) {
      expect(conflictOf.entryId).toBe(original);
      expect(copy.entry.name.match(/Conflict Copy/g)).toHaveLength(1);
    }
  });

  test.each([
    ['before', 'the power failed'],
    ['after', null],
  ])('the mark survives a kill right %s the renaming [S-33]', async (_when, fault) => {
    await both(() => a.disk.user.writeFile('f', 'base'));
    await diverge(
      (user) => user.writeFile('f', 'from A'),
      (user) => user.writeFile('f', 'from B'),
    );
    let killed: Promise<void> | null = null;
    b.disk.setFaults((operation) => {
      if (operation !== 'move' || killed !== null) return null;
      killed = b.kill();
      return fault;
    });
    b.network.offline = false;
    b.engine.refresh();
    await world.until('B is killed', () => killed !== null);
    await killed;
    b.disk.setFaults(null);
    expect(await conflicts()).toEqual([]);
    b.start();
    await world.settle([a, b]);
    const [conflict, ...more] = await conflicts();
    expect(more).toEqual([]);
    expect(conflict).toMatchObject({ original: { path: '/f' }, base: { kind: 'file' } });
    expect(Object.values(files(b)).sort()).toEqual(['from A', 'from B']);
  });

  test('the mark is sent once, also when the answer to it is lost [S-33]', async () => {
    await both(() => a.disk.user.writeFile('f', 'base'));
    await diverge(
      (user) => user.writeFile('f', 'from A'),
      (user) => user.writeFile('f', 'from B'),
    );
    b.network.lostAnswers = 1;
    await meet();
    expect(await conflicts()).toHaveLength(1);
    for (const node of b.trees.local.values()) expect(node).not.toHaveProperty('conflictOf');
  });

  test('a decision on the server reaches every device [S-34]', async () => {
    await both(() => a.disk.user.writeFile('f', 'base'));
    await diverge(
      (user) => user.writeFile('f', 'from A'),
      (user) => user.writeFile('f', 'from B'),
    );
    await meet();
    const [conflict] = await conflicts();
    const entryId = conflict?.copy.entry.entryId as EntryId;
    await world.data.conflicts.resolve(world.principal, world.spaceId, entryId, {
      keep: 'mine',
      copySequence: conflict?.copy.entry.sequence ?? 0,
      originalSequence: conflict?.original?.entry.sequence ?? 0,
    });
    await world.until('A has it', () => text(a, 'f') === 'from B');
    await world.settle([a, b]);
    expect(files(a)).toEqual({ f: 'from B' });
    expect(files(b)).toEqual({ f: 'from B' });
  });
});

describe('last write wins', () => {
  async function say(name: string, conflictPolicy: 'last-write-wins' | 'keep-both'): Promise<void> {
    const entryId = (await entries()).get(name)?.entryId as EntryId;
    await world.data.files.update(world.principal, entryId, { conflictPolicy });
    await world.settle([a, b]);
  }

  test('I17 I18 the later edit is current, the other one a version, and its device is told [S-35]', async () => {
    await both(() => {
      a.disk.user.makeFolder('logs');
      a.disk.user.writeFile('logs/f', 'base');
      a.disk.user.writeFile('other', 'base');
    });
    const before = (await entries()).get('f')?.entryId as EntryId;
    await say('logs', 'last-write-wins');
    await diverge(
      (user) => {
        user.writeFile('logs/f', 'from A');
        user.writeFile('logs/n', 'new, A');
        user.writeFile('other', 'from A');
      },
      (user) => {
        user.writeFile('logs/f', 'from B');
        user.writeFile('logs/n', 'new, B');
        user.writeFile('other', 'from B');
      },
    );
    await meet();
    await world.until('it arrived', () => text(a, 'logs/f') === 'from B' && text(a, 'logs/n') === 'new, B');
    await world.settle([a, b]);
    expect((await entries()).get('f')?.entryId).toBe(before);
    expect(await world.data.files.listVersions(world.principal, before)).toHaveLength(3);
    const made = (await entries()).get('n')?.entryId as EntryId;
    expect(await world.data.files.listVersions(world.principal, made)).toHaveLength(2);
    // Outside of the folder both are kept.
    expect(Object.keys(files(a)).filter((path) => path.includes('Conflict'))).toHaveLength(1);
    expect(notices(b).sort()).toEqual([
      ['conflict-copy', expect.stringContaining('other')],
      ['last-write-wins', 'logs/f'],
      ['last-write-wins', 'logs/n'],
    ]);
    expect(notices(a)).toEqual([]);
    await say('logs', 'keep-both');
  });
});

describe('notices', () => {
  test('P5 a move that goes round with another is undone and said [S-26 S-32]', async () => {
    await both(() => {
      a.disk.user.makeFolder('X');
      a.disk.user.makeFolder('Y');
      a.disk.user.writeFile('X/x', '1');
      a.disk.user.writeFile('Y/y', '2');
    });
    await diverge(
      (user) => user.rename('X', 'Y/X'),
      (user) => user.rename('Y', 'X/Y'),
    );
    await meet();
    expect(files(b)).toEqual({ 'Y/X/x': '1', 'Y/y': '2' });
    expect(notices(b)).toContainEqual(['move-refused', 'Y']);
    expect(b.engine.status().notices.find(({ kind }) => kind === 'move-refused')?.text).toContain('"X/Y"');
  });

  test('P4 a later move gives way and is said [S-25 S-32]', async () => {
    await both(() => a.disk.user.writeFile('f', '1'));
    await diverge(
      (user) => user.rename('f', 'g'),
      (user) => user.rename('f', 'h'),
    );
    await meet();
    expect(notices(b)).toEqual([['move-overruled', 'g']]);
  });

  test('P8 names that differ only by case or accents [S-40 S-32]', async () => {
    await both(() => a.disk.user.makeFolder('d'));
    await diverge(
      (user) => user.writeFile('d/Ärger', 'from A'),
      (user) => user.writeFile('d/a\u0308rger', 'from B'),
    );
    await meet();
    expect(Object.keys(files(a)).sort()).toEqual(['d/a\u0308rger (Case Conflict)', 'd/Ärger']);
    expect(notices(b)).toEqual([['case-conflict', 'd/a\u0308rger (Case Conflict)']]);
    expect(await conflicts()).toEqual([]);
  });

  test('P6 a folder takes the name of a file that was there first [S-28 S-32]', async () => {
    await both(() => a.disk.user.makeFolder('d'));
    await diverge(
      (user) => user.writeFile('d/n', '2'),
      (user) => {
        user.makeFolder('d/n');
        user.writeFile('d/n/x', '1');
      },
    );
    await meet();
    expect(files(a)['d/n/x']).toBe('1');
    const [[kind, path] = []] = notices(b);
    expect([kind, path]).toEqual(['type-conflict', expect.stringMatching(/^d\/n \(Desktop's Conflict Copy/)]);
    expect(files(a)[path ?? '']).toBe('2');
    expect(b.engine.status().notices[0]?.text).toContain('"d/n"');
  });

  test('P6 a file and a folder of one name [S-28 S-32]', async () => {
    await both(() => a.disk.user.makeFolder('d'));
    await diverge(
      (user) => {
        user.makeFolder('d/n');
        user.writeFile('d/n/x', '1');
      },
      (user) => user.writeFile('d/n', '2'),
    );
    await meet();
    expect(files(a)['d/n/x']).toBe('1');
    expect(notices(b).map(([kind]) => kind)).toEqual(['type-conflict']);
  });
});

describe('P9 names that a disk cannot have', () => {
  test('T064 stay on the server, are listed with the reason, and do not keep the folder from being in sync [S-42]', async () => {
    const windows = await world.addDevice('Windows', {
      disk: { capabilities: { reservedNames: 'windows', caseSensitive: false, unicodeSensitive: true } },
    });
    a.disk.user.makeFolder('what?');
    a.disk.user.writeFile('what?/inside', '1');
    a.disk.user.writeFile('con', '2');
    a.disk.user.writeFile('fine', '3');
    a.disk.user.writeFile('later', '4');
    a.start();
    windows.start();
    await world.settle([a]);
    const isAtRest = async () =>
      windows.engine.status().state === 'in-sync' &&
      windows.engine.status().sequence === (await world.sequence());
    await world.until(
      'Windows is at rest',
      async () => (await isAtRest()) && Object.keys(files(windows)).length === 2,
    );
    expect(files(windows)).toEqual({ fine: '3', later: '4' });
    const issues = windows.engine.status().issues;
    expect(issues.map(({ path, code }) => `${path} ${code}`).sort()).toEqual([
      'con name-not-possible-here',
      'what? name-not-possible-here',
      'what?/inside name-not-possible-here',
    ]);
    expect(windows.engine.explain('con').lines.join(' ')).toContain('device on Windows');

    a.disk.user.rename('later', 'later.');
    await world.until('it left', async () => (await isAtRest()) && Object.keys(files(windows)).length === 1);
    a.disk.user.rename('con', 'console');
    a.disk.user.rename('what?', 'what');
    await world.until(
      'they came',
      async () => (await isAtRest()) && Object.keys(files(windows)).length === 3,
    );
    expect(files(windows)).toEqual({ fine: '3', console: '2', 'what/inside': '1' });
    expect(Object.keys(files(a)).sort()).toEqual(['console', 'fine', 'later.', 'what/inside']);
  });
});
