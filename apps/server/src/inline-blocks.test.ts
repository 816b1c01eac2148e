import { randomBytes } from 'node:crypto';
import { createNodePlatform, openBlock } from '@cairn/content';
import { decodePack } from '@cairn/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './testing/test-server.ts';

const platform = createNodePlatform();

describe('small blocks that come along with changes', () => {
  let server: TestServer;
  let first: Awaited<ReturnType<TestServer['register']>>;
  let second: typeof first;
  let cursor: string;

  beforeEach(async () => {
    server = await startTestServer();
    first = await server.register('ann', 'Laptop');
    second = await server.login('ann', 'Desk');
    const path = `/api/v1/spaces/${first.spaceId}/snapshot`;
    cursor = (await server.ask('GET', path, { token: second.accessToken })).json.cursor;
  });
  afterEach(() => server.close());

  async function put(name: string, body: Uint8Array): Promise<void> {
    const path = `/api/v1/files/content?path=/${name}`;
    const answer = await server.ask('PUT', path, { token: first.accessToken, body });
    expect(answer.status).toBeLessThan(300);
  }

  function changes(token: string, more = ''): Promise<Awaited<ReturnType<TestServer['ask']>>> {
    const query = `spaceId=${first.spaceId}&cursor=${cursor}${more}`;
    return server.ask('GET', `/api/v1/sync/changes?${query}`, { token });
  }

  /** Plain bytes of what came along. */
  function open(answer: Awaited<ReturnType<TestServer['ask']>>): string[] {
    if (answer.json.pack === undefined) return [];
    return decodePack(Buffer.from(answer.json.pack, 'base64')).map((block) =>
      Buffer.from(openBlock(platform, block)).toString('latin1'),
    );
  }

  it('are those of what another device made, as far as there is room', async () => {
    const [small, middle, large] = [100, 3000, 17_000].map((size) => randomBytes(size)) as [
      Buffer,
      Buffer,
      Buffer,
    ];
    await put('a', small);
    await put('b', middle);
    await put('c', large);
    await put('empty', new Uint8Array());
    const of = (bytes: Buffer) => bytes.toString('latin1');
    expect(open(await changes(second.accessToken, '&inlineBytes=16384'))).toEqual([of(small), of(middle)]);
    expect(open(await changes(second.accessToken, '&inlineBytes=3000'))).toEqual([of(small)]);
    expect(open(await changes(second.accessToken, '&inlineBytes=0'))).toEqual([]);
    // Nobody gets what nobody asked for, nor what comes from here.
    expect((await changes(second.accessToken)).json).not.toHaveProperty('pack');
    expect((await changes(first.accessToken, '&inlineBytes=16384')).json).not.toHaveProperty('pack');
  });

  it('do not come with a long page, nor to strangers', async () => {
    for (let index = 0; index < 8; index++) await put(`file-${index}`, randomBytes(10));
    expect(open(await changes(second.accessToken, '&inlineBytes=16384'))).toHaveLength(8);
    await put('one more', randomBytes(10));
    const long = await changes(second.accessToken, '&inlineBytes=16384');
    expect(long.json.changes).toHaveLength(9);
    expect(open(long)).toEqual([]);
    const stranger = await server.register('bob');
    expect((await changes(stranger.accessToken, '&inlineBytes=16384')).status).toBe(404);
    expect((await changes(second.accessToken, '&inlineBytes=16385')).status).toBe(400);
  });
});
