import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestWorld, type TestDevice, type TestWorld } from './testing/world.ts';

/** What users and their programs do to files, and what must become of the entries they did it to. */

let world: TestWorld;
let a: TestDevice;
let b: TestDevice;

beforeEach(async () => {
  world = await createTestWorld();
  a = await world.addDevice('Laptop');
  b = await world.addDevice('Desktop');
});
afterEach(() => world.close());

async function start(): Promise<void> {
  a.start();
  b.start();
  await settle();
}

async function settle(): Promise<void> {
  a.engine.refresh();
  b.engine.refresh();
  await world.until('something was looked at', () => a.engine.status().state !== 'starting');
  await world.until('the trees agree with the disk', async () => {
    const sequence = await world.sequence();
    const [one, other] = [a, b].map((each) => each.disk.user.describe().join('\n'));
    return (
      one === other &&
      [a, b].every(({ engine, trees }) => {
        const status = engine.status();
        return (
          status.state === 'in-sync' && status.sequence === sequence && trees.local.size === trees.remote.size
        );
      }) &&
      [a, b].every(matchesDisk)
    );
  });
}

/** Whether what the device knows is what is on its disk. */
function matchesDisk(device: TestDevice): boolean {
  const known = [...device.trees.local.values()].filter(({ parentId }) => parentId !== null).length;
  return known === device.disk.user.describe().length;
}

const idOf = async (path: string) =>
  (await world.data.files.getByPath(world.principal, null, `/${path}`)).entry.entryId;
const countVersions = async (path: string) =>
  (await world.data.files.listVersions(world.principal, await idOf(path))).length;
const text = (device: TestDevice, path: string) => new TextDecoder().decode(device.disk.user.readFile(path));
const sent = () => a.network.sentBlocks + b.network.sentBlocks;

describe('one save is one new version of the same entry [S-36]', () => {
  const saves: Record<string, (device: TestDevice) => void> = {
    'in place: truncate and write': ({ disk }) => disk.user.writeFile('doc.txt', 'second'),
    'vim: probe, rename to a backup, write, remove the backup (T107)': ({ disk: { user } }) => {
      user.writeFile('4913', '');
      user.remove('4913');
      user.rename('doc.txt', 'doc.txt~');
      user.writeFile('doc.txt', 'second');
      user.remove('doc.txt~');
    },
    'gedit, VS Code: a temporary file renamed over it (T109)': ({ disk: { user } }) => {
      user.writeFile('.goutputstream-A1B2', 'second');
      user.rename('.goutputstream-A1B2', 'doc.txt');
    },
    'a temporary file with a plain name renamed over it': ({ disk: { user } }) => {
      user.writeFile('doc.txt.tmp', 'second');
      user.rename('doc.txt.tmp', 'doc.txt');
    },
    'remove and write anew (T007)': ({ disk: { user } }) => {
      user.remove('doc.txt');
      user.writeFile('doc.txt', 'second');
    },
    'LibreOffice: a lock beside it (T111)': ({ disk: { user } }) => {
      user.writeFile('.~lock.doc.txt#', 'me');
      user.writeFile('lu1234.tmp', 'second');
      user.rename('lu1234.tmp', 'doc.txt');
      user.remove('.~lock.doc.txt#');
    },
  };
  test.each(Object.keys(saves))('%s', async (name) => {
    a.disk.user.writeFile('doc.txt', 'first');
    await start();
    const id = await idOf('doc.txt');
    const sequence = await world.sequence();
    saves[name]?.(a);
    await settle();
    expect(text(b, 'doc.txt')).toBe('second');
    expect(await idOf('doc.txt')).toBe(id);
    expect(await countVersions('doc.txt')).toBe(2);
    expect(await world.sequence()).toBe(sequence + 1);
    expect(b.disk.user.describe()).toHaveLength(1);
  });
});

