import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  NEW_BYTES,
  OLD_BYTES,
  openFilesystem,
  openTrees,
  operate,
  prepareFolder,
  TREE_NODES,
  writeGeneration,
} from './client-operations.ts';
import { type CallPoint, type Killed, killAtEachCall, whyNoStrace } from './kill-at-each.ts';
import { cutFile, ENTRY_ID, FILE_BYTES, makeChangeset, openServer } from './server-operations.ts';

const reason = whyNoStrace();
beforeEach(({ skip }) => skip(reason !== null, reason ?? ''));

/** Everything takes minutes: for every change a part of it must do. */
const isWhole = process.env['CAIRN_LONG_TESTS'] === '1';
const FOLDER_OPERATIONS = ['place-new', 'place-replace', 'move', 'link-new', 'link-replace', 'displace'];

/** What every operation begins with, finding out what the disk can, ends with this; once is enough. */
function withoutOpening(points: readonly CallPoint[]): readonly CallPoint[] {
  return points.slice(points.findIndex(({ call }) => call === 'rmdir') + 1);
}

const someOf = (points: readonly CallPoint[]) =>
  isWhole ? points : points.filter((_, index) => index % 8 === 3);

/** Files and links below a folder, our private one included. */
function contents(root: string): Map<string, string> {
  const found = new Map<string, string>();
  const walk = (below: string) => {
    for (const name of readdirSync(join(root, below))) {
      const path = join(below, name);
      const status = lstatSync(join(root, path));
      if (status.isDirectory()) walk(path);
      else if (status.isSymbolicLink()) found.set(path, `-> ${readlinkSync(join(root, path))}`);
      else found.set(path, describeBytes(readFileSync(join(root, path))));
    }
  };
  walk('');
  return found;
}

function describeBytes(bytes: Buffer): string {
  if (bytes.equals(OLD_BYTES)) return 'old';
  if (bytes.equals(NEW_BYTES)) return 'new';
  if (bytes.equals(NEW_BYTES.subarray(0, bytes.length))) return `the first ${bytes.length} of new`;
  return `${bytes.length} bytes that nobody wrote`;
}

function copiesOf(what: string, found: ReadonlyMap<string, string>): string[] {
  return [...found].filter(([, each]) => each === what).map(([path]) => path);
}

const isOurs = (path: string) => path.startsWith('.cairn/');

/** After every kill: the tree has only what it may have; the operation done again comes to its end. */
async function verifyFolder(name: string, root: string, { said }: Killed): Promise<void> {
  const folder = join(root, 'folder');
  const found = contents(folder);
  const seen = new Map([...found].filter(([path]) => !isOurs(path)));
  const wasDone = said.includes('done');
  const wasThere = { file: 'old', 'd/other': 'old', link: '-> old target' };
  const after: Record<string, Record<string, string>> = {
    'place-new': { ...wasThere, 'd/new': 'new' },
    'place-replace': { ...wasThere, file: 'new' },
    'link-new': { ...wasThere, 'd/link': '-> new target' },
    'link-replace': { ...wasThere, link: '-> new target' },
    move: { 'd/other': 'old', link: '-> old target', 'd/moved': 'old' },
    displace: { 'd/other': 'old', link: '-> old target' },
  };
  const expected = new Map(Object.entries(after[name] ?? {}));
  const isOld = sameItems(seen, new Map(Object.entries(wasThere)));
  const isNew = sameItems(seen, expected);
  // A file has both names for a moment; the scenario "move-half-done" shows that this is mended.
  const isBetween =
    name === 'move' &&
    !wasDone &&
    sameItems(seen, new Map([...Object.entries(wasThere), ['d/moved', 'old']]));
  expect(isNew || isBetween || (isOld && !wasDone), `neither old nor new: ${JSON.stringify([...seen])}`).toBe(
    true,
  );
  // What was replaced or taken away is kept whole.
  expect(copiesOf('old', found).length, 'old bytes are lost').toBeGreaterThanOrEqual(2);
  if (name === 'link-replace')
    expect(copiesOf('-> old target', found).length, 'the old link is lost').toBeGreaterThanOrEqual(1);
  expect([...found].filter(([, what]) => what.endsWith('nobody wrote')).map(([path]) => path)).toEqual(
    [...found.keys()].filter((path) => path === '.cairn/marker'),
  );

  const filesystem = await openFilesystem(root);
  try {
    expect(await filesystem.readMarker()).toBe('marker');
    if (isOld) await operate(filesystem, name);
  } finally {
    await filesystem.close();
  }
  if (isBetween) return;
  const end = contents(folder);
  const endSeen = new Map([...end].filter(([path]) => !isOurs(path)));
  expect(sameItems(endSeen, expected), `done again: ${JSON.stringify([...endSeen])}`).toBe(true);
  if (name.startsWith('place')) {
    const status = lstatSync(join(folder, name === 'place-new' ? 'd/new' : 'file'));
    expect([status.mode & 0o100, Math.round(status.mtimeMs)]).toEqual([0o100, 1_600_000_000_000]);
  }
}

