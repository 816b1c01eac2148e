import { hash, randomBytes } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { createNodePlatform, encodeBlock } from '@cairn/content';
import { type BlockId, createId, MAX_BLOCK_BYTES } from '@cairn/model';
import { encodeDeltaPack, encodePack, PROTOCOL_LIMITS, type SignedIn } from '@cairn/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './testing/test-server.ts';

let server: TestServer;
let ann: SignedIn;
let token: string;

beforeAll(async () => {
  server = await startTestServer({
    limits: {
      anonymousBodyTimeoutMs: 200,
      bodyTimeoutMs: 300,
      signInRequests: 2,
      concurrentPacks: 2,
      concurrentSmallPacks: 2,
      pingIntervalMs: 100,
    },
  });
  ann = await server.register('ann');
  token = ann.accessToken;
});
afterAll(async () => server.close());

function open(text: string): { socket: Socket; ended: Promise<string> } {
  const socket = connect(server.running.port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('latin1').on('data', (piece: string) => {
    answer += piece;
  });
  const ended = new Promise<string>((resolve) => {
    socket.on('error', () => undefined).on('close', () => resolve(answer));
  });
  socket.write(text);
  return { socket, ended };
}

const signedIn = () => `authorization: Bearer ${token}\r\nhost: x\r\n`;

describe('slow and broken requests', () => {
  it('are cut off when their body does not arrive in time, signed in or not', async () => {
    const start = performance.now();
    const login = open(
      'POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"us',
    );
    const pack = open(
      `POST /api/v1/spaces/${ann.spaceId}/packs HTTP/1.1\r\n${signedIn()}content-type: application/vnd.cairn.pack\r\ncontent-length: 5000\r\n\r\nCPK1`,
    );
    for (const { ended } of [login, pack]) expect(await ended).not.toMatch(/^HTTP\/1\.1 2/);
    expect(performance.now() - start).toBeLessThan(30_000);
  });

  it.each([5000, 500_000])('of %i bytes do not keep others from sending packs', async (lengthBytes) => {
    const slow = [1, 2, 3].map(() =>
      open(
        `POST /api/v1/spaces/${ann.spaceId}/packs HTTP/1.1\r\n${signedIn()}content-type: application/vnd.cairn.pack\r\ncontent-length: ${lengthBytes}\r\n\r\nCPK1`,
      ),
    );
    const bob = await server.register(`bob-${lengthBytes}`);
    // As large as the others' is said to be: packs of about one size wait for each other.
    const bytes = randomBytes(lengthBytes);
    const answer = await server.ask('POST', `/api/v1/spaces/${bob.spaceId}/packs`, {
      token: bob.accessToken,
      headers: { 'content-type': 'application/vnd.cairn.pack' },
      body: new Uint8Array(Buffer.concat(encodePack([encodeBlock(createNodePlatform(), 'chunk', bytes)]))),
    });
    expect(answer.json).toEqual({ stored: 1 });
    for (const { socket, ended } of slow) {
      socket.destroy();
      await ended;
    }
  });

  it('cannot be read as two: lengths that contradict each other are refused', async () => {
    for (const headers of [
      'content-length: 4\r\ntransfer-encoding: chunked\r\n',
      'content-length: 4\r\ncontent-length: 5\r\n',
      'transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n',
      'content-length: +4\r\n',
    ]) {
      const { ended } = open(
        `POST /api/v1/folders HTTP/1.1\r\n${signedIn()}content-type: application/json\r\n${headers}\r\n0\r\n\r\nGET /api/v1/me HTTP/1.1\r\n${signedIn()}\r\n`,
      );
      const answer = await ended;
      expect({ headers, answer: answer.slice(0, 12) }).toEqual({ headers, answer: 'HTTP/1.1 400' });
      expect(answer).not.toContain('"username"');
    }
  });
});

describe('event connections', () => {
  it('whose peer answers no ping are closed, so that none is held for ever', async () => {
    const start = performance.now();
    const { ended } = open(
      `GET /api/v1/sync/events HTTP/1.1\r\n${signedIn()}connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
    );
    expect(await ended).toMatch(/^HTTP\/1\.1 101/);
    expect(performance.now() - start).toBeLessThan(30_000);
    expect((await server.ask('GET', '/metrics')).text).toContain('cairn_websockets 0');
  });
});

describe('bombs', () => {
  it('of JSON are refused by depth and size, quickly', async () => {
    const headers = { 'content-type': 'application/json' };
    const start = performance.now();
    for (const body of [
      '['.repeat(500_000),
      `{"path":${'['.repeat(400_000)}${']'.repeat(400_000)}}`,
      `{"path":"\\ud800",${'"a":{'.repeat(50_000)}${'}'.repeat(50_001)}`,
      `{${Array.from({ length: 60_000 }, (_, index) => `"k${index}":1`).join()}}`,
    ]) {
      const answer = await server.ask('POST', '/api/v1/folders', { token, headers, body });
      expect(answer.status).toBe(400);
      expect(answer.bytes.length).toBeLessThan(10_000);
    }
    expect(performance.now() - start).toBeLessThan(30_000);
    expect((await server.ask('GET', '/health')).status).toBe(200);
  });

  it('of deltas make no more than they claim, from no more than is allowed', async () => {
    const path = `/api/v1/spaces/${ann.spaceId}/packs`;
    const headers = { 'content-type': 'application/vnd.cairn.pack' };
    const send = (bytes: Uint8Array[]) =>
      server.ask('POST', path, { token, headers, body: new Uint8Array(Buffer.concat(bytes)) });
    const base = new Uint8Array(randomBytes(MAX_BLOCK_BYTES));
    const baseId = `01${hash('sha256', base, 'hex')}` as BlockId;
    const plainBytes = base.length;
    await send(encodePack([{ blockId: baseId, kind: 'chunk', codec: 'raw', plainBytes, payload: base }]));
    const blockId = `01${'b'.repeat(64)}` as BlockId;
    const make = (coding: number, stated: number, body: Uint8Array) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(stated);
      const payload = Buffer.concat([
        Uint8Array.of(1),
        Buffer.from(baseId, 'hex'),
        Uint8Array.of(coding),
        length,
        body,
      ]);
      return { blockId, kind: 'chunk', codec: 'delta', plainBytes, payload } as const;
    };
    const all = Uint8Array.of(0x81, 0x80, 0x80, 0x03, 0);
    for (const delta of [
      // Everything of the base, over and over.
      make(0, 5000, Buffer.concat(Array.from({ length: 1000 }, () => all))),
      // What unpacks to more than it says, and what says more than is allowed.
      make(1, 1000, zstdCompressSync(new Uint8Array(256 * 1024 * 1024))),
      make(1, 2 ** 32 - 1, zstdCompressSync(new Uint8Array(1000))),
      make(0, 5, Uint8Array.of(0xff, 0xff, 0xff, 0x7f, 0)),
      make(2, 5, all),
    ]) {
      const refused = await send(encodeDeltaPack([delta]));
      expect([refused.status, refused.json.code]).toEqual([422, 'block-wrong']);
    }
    const many = Array.from({ length: 257 }, () => ({ ...make(0, 5, all), plainBytes: 5000 }));
    expect((await send(encodeDeltaPack(many))).json.code).toBe('too-large');
    const ask = (route: string, json: unknown) =>
      server.ask('POST', `/api/v1/spaces/${ann.spaceId}/blocks/${route}`, { token, json });
    const eleven = Array.from({ length: 11 }, () => baseId);
    expect((await ask('signatures', { blockIds: eleven, spanBytes: 128 })).json.code).toBe('too-large');
    expect((await ask('signatures', { blockIds: [baseId], spanBytes: 1 })).status).toBe(400);
    expect((await ask('deltas', { blocks: [{ blockId: baseId, bases: eleven }] })).status).toBe(400);
    expect((await server.ask('GET', '/health')).status).toBe(200);
  });

  it('of compressed blocks cost no more than they claim, and claim no more than is allowed', async () => {
    const path = `/api/v1/spaces/${ann.spaceId}/packs`;
    const headers = { 'content-type': 'application/vnd.cairn.pack' };
    const zeros = new Uint8Array(MAX_BLOCK_BYTES);
    const blockId = `01${hash('sha256', zeros, 'hex')}` as BlockId;
    const honest = { blockId, kind: 'chunk', codec: 'zstd', plainBytes: zeros.length } as const;
    const liar = { ...honest, payload: zstdCompressSync(new Uint8Array(256 * 1024 * 1024)) };
    const send = (bytes: Uint8Array[]) =>
      server.ask('POST', path, { token, headers, body: new Uint8Array(Buffer.concat(bytes)) });
    const refused = await send(encodePack([liar]));
    expect([refused.status, refused.json.code]).toEqual([422, 'block-wrong']);
    const one = encodePack([{ ...honest, payload: zstdCompressSync(zeros) }]);
    expect((await send(one)).status).toBe(200);
    const [magic, header, payload] = one as [Uint8Array, Uint8Array, Uint8Array];
    const count = Math.floor(PROTOCOL_LIMITS.maxPackPlainBytes / MAX_BLOCK_BYTES) + 1;
    const end = new Uint8Array([0xff, count, 0, 0, 0]);
    const many = Array.from({ length: count }, () => [header, payload]).flat();
    expect((await send([magic, ...many, end])).json.code).toBe('too-large');
  });

  it('of sizes near 2^53 are refused wherever they are summed', async () => {
    const huge = Number.MAX_SAFE_INTEGER;
    const part = (sizeBytes: number) => ({ block: `02${randomBytes(32).toString('hex')}`, sizeBytes });
    for (const [sizeBytes, parts] of [
      [huge, [part(huge)]],
      [huge, [part(huge), part(huge)]],
      [2 ** 53, [part(2 ** 52), part(2 ** 52)]],
    ] as const) {
      const content = {
        contentId: `03${'0'.repeat(64)}`,
        sizeBytes,
        manifest: { profile: 't32-64k', depth: 1, parts },
      };
      const entry = { kind: 'file', content, executable: false, modifiedAtUs: 0 };
      const change = {
        kind: 'create',
        entryId: createId(randomBytes(16)),
        parentId: ann.rootId,
        name: 'x',
        entry,
      };
      const answer = await server.ask('POST', `/api/v1/spaces/${ann.spaceId}/changesets`, {
        token,
        json: { changesetId: createId(randomBytes(16)), changes: [change] },
      });
      expect([sizeBytes, answer.status]).toEqual([sizeBytes, 400]);
    }
    const upload = await server.ask('POST', '/api/v1/uploads', {
      token,
      json: { path: '/huge', sizeBytes: huge },
    });
    expect([201, 400, 413]).toContain(upload.status);
    expect(upload.bytes.length).toBeLessThan(100_000);
  });
});

describe('what is handed out', () => {
  it('never runs in a browser, whatever its name and type', async () => {
    for (const name of [
      'page.html',
      'picture.svg',
      'a\r\nx-injected: 1.html',
      'quote".js',
      'é\u202Efdp.exe',
    ]) {
      const saved = await server.ask('PUT', `/api/v1/files/content?path=${encodeURIComponent(`/${name}`)}`, {
        token,
        body: '<script>alert(1)</script>',
        headers: { 'content-type': 'text/html' },
      });
      expect([200, 400]).toContain(saved.status);
      if (saved.status !== 200) continue;
      const path = `/api/v1/files/${saved.json.entry.entryId}/content`;
      for (const headers of [{}, { range: 'bytes=0-7' }]) {
        const { headers: got } = await server.ask('GET', path, { token, headers });
        expect(got.get('content-type')).toBe('application/octet-stream');
        expect(got.get('content-disposition')).toMatch(/^attachment; /);
        expect(got.get('content-security-policy')).toBe("sandbox; default-src 'none'");
        expect(got.get('x-content-type-options')).toBe('nosniff');
        expect(got.get('x-injected')).toBeNull();
      }
    }
  });
});

describe('who somebody claims to be', () => {
  it('is one account for names that look the same, and none with invisible signs', async () => {
    const register = (username: string, address: string) =>
      server.ask('POST', '/api/v1/auth/register', {
        json: { username, password: 'correct horse battery', deviceName: 'x' },
        headers: { 'x-forwarded-for': address },
      });
    expect((await register('Zoë', '1')).status).toBe(201);
    for (const same of ['zoë', 'ZOE\u0308', 'Zoe\u0308'])
      expect((await register(same, '2')).status).toBe(409);
    for (const odd of ['zo\u200be', '\u202Eann', 'a\u0000', ' ann', 'a/b', '../a', 'a\nb', '\ud800']) {
      expect([odd, (await register(odd, '3')).status]).toEqual([odd, 400]);
    }
  });
});

describe('the data folder', () => {
  it('is for its owner only, every file of it reached through a closed folder', async () => {
    const data = join(server.directory, 'data');
    expect((await stat(data)).mode & 0o077).toBe(0);
    expect((await stat(join(data, 'blocks'))).mode & 0o077).toBe(0);
    for (const name of ['secret', 'epoch']) expect((await stat(join(data, name))).mode & 0o077).toBe(0);
    expect((await readdir(data)).filter((name) => name.endsWith('.new'))).toEqual([]);
  });
});

describe('without a proxy that is trusted', () => {
  it('an address in a header changes nothing about who is counted', async () => {
    const limited = await startTestServer({ limits: { signInRequests: 0.02, anonymousRequests: 0.02 } });
    try {
      const statuses: number[] = [];
      for (let index = 0; index < 4; index++) {
        const headers = { 'x-forwarded-for': `203.0.113.${index}`, forwarded: `for=203.0.113.${index}` };
        statuses.push((await limited.ask('GET', '/api/v1/server', { headers })).status);
      }
      expect(statuses).toEqual([200, 200, 429, 429]);
    } finally {
      await limited.close();
    }
  });
});

it('a stop ends within its time although somebody keeps sending', async () => {
  const stopping = await startTestServer({ drainMs: 300 });
  const user = await stopping.register('ann');
  const sent = httpRequest(`${stopping.url}/api/v1/files/content?path=/endless`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${user.accessToken}`, 'transfer-encoding': 'chunked' },
  });
  const cut = new Promise<void>((resolve) => sent.on('error', () => resolve()).on('close', () => resolve()));
  const arrived = new Promise((resolve) => stopping.running.app.server.once('request', resolve));
  sent.write(randomBytes(100_000));
  await arrived;
  const start = performance.now();
  await stopping.running.stop();
  const tookMs = performance.now() - start;
  expect(tookMs).toBeGreaterThan(250);
  expect(tookMs).toBeLessThan(30_000);
  await cut;
  await stopping.close();
});