describe('moves keep ids and send no bytes [S-19 S-37]', () => {
  interface Case {
    before(device: TestDevice): void;
    act(device: TestDevice): void;
    /** New path by old path. */
    moved: Record<string, string>;
  }
  const write = ({ disk }: TestDevice, ...paths: string[]) => {
    for (const path of paths) disk.user.writeFile(path, `content of ${path}`);
  };
  const folders = ({ disk }: TestDevice, ...paths: string[]) => {
    for (const path of paths) disk.user.makeFolder(path);
  };
  const rename = ({ disk }: TestDevice, ...pairs: [string, string][]) => {
    for (const [from, to] of pairs) disk.user.rename(from, to);
  };
  const cases: Record<string, Case> = {
    'a folder, then its old name anew (T049)': {
      before: (device) => {
        folders(device, 'A');
        write(device, 'A/x');
      },
      act: (device) => {
        rename(device, ['A', 'B']);
        folders(device, 'A');
      },
      moved: { A: 'B', 'A/x': 'B/x' },
    },
    'two files swapped': {
      before: (device) => write(device, 'a', 'b'),
      act: (device) => rename(device, ['a', 't'], ['b', 'a'], ['t', 'b']),
      moved: { a: 'b', b: 'a' },
    },
    'two folders swapped': {
      before: (device) => {
        folders(device, 'a', 'b');
        write(device, 'a/x', 'b/x', 'b/y');
      },
      act: (device) => rename(device, ['a', 't'], ['b', 'a'], ['t', 'b']),
      moved: { a: 'b', b: 'a', 'a/x': 'b/x', 'b/x': 'a/x', 'b/y': 'a/y' },
    },
    'three go round (T016)': {
      before: (device) => write(device, 'a', 'b', 'c'),
      act: (device) => rename(device, ['c', 't'], ['b', 'c'], ['a', 'b'], ['t', 'a']),
      moved: { a: 'b', b: 'c', c: 'a' },
    },
    'a chain of renames in one moment (T017)': {
      before: (device) => write(device, 'a'),
      act: (device) => rename(device, ['a', 'b'], ['b', 'c'], ['c', 'b']),
      moved: { a: 'b' },
    },
    'a hierarchy turned inside out (T044)': {
      before: (device) => {
        folders(device, 'a', 'a/b', 'a/b/c');
        write(device, 'a/x', 'a/b/y', 'a/b/c/z');
      },
      act: (device) => rename(device, ['a/b/c', 'c'], ['a/b', 'c/b'], ['a', 'c/b/a']),
      moved: { 'a/b/c': 'c', 'a/b': 'c/b', a: 'c/b/a', 'a/x': 'c/b/a/x', 'a/b/y': 'c/b/y', 'a/b/c/z': 'c/z' },
    },
    'into a new folder, out of one that goes': {
      before: (device) => {
        folders(device, 'old');
        write(device, 'old/x', 'old/y');
      },
      act: (device) => {
        folders(device, 'new', 'new/deep');
        rename(device, ['old/x', 'new/deep/x'], ['old/y', 'new/y']);
        device.disk.user.remove('old');
      },
      moved: { 'old/x': 'new/deep/x', 'old/y': 'new/y' },
    },
    'another spelling of a name (T057)': {
      before: (device) => {
        folders(device, 'Docs');
        write(device, 'Docs/Readme');
      },
      act: (device) => rename(device, ['Docs/Readme', 'Docs/README'], ['Docs', 'docs']),
      moved: { Docs: 'docs', 'Docs/Readme': 'docs/README' },
    },
    'a new folder inside a moved one': {
      before: (device) => {
        folders(device, 'a');
        write(device, 'a/x');
      },
      act: (device) => {
        folders(device, 'a/new');
        write(device, 'a/new/y');
        rename(device, ['a', 'z']);
      },
      moved: { a: 'z', 'a/x': 'z/x' },
    },
    'over another file (T019): the overwritten one keeps its id': {
      before: (device) => write(device, 'a', 'b'),
      act: (device) => rename(device, ['a', 'b']),
      moved: { b: 'b' },
    },
  };
  const whiles = ['with hints', 'with no hints', 'while stopped'] as const;
  test.each(Object.keys(cases).flatMap((name) => whiles.map((how) => [name, how] as const)))(
    '%s, %s',
    async (name, how) => {
      const { before, act, moved } = cases[name] as Case;
      before(a);
      await start();
      const ids = new Map<string, string>();
      for (const path of Object.keys(moved)) ids.set(path, await idOf(path));
      const bytes = sent();
      if (how === 'while stopped') await a.stop();
      if (how === 'with no hints') a.disk.setHintsDropped(true);
      act(a);
      const expected = a.disk.user.describe();
      if (how === 'while stopped') a.start();
      await settle();
      expect(a.disk.user.describe()).toEqual(expected);
      expect(b.disk.user.describe()).toEqual(expected);
      for (const [from, to] of Object.entries(moved))
        expect([to, await idOf(to)]).toEqual([to, ids.get(from)]);
      if (!name.includes('new folder inside')) expect(sent()).toBe(bytes);
    },
  );
});

