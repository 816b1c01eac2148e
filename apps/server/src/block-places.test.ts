import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { BlocksResponse } from '@cairn/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseBlocks } from './blocks-setting.ts';
import { type RunningServer, type StartServerOptions, startServer } from './start-server.ts';
import { PASSWORD } from './testing/test-server.ts';

let base: string;
let server: RunningServer | null;
let token: string;
let fileId: string;
const logged: string[] = [];
const contents = new Uint8Array(randomBytes(200_000));
const at = (...names: string[]) => join(base, ...names);

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'cairn-places-'));
  server = null;
  logged.length = 0;
});
afterEach(async () => {
  await stop();
  await rm(base, { recursive: true, force: true });
});

async function stop(): Promise<void> {
  const running = server;
  server = null;
  await running?.stop();
}

async function start(blocks?: string, options: Partial<StartServerOptions> = {}): Promise<void> {
  await stop();
  const note = (event: string) => void logged.push(event);
  const log = { debug: note, info: note, warn: note, error: note, with: () => log };
  server = await startServer({
    data: at('data'),
    port: 0,
    drainMs: 500,
    passwordCost: { memoryKib: 64, passes: 1, lanes: 1 },
    log,
    ...(blocks === undefined ? {} : { blocks: parseBlocks(blocks, 'a test') }),
    ...options,
  });
}

async function ask(method: string, path: string, body?: unknown): Promise<Response> {
  return fetch(`${server?.url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

const status = async () => (await (await ask('GET', '/admin/blocks')).json()) as BlocksResponse;
const move = async (target: string) => {
  const response = await ask('POST', '/admin/blocks/move', { target });
  return { status: response.status, ...((await response.json()) as { code?: string; detail?: string }) };
};

async function untilMoved(): Promise<BlocksResponse> {
  for (;;) {
    const now = await status();
    if (now.move === null) return now;
    if (now.move.phase === 'held') throw new Error(JSON.stringify(now));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A server with one file, whose account is the administrator. */
async function startWithFile(blocks?: string, options: Partial<StartServerOptions> = {}): Promise<void> {
  await start(blocks, options);
  const signedUp = await fetch(`${server?.url}/api/v1/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'ann', password: PASSWORD, deviceName: 'tests' }),
  });
  token = ((await signedUp.json()) as { accessToken: string }).accessToken;
  const stored = await fetch(`${server?.url}/api/v1/files/content?path=/file`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
    body: contents,
  });
  fileId = ((await stored.json()) as { entry: { entryId: string } }).entry.entryId;
  await expectFile();
}

async function expectFile(): Promise<void> {
  const response = await ask('GET', `/files/${fileId}/content`);
  expect(response.status).toBe(200);
  expect(Buffer.compare(Buffer.from(await response.arrayBuffer()), contents)).toBe(0);
}

/** As a database that a program from before the record wrote. */
async function forgetRecord(): Promise<void> {
  await stop();
  const database = new DatabaseSync(at('data', 'metadata.sqlite'));
  database.exec('DELETE FROM block_move; DELETE FROM block_location');
  database.close();
}

const elsewhere = (words: RegExp) =>
  expect.objectContaining({ code: 'blocks-elsewhere', message: expect.stringMatching(words) });

describe('the place of the blocks', () => {
  test('is what is configured at first, and contradicting it later is refused', async () => {
    await startWithFile(`file:${at('one')}`);
    expect(await status()).toMatchObject({ place: `file:${at('one')}`, previous: null, warning: null });
    await stop();
    await expect(start(`file:${at('two')}`)).rejects.toEqual(
      elsewhere(/are in file:.*one, but CAIRN_BLOCKS says file:.*two.*Start with CAIRN_BLOCKS=file:.*one/),
    );
    await expect(start('nodes:')).rejects.toEqual(
      elsewhere(/are in file:.*one, but CAIRN_BLOCKS says nodes:/),
    );
    expect(await readdir(base)).not.toContain('two');
    // Who says nothing contradicts nothing.
    await start();
    await expectFile();
    expect((await status()).warning).toBeNull();
  });

  test('is not an empty folder, as of a disk that is not mounted, unless somebody says so', async () => {
    await startWithFile(`file:${at('disk')}`);
    await stop();
    await rename(at('disk'), at('away'));
    await mkdir(at('disk'));
    await expect(start(`file:${at('disk')}`)).rejects.toEqual(elsewhere(/none of the blocks.*is mounted/));
    await expect(start()).rejects.toEqual(elsewhere(/is mounted/));
    expect(await readdir(at('disk'))).toEqual([]);
    // Mounted elsewhere, it is recognised.
    await start(`file:${at('away')}`);
    await expectFile();
    expect((await status()).place).toBe(`file:${at('away')}`);
    await stop();
    await rm(at('away', 'cairn-place'));
    await start(`file:${at('away')}`);
    await expectFile();
    await stop();
    await rm(at('away'), { recursive: true });
    await expect(start(`file:${at('away')}`)).rejects.toEqual(elsewhere(/--blocks-are-here/));
    await start(`file:${at('away')}`, { blocksAreHere: true });
    expect((await ask('GET', `/files/${fileId}/content`)).status).not.toBe(200);
    await start(`file:${at('away')}`);
  });

  test('of a database from before is the folder that has them, and no other', async () => {
    await startWithFile(`file:${at('one')}`);
    await forgetRecord();
    await expect(start(`file:${at('two')}`)).rejects.toEqual(elsewhere(/none of the blocks/));
    await expect(start('nodes:')).rejects.toEqual(elsewhere(/none has ever joined/));
    await expect(start()).rejects.toEqual(elsewhere(/none of the blocks/));
    await start(`file:${at('one')}`);
    await expectFile();
    await stop();
    await expect(start(`file:${at('two')}`)).rejects.toEqual(elsewhere(/are in file:/));
  });

  test('is never the folder of another server', async () => {
    await startWithFile(`file:${at('one')}`);
    await stop();
    await expect(start(`file:${at('one')}`, { data: at('other-data') })).rejects.toEqual(
      elsewhere(/another server/),
    );
    await start(`file:${at('one')}`);
    await expectFile();
  });
});

