import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Client, createClient, createFileSessionStore, createNodeTransport } from '@cairn/client';
import { createNodePlatform } from '@cairn/content';
import { createSystemEnvironment } from '@cairn/environment';
import { type ChangesetId, createId, type EntryId } from '@cairn/model';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CliWorld, createCliWorld } from './testing/cli-world.ts';

let world: CliWorld;
let client: Client;

beforeAll(async () => {
  world = await createCliWorld();
  await world.run('desk', 'signup', '--username', 'ann');
  client = createClient({
    transport: createNodeTransport({ serverUrl: world.server.url }),
    store: createFileSessionStore(world.homeOf('desk')),
    environment: createSystemEnvironment(),
    platform: createNodePlatform(),
  });
  await mkdir(join(world.folder, 'local'));
}, 30_000);
afterAll(async () => {
  client.close();
  await world.close();
});

const newId = <Id extends string>() => createId<Id>(randomBytes(16));

async function put(path: string, text: string): Promise<void> {
  const local = join(world.folder, 'local', 'file');
  await writeFile(local, text);
  const { exitCode, errors } = await world.run('desk', 'upload', local, path);
  expect([exitCode, errors]).toEqual([0, '']);
}

/** What a device does whose edit came second: its content becomes a marked file of another name. */
async function makeCopy(path: string, baseSequence: number | null, text: string): Promise<string> {
  const original = await client.files.get(path);
  const space = await client.personalSpace();
  const upload = space.createUpload();
  const bytes = Buffer.from(text);
  const source = {
    async read(into: Uint8Array, position: number) {
      return bytes.copy(into, 0, position);
    },
  };
  const content = await upload.add(source, { profile: 't32-64k' });
  await upload.flush();
  const name = `${original.name.replace('.txt', '')} (Laptop's Conflict Copy 2026-11-21).txt`;
  await space.commit({
    changesetId: newId<ChangesetId>(),
    changes: [
      {
        kind: 'create',
        entryId: newId<EntryId>(),
        parentId: original.parentId ?? space.rootId,
        name,
        entry: {
          kind: 'file',
          content,
          executable: false,
          modifiedAtUs: 1,
          conflictOf: { entryId: original.entryId, baseSequence, deviceName: 'Laptop\u001b[31m', at: 7 },
        },
      },
    ],
  });
  return `/${name}`;
}

async function makeConflict(name: string): Promise<string> {
  await put(`/${name}.txt`, 'one\ntwo\nthree\n');
  const { sequence } = await client.files.get(`/${name}.txt`);
  await put(`/${name}.txt`, 'one\nTWO\nthree\n');
  return makeCopy(`/${name}.txt`, sequence, 'one\ntwo\nthree\nfour\n');
}

async function textOf(path: string): Promise<string> {
  const to = join(world.folder, newId<string>());
  const { errors } = await world.run('desk', 'download', path, '--to', to);
  expect(errors).toBe('');
  return readFile(to, 'utf8');
}