describe('kinds', () => {
  test('a file becomes a folder, a folder a file, a link a file (T046) [S-38]', async () => {
    const { user } = a.disk;
    user.writeFile('one', '1');
    user.makeFolder('two');
    user.writeFile('two/x', '2');
    user.makeLink('three', 'one');
    await start();
    user.remove('one');
    user.makeFolder('one');
    user.writeFile('one/y', '3');
    user.remove('two');
    user.writeFile('two', '4');
    user.remove('three');
    user.writeFile('three', '5');
    await settle();
    expect(b.disk.user.describe().map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'one folder',
      'one/y file',
      'three file',
      'two file',
    ]);
  });

  test('300 folders deep arrive; what is too deep stays here and is named [S-43]', async () => {
    const { user } = a.disk;
    let path = '';
    for (let depth = 0; depth < 300; depth++) {
      path = path === '' ? 'd' : `${path}/d`;
      user.makeFolder(path);
    }
    user.writeFile(`${path}/deep`, 'x');
    await start();
    expect(text(b, `${path}/deep`)).toBe('x');
    for (let depth = 300; depth < 515; depth++) {
      path = `${path}/d`;
      user.makeFolder(path);
    }
    a.engine.refresh();
    await world.until('it is named', () =>
      a.engine.status().unsynced.some(({ reason }) => reason === 'too-deep'),
    );
    await world.until('A rests', () => a.engine.status().state === 'in-sync');
    expect(user.describe()).toHaveLength(516);
  });
});