describe('moving to another folder', () => {
  test('serves from there, also with the old setting, and refuses it once it is neither', async () => {
    await startWithFile();
    expect(await move(`file:${at('two')}`)).toMatchObject({ status: 202 });
    expect(await untilMoved()).toMatchObject({
      place: `file:${at('two')}`,
      previous: `file:${at('data', 'blocks')}`,
      warning: expect.stringContaining('CAIRN_BLOCKS is not set; set it to'),
    });
    await expectFile();
    // The first place may go.
    await stop();
    await rm(at('data', 'blocks'), { recursive: true });
    await start();
    await expectFile();
    expect(logged).toContain('blocks.moved-away');
    await start(`file:${at('two')}`);
    expect((await status()).warning).toBeNull();
    expect(await move(`file:${at('three')}`)).toMatchObject({ status: 202 });
    await untilMoved();
    await stop();
    await start(`file:${at('two')}`);
    expect((await status()).warning).toContain('CAIRN_BLOCKS still says');
    await stop();
    await expect(start(`file:${at('four')}`)).rejects.toEqual(elsewhere(/are in file:.*three/));
  });

  test('goes back to where it came from when it is cancelled, and may go where they were before', async () => {
    await startWithFile();
    await move(`file:${at('two')}`);
    await untilMoved();
    await move(`file:${at('data', 'blocks')}`);
    expect(await untilMoved()).toMatchObject({ place: `file:${at('data', 'blocks')}`, warning: null });
    await expectFile();
    expect((await ask('DELETE', '/admin/blocks/move')).status).toBe(412);
  });

  test('keeps contents sealed, and is refused where the seal would be lost', async () => {
    const blocksKey = { current: new Uint8Array(32).fill(7) };
    await startWithFile(undefined, { blocksKey });
    expect(await move('nodes:')).toMatchObject({ status: 412, detail: expect.stringContaining('sealed') });
    await move(`file:${at('two')}`);
    await untilMoved();
    await expectFile();
    expect(await readdir(at('two'))).toContain('store.keys');
    await stop();
    await expect(start(`file:${at('two')}`)).rejects.toMatchObject({ code: 'not-configured' });
  });

  test('is refused, with the reason, where it cannot be', async () => {
    await startWithFile();
    await mkdir(at('full'));
    await writeFile(at('full', 'something'), '');
    await writeFile(at('file'), '');
    await mkdir(at('foreign'));
    await writeFile(at('foreign', 'cairn-place'), `${'a'.repeat(26)} ${'b'.repeat(26)}\n`);
    const place = at('data', 'blocks');
    const refusals: [string, number, RegExp][] = [
      [`file:${place}`, 412, /already/],
      [`file:${place}/`, 412, /already/],
      [`file:${join(place, 'inside')}`, 412, /lie in each other/],
      [`file:${at('data')}`, 412, /lie in each other/],
      [`file:${at('full')}`, 412, /something in it/],
      [`file:${at('foreign')}`, 412, /another server/],
      [`file:${at('file')}`, 412, /cannot be moved/],
      ['file:relative', 400, /whole path/],
      ['nodes:?replicas=2', 412, /2 storage nodes, but 0 are up/],
      ['nodes:?x=1', 400, /unknown/],
      ['s3:bucket', 400, /not yet supported/],
    ];
    for (const [target, code, words] of refusals) {
      const answer = await move(target);
      expect([target, answer.status, answer.detail]).toEqual([target, code, expect.stringMatching(words)]);
    }
    expect((await status()).move).toBeNull();
    expect(await readdir(at('full'))).toEqual(['something']);
  });
});