function sameItems(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([path, what]) => other.get(path) === what);
}

describe('killed after each system call (T141, T142, T144)', () => {
  it.each(isWhole ? FOLDER_OPERATIONS : FOLDER_OPERATIONS.slice(0, 3))(
    '%s: old or new, whole; nothing lost; done again it comes to its end',
    { timeout: 400_000 },
    async (name) => {
      const points = await killAtEachCall({
        operation: name,
        choose: (points) => (name === 'place-new' || isWhole ? points : withoutOpening(points)),
        prepare: prepareFolder,
        verify: (root, killed) => verifyFolder(name, root, killed),
      });
      console.log(`${name}: killed at ${points.length} calls: ${points.join(', ')}`);
      expect(points.length).toBeGreaterThanOrEqual(2);
    },
  );

  it('flushing the trees: the whole of one generation or of the next', { timeout: 400_000 }, async () => {
    const points = await killAtEachCall({
      operation: 'flush-trees',
      choose: someOf,
      async prepare(root) {
        await prepareFolder(root);
        const { store } = openTrees(root);
        writeGeneration(store, 1);
        store.flush();
        store.close();
      },
      verify(root, { said }) {
        const { store, recovered } = openTrees(root);
        try {
          expect(recovered).not.toBe('lost');
          const generation = Number(store.getValue('generation'));
          expect(said.includes('flushed') ? [2] : [1, 2]).toContain(generation);
          expect(store.cursor?.sequence).toBe(generation);
          const remote = [...store.remote.values()];
          expect(remote.filter(({ name }) => name.endsWith(` of ${generation}`)).length).toBe(TREE_NODES);
          const local = [...store.local.values()];
          expect(local.filter((node) => node.fingerprint === `generation ${generation}`).length).toBe(
            TREE_NODES,
          );
        } finally {
          store.close();
        }
      },
    });
    console.log(`flush-trees: killed at ${points.length} calls: ${points.join(', ')}`);
    expect(points.length).toBeGreaterThanOrEqual(3);
  });
});

describe('a server killed after each system call of an upload and its commit (T142, I32)', () => {
  let template: string;
  beforeAll(async () => {
    template = mkdtempSync(join(tmpdir(), 'cairn-calls-server-'));
    await (await openServer(template)).close();
  });
  afterAll(() => rmSync(template, { recursive: true, force: true }));

  it('what was acknowledged is there; the same commit again changes nothing', {
    timeout: 240_000,
  }, async () => {
    const points = await killAtEachCall({
      operation: 'server-commit',
      choose: someOf,
      prepare: (root) => cp(template, root, { recursive: true }),
      verify: verifyServer,
    });
    console.log(`server-commit: killed at ${points.length} calls: ${points.join(', ')}`);
    expect(points.length).toBeGreaterThanOrEqual(8);
  });
});

async function verifyServer(root: string, { said }: Killed): Promise<void> {
  const { data, principal, spaceId, rootId, close } = await openServer(root);
  try {
    const { content, blocks } = await cutFile();
    const ids = blocks.map(({ blockId }) => blockId);
    if (said.includes('stored'))
      expect(
        await data.blocks.findMissingBlocks(principal, spaceId, ids),
        'acknowledged blocks are gone',
      ).toEqual([]);
    const before = await data.spaces.currentSequence(principal, spaceId);
    expect(said.includes('committed') ? [1] : [0, 1]).toContain(before);
    if (before === 0) await data.blocks.storeBlocks(principal, spaceId, blocks);
    const changeset = makeChangeset(rootId, content);
    const result = await data.spaces.commitChangeset(principal, spaceId, changeset);
    expect([result.sequence, await data.spaces.currentSequence(principal, spaceId)]).toEqual([1, 1]);
    const { entries } = await data.spaces.readSnapshot(principal, spaceId, null, 100);
    expect(entries.map(({ name }) => name).sort()).toEqual(['', 'file']);
    const pieces: Uint8Array[] = [];
    for await (const piece of (await data.files.openFile(principal, ENTRY_ID)).read()) pieces.push(piece);
    expect(Buffer.concat(pieces).equals(FILE_BYTES)).toBe(true);
  } finally {
    await close();
  }
  const database = new DatabaseSync(join(root, 'metadata.sqlite'), { readOnly: true });
  expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  database.close();
}