describe('what cannot be seen is not gone', () => {
  test('a folder that cannot be read deletes nothing, and is known again later (T086) [S-45]', async () => {
    const { user } = a.disk;
    user.makeFolder('secret');
    user.makeFolder('secret/below');
    user.writeFile('secret/x', '1');
    user.writeFile('secret/below/y', '2');
    await start();
    a.disk.setFaults((operation, path) => (operation === 'list' && path === 'secret' ? 'EACCES' : null));
    a.engine.refresh();
    await world.until('it is reported', () =>
      a.engine.status().unsynced.some(({ reason }) => reason === 'unreadable'),
    );
    user.writeFile('other', '3');
    await world.until('others go on', () => b.disk.user.describe().some((line) => line.startsWith('other')));
    b.disk.user.writeFile('secret/x', 'edited on B');
    await world.until('B is done', () => b.engine.status().state === 'in-sync');
    expect(b.disk.user.describe()).toHaveLength(5);
    a.disk.setFaults(null);
    await settle();
    expect(text(a, 'secret/x')).toBe('edited on B');
    expect(b.disk.user.describe()).toHaveLength(5);
    expect(a.engine.status().unsynced).toEqual([]);
  });

  test('what could not be read and is gone with its folder is waited for no longer [S-45]', async () => {
    const { user } = a.disk;
    user.makeFolder('d');
    user.makeFolder('d/secret');
    await start();
    a.disk.setFaults((operation, path) => (operation === 'list' && path.endsWith('/secret') ? 'EIO' : null));
    const unread = () => a.engine.status().unsynced.map(({ path }) => path);
    a.engine.refresh();
    await world.until('it is reported', () => unread().includes('d/secret'));
    user.rename('d', 'e');
    await world.until('it is reported in its new place', () => unread().join() === 'e/secret');
    expect(a.engine.status().state).not.toBe('in-sync');
    b.disk.user.rename('e', 'f');
    await world.until('the same after a move by another device', () => unread().join() === 'f/secret');
    user.remove('f');
    await world.until('nothing is left to wait for', () => a.engine.status().state === 'in-sync');
    expect(unread()).toEqual([]);
  });

  test('nor is it when a file has taken the place of the folder [S-45]', async () => {
    const { user } = a.disk;
    user.makeFolder('d');
    user.makeFolder('d/e');
    user.makeFolder('d/e/secret');
    await start();
    a.disk.setFaults((operation, path) => (operation === 'list' && path.endsWith('/secret') ? 'EIO' : null));
    const unread = () => a.engine.status().unsynced.map(({ path }) => path);
    a.engine.refresh();
    await world.until('it is reported', () => unread().includes('d/e/secret'));
    a.disk.setHintsDropped(true);
    user.remove('d');
    user.writeFile('d', 'a file instead');
    a.disk.setHintsDropped(false);
    a.engine.refresh();
    await settle();
    expect(unread()).toEqual([]);
    expect(text(b, 'd')).toBe('a file instead');
  });

  test('a second name of a file whose folder cannot be read is no move out of it [S-45]', async () => {
    const { user } = a.disk;
    user.makeFolder('secret');
    user.writeFile('secret/x', 'two names');
    await start();
    const id = await idOf('secret/x');
    const isSecret = (path: string) => path === 'secret' || path.startsWith('secret/');
    a.disk.setFaults((operation, path) => (operation !== 'watch' && isSecret(path) ? 'EACCES' : null));
    user.makeHardLink('secret/x', 'second');
    await world.until('the new name is on B', () => b.disk.user.find('second') !== null);
    await world.until('B rests', () => b.engine.status().state === 'in-sync');
    expect(text(b, 'secret/x')).toBe('two names');
    expect(await idOf('secret/x')).toBe(id);
    a.disk.setFaults(null);
    await settle();
    expect(
      b.disk.user
        .walk()
        .map(({ path }) => path)
        .sort(),
    ).toEqual(['second', 'secret', 'secret/x']);
    expect(await idOf('secret/x')).toBe(id);
  });

  test('an item that vanishes while its folder is read costs the others nothing [S-69]', async () => {
    const { user } = a.disk;
    for (let index = 0; index < 5; index++) user.writeFile(`${index}`, `${index}`);
    await start();
    let done = false;
    a.disk.setFaults((operation, path) => {
      if (operation === 'list' && path === '' && !done) {
        done = true;
        user.remove('2');
      }
      return null;
    });
    a.engine.refresh();
    await world.until('its removal arrives', () => b.disk.user.describe().length === 4);
    await settle();
    expect(b.disk.user.describe()).toHaveLength(4);
  });

  test('a file that cannot be read waits alone (T147) [S-69 S-70]', async () => {
    a.disk.setFaults((operation, path) => (operation === 'read' && path === 'bad' ? 'EIO' : null));
    a.disk.user.writeFile('bad', '1');
    a.disk.user.writeFile('good', '2');
    a.start();
    b.start();
    await world.until('good is there', () => b.disk.user.describe().length === 1);
    await world.until('bad waits', () => a.engine.status().state === 'waiting');
    expect(a.engine.status().problems.map(({ path }) => path)).toEqual(['bad']);
    expect(a.engine.explain('bad').verdict).toBe('problem');
    a.disk.setFaults(null);
    await settle();
    expect(text(b, 'bad')).toBe('1');
  });
});