describe('cairn conflicts', () => {
  test('lists nothing when there is nothing', async () => {
    const { exitCode, output } = await world.run('desk', 'conflicts', '--json');
    expect([exitCode, JSON.parse(output)]).toEqual([0, { conflicts: [] }]);
  });

  test('I18 list, show and keep mine', async () => {
    const copy = await makeConflict('plan');
    const listed = await world.run('desk', 'conflicts');
    expect(listed.output).toContain("/plan (Laptop's Conflict Copy 2026-11-21).txt");
    expect(listed.output).not.toContain('\u001b');
    const shown = await world.run('desk', 'conflicts', 'show', '/plan.txt');
    expect(shown.output).toMatch(/^theirs /m);
    expect(shown.output).toMatch(/^base /m);
    expect(shown.output.split('\n').slice(-8)).toEqual([
      '+++ mine',
      '@@ -1,3 +1,4 @@',
      ' one',
      '-TWO',
      '+two',
      ' three',
      '+four',
      '',
    ]);
    const kept = await world.run('desk', 'conflicts', 'keep', 'mine', copy);
    expect([kept.exitCode, kept.errors]).toEqual([0, '']);
    expect(await textOf('/plan.txt')).toBe('one\ntwo\nthree\nfour\n');
    expect((await world.run('desk', 'versions', '/plan.txt')).output.trim().split('\n')).toHaveLength(4);
    expect((await world.run('desk', 'list', copy)).exitCode).toBe(5);
    expect((await world.run('desk', 'trash', 'list')).output).toContain('Conflict Copy');
  });

  test('keep theirs and keep both', async () => {
    const first = await makeConflict('theirs');
    expect((await world.run('desk', 'conflicts', 'keep', 'theirs', first)).exitCode).toBe(0);
    expect(await textOf('/theirs.txt')).toBe('one\nTWO\nthree\n');
    const second = await makeConflict('both');
    expect((await world.run('desk', 'conflicts', 'keep', 'both', '/both.txt')).exitCode).toBe(0);
    expect(await textOf(second)).toBe('one\ntwo\nthree\nfour\n');
    expect(JSON.parse((await world.run('desk', 'conflicts', 'list', '--json')).output)).toEqual({
      conflicts: [],
    });
    const again = await world.run('desk', 'conflicts', 'keep', 'both', second);
    expect([again.exitCode, again.errors]).toEqual([5, expect.stringContaining('in no conflict')]);
  });

  test('show writes the three contents where it is asked to, and overwrites nothing', async () => {
    const copy = await makeConflict('out');
    const folder = join(world.folder, 'compare');
    const { output } = await world.run('desk', 'conflicts', 'show', copy, '--out', folder);
    expect((await readdir(folder)).sort()).toEqual(['base.txt', 'mine.txt', 'theirs.txt']);
    expect(output).toContain(join(folder, 'mine.txt'));
    expect(await readFile(join(folder, 'base.txt'), 'utf8')).toBe('one\ntwo\nthree\n');
    expect(await readFile(join(folder, 'mine.txt'), 'utf8')).toBe('one\ntwo\nthree\nfour\n');
    const second = await world.run('desk', 'conflicts', 'show', copy, '--out', folder);
    expect([second.exitCode, second.errors]).toEqual([6, expect.stringContaining('there already')]);
  });

  test('says so when there is no common version, no text, or no such conflict', async () => {
    await put('/new.txt', 'a\u0000b');
    const copy = await makeCopy('/new.txt', null, 'c');
    const shown = await world.run('desk', 'conflicts', 'show', copy);
    expect(shown.output).not.toMatch(/^base /m);
    expect(shown.errors).toContain('--out');
    expect((await world.run('desk', 'conflicts', 'show', '/nothing')).exitCode).toBe(5);
    expect((await world.run('desk', 'conflicts', 'keep', 'neither', copy)).exitCode).toBe(2);
  });
});

describe('cairn policy', () => {
  test('shows what counts for a folder and where that was said', async () => {
    await world.run('desk', 'mkdir', '--parents', '/logs/deep');
    const policy = (...words: string[]) => world.run('desk', 'policy', ...words);
    expect((await policy('/logs/deep')).output).toContain('keep-both (nothing says otherwise)');
    expect((await policy('/logs', 'last-write-wins')).output).toContain('/logs: last-write-wins (set here)');
    expect((await policy('/logs/deep')).output).toContain('last-write-wins (set for /logs)');
    const json = JSON.parse((await policy('/logs/deep', '--json')).output);
    expect(json).toEqual({ path: '/logs/deep', own: null, effective: 'last-write-wins', saidBy: '/logs' });
    expect((await policy('/', 'keep-both')).output).toContain('/: keep-both (set here)');
    expect((await policy('/logs', 'inherit')).output).toContain('keep-both (set for /)');
    expect((await policy('/logs', 'first')).exitCode).toBe(2);
    await put('/file', 'x');
    expect((await policy('/file')).exitCode).not.toBe(0);
  });
});