describe('rules', () => {
  test('newly ignored things stay on the server and here; taken back they sync [S-67]', async () => {
    const { user } = a.disk;
    user.makeFolder('build');
    user.writeFile('build/out', '1');
    user.writeFile('kept', '2');
    await start();
    user.writeFile('.cairnignore', 'build/\n');
    await world.until('the rules are used', () =>
      a.engine.explain('build').lines.join().includes('.cairnignore'),
    );
    user.writeFile('build/out', 'changed here');
    user.writeFile('build/more', '3');
    b.disk.user.writeFile('kept', '4');
    await world.until('kept arrives', () => text(a, 'kept') === '4');
    expect((await idOf('build/out')).length).toBeGreaterThan(0);
    expect(text(b, 'build/out')).toBe('1');
    expect(b.disk.user.describe().some((line) => line.startsWith('build/more'))).toBe(false);
    user.remove('.cairnignore');
    await settle();
    // What was agreed before proves nothing any more: both contents are kept.
    expect(text(b, 'build/out')).toBe('1');
    expect(
      text(
        b,
        b.disk.user
          .describe()
          .find((line) => line.includes('Copy'))
          ?.split(' file ')[0] ?? '',
      ),
    ).toBe('changed here');
    expect(text(b, 'build/more')).toBe('3');
  });

  test('what waits for its place, which something ignored has, is not fetched again and again [S-70]', async () => {
    for (const { disk } of [a, b]) disk.user.writeFile('.cairnignore', 'build/\n');
    await start();
    b.disk.user.makeFolder('build');
    b.disk.user.writeFile('build/out', 'stays here');
    a.disk.user.writeFile('build', 'a file of this name');
    const attempts = () => b.engine.status().problems[0]?.attempts ?? 0;
    await world.until('B cannot place it', () => attempts() > 0);
    expect(b.engine.status().problems[0]).toMatchObject({ code: 'local-changed' });
    const { readBlocks } = b.network;
    for (const times of [2, 3, 4]) {
      b.engine.refresh();
      await world.until('B tries again', () => attempts() >= times);
    }
    expect(b.network.readBlocks).toBe(readBlocks);
    b.disk.user.rename('build', 'elsewhere');
    await world.until('what was in its place comes, too', () =>
      a.disk.user.describe().some((line) => line.startsWith('elsewhere/out')),
    );
    b.engine.refresh();
    await settle();
    expect(text(b, 'build')).toBe('a file of this name');
  });

  test('what the rules leave alone is not downloaded, and nobody goes round in circles over it', async () => {
    b.disk.user.writeFile('.cairnignore', '');
    a.disk.user.writeFile('.cairnignore', '');
    await start();
    b.disk.user.writeFile('.cairnignore', 'build/\n*.tmp\n');
    await settle();
    const { data, principal } = world;
    const bytes = async function* () {
      yield new TextEncoder().encode('from elsewhere');
    };
    await data.files.createFolder(principal, '/build/deep', { parents: true });
    await data.files.putFile(principal, '/build/deep/out', bytes(), {});
    await data.files.putFile(principal, '/x.tmp', bytes(), {});
    await data.files.putFile(principal, '/x.txt', bytes(), {});
    await world.until('x.txt arrives', () => b.disk.user.describe().some((line) => line.startsWith('x.txt')));
    await world.until('B rests', () => b.engine.status().state === 'in-sync');
    let calls = 0;
    b.disk.setFaults(() => {
      calls++;
      return null;
    });
    let changes = 0;
    const stopListening = b.engine.onChange(() => changes++);
    await new Promise((resolve) => setTimeout(resolve, 300));
    stopListening();
    // An echo of the last download may still be looked at; a loop would be thousands.
    expect(calls + changes).toBeLessThan(30);
    expect(b.disk.user.describe().map((line) => line.split(' ')[0])).toEqual(['.cairnignore', 'x.txt']);
    b.disk.user.writeFile('.cairnignore', '');
    await world.until('all of it arrives', () =>
      b.disk.user.describe().some((line) => line.startsWith('build/deep/out')),
    );
    await settle();
  });
});

test('a write through one name of a hard link is seen under all its names [S-62]', async () => {
  a.disk.user.makeFolder('d');
  a.disk.user.writeFile('one', 'first');
  a.disk.user.makeHardLink('one', 'd/two');
  a.start();
  b.start();
  await settle();
  a.disk.user.writeFile('one', 'second');
  await world.until('both names have it on B', () =>
    ['one', 'd/two'].every((path) => new TextDecoder().decode(b.disk.user.readFile(path)) === 'second'),
  );
  await settle();
});

test('on a disk that keeps seconds, an edit right after the upload is seen [S-65]', async () => {
  const coarse = await world.addDevice('Camera', {
    disk: { timeGranularityNs: 2_000_000_000n, changeGranularityNs: 2_000_000_000n },
  });
  coarse.start();
  b.start();
  await world.settle([coarse, b]);
  for (const [index, content] of ['one', 'two', 'six'].entries()) {
    coarse.disk.user.writeFile('f', content);
    await world.until(`${content} is committed`, async () => (await world.sequence()) === index + 1);
  }
  await world.until('B has the last', () => new TextDecoder().decode(b.disk.user.readFile('f')) === 'six');
});

test('a link whose time could not be set is ours all the same [S-18]', async () => {
  a.start();
  b.start();
  await settle();
  b.disk.setFaults((operation) => (['setAttributes', 'list'].includes(operation) ? 'EIO' : null));
  a.disk.user.makeLink('link', 'target');
  await world.until('it is there', () => b.disk.user.describe().length > 0);
  a.disk.user.rename('link', 'renamed');
  await world.until('B knows the new name', () => b.engine.status().sequence === 2);
  b.disk.setFaults(null);
  b.engine.refresh();
  await settle();
  expect(b.disk.user.walk().map(({ path }) => path)).toEqual(['renamed']);
  expect(await world.sequence()).toBe(2);
});

describe('the loop rests', () => {
  test('a folder that cannot be made holds up what goes into it without keeping the engine busy', async () => {
    a.disk.user.makeFolder('d');
    a.disk.user.writeFile('d/x', '1');
    a.disk.user.writeFile('y', '2');
    let attempts = 0;
    b.disk.setFaults((operation, path) => {
      if (operation !== 'makeFolder' || path !== 'd') return null;
      attempts++;
      return 'EACCES';
    });
    a.start();
    b.start();
    await world.until('y arrives', () => b.disk.user.describe().length === 1);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(attempts).toBeLessThan(5);
    b.disk.setFaults(null);
    await settle();
  });

  test('large files go beside the loop: edits, stops and kills in the middle of them lose nothing [S-6 S-7]', async () => {
    const megabytes = (count: number, fill: number) => new Uint8Array(count * 1024 * 1024).fill(fill);
    for (const fill of [1, 2, 3]) a.disk.user.writeFile(`large-${fill}`, megabytes(33, fill));
    a.start();
    await world.until('one is read', () => a.engine.status().counters.uploadedFiles > 0);
    a.disk.user.writeFile('large-1', megabytes(34, 4));
    await a.stop();
    a.start();
    let writes = 0;
    let restarted: Promise<void> | null = null;
    b.disk.setFaults((operation) => {
      if (operation === 'write' && ++writes === 40) restarted = b.restart();
      return null;
    });
    b.start();
    await world.until('B is killed in the middle', () => restarted !== null);
    await restarted;
    await world.until('both are in sync', async () => {
      const sequence = await world.sequence();
      const states = [a, b].map(({ engine }) => engine.status());
      return sequence >= 3 && states.every((each) => each.state === 'in-sync' && each.sequence === sequence);
    });
    for (const fill of [2, 3])
      expect(Buffer.compare(b.disk.user.readFile(`large-${fill}`), megabytes(33, fill))).toBe(0);
    expect(Buffer.compare(b.disk.user.readFile('large-1'), megabytes(34, 4))).toBe(0);
    expect(b.engine.status().problems).toEqual([]);
  });

  test('deletes that trickle in are counted together for the brake [S-48]', async () => {
    for (let index = 0; index < 30; index++) a.disk.user.writeFile(`${index}`, `${index}`);
    const careful = await world.addDevice('Careful', { brake: { count: 10, share: 0 } });
    a.start();
    careful.start();
    await world.settle([a, careful]);
    for (let index = 0; index < 30; index++) {
      careful.disk.user.remove(`${index}`);
      if (index % 4 === 0) await new Promise((resolve) => setTimeout(resolve, 60));
    }
    await world.until('the rest is held', () => careful.engine.status().state === 'held');
    expect(a.disk.user.describe().length).toBeGreaterThanOrEqual(20);
    careful.engine.confirmDeletes();
    await world.settle([a, careful]);
    expect(a.disk.user.describe()).toEqual([]);
  });
});
