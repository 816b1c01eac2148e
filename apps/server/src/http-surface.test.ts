import { createHash, randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { listRoutes } from '@cairn/http-api';
import type { BlockId } from '@cairn/model';
import { encodePack, PROTOCOL_LIMITS, problemSchema, type SignedIn } from '@cairn/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, startTestServer, type TestServer } from './testing/test-server.ts';

let server: TestServer;
let ann: SignedIn;
let token: string;

beforeAll(async () => {
  server = await startTestServer({ limits: { pingIntervalMs: 200 } });
  ann = await server.register('ann');
  token = ann.accessToken;
});
afterAll(async () => server.close());

/** A request byte for byte, as no well-behaved client would send it. */
function raw(path: string, headers: Record<string, string>, body: Uint8Array | string, method = 'POST') {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const sent = httpRequest(`${server.url}${path}`, { method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function put(path: string, body: Uint8Array | string, headers: Record<string, string> = {}) {
  return server.ask('PUT', `/api/v1/files/content?path=${encodeURIComponent(path)}`, {
    token,
    body,
    headers,
  });
}

describe('errors', () => {
  it('are problem details with a request id that is in the log, whatever went wrong', async () => {
    const login = '/api/v1/auth/login';
    const json = { 'content-type': 'application/json' };
    const cases: [string, Promise<{ status: number; text: string }>][] = [
      ['404', server.ask('GET', '/api/v1/nothing')],
      ['404', server.ask('GET', '/api/v1/%2e%2e/%2e%2e/etc/passwd')],
      ['401', server.ask('GET', '/api/v1/me')],
      ['404', server.ask('PUT', '/api/v1/me', { token, json: {} })],
      ['400', server.ask('POST', login, { body: '{"username":', headers: json })],
      ['400', server.ask('POST', login, { json: [] })],
      ['400', server.ask('POST', login, { json: null })],
      ['400', server.ask('POST', login)],
      ['415', server.ask('POST', login, { body: 'a=b', headers: { 'content-type': 'text/plain' } })],
      [
        '413',
        server.ask('POST', login, { body: 'x'.repeat(PROTOCOL_LIMITS.maxJsonBytes + 1), headers: json }),
      ],
      ['400', server.ask('GET', '/api/v1/files?path=..%2Fx', { token })],
      ['400', server.ask('GET', '/api/v1/files?path=/&path=/', { token })],
      ['400', server.ask('GET', '/api/v1/files?path=/&include=secret', { token })],
      ['400', server.ask('GET', `/api/v1/files/${ann.rootId.toUpperCase()}`, { token })],
      ['409', server.ask('GET', `/api/v1/files/${ann.rootId}/content`, { token })],
      ['426', server.ask('GET', '/api/v1/me', { token, headers: { 'x-cairn-protocol': '99' } })],
    ];
    for (const [status, asked] of cases) {
      const answer = await asked;
      const problem = problemSchema.parse(JSON.parse(answer.text));
      expect([String(answer.status), problem.status]).toEqual([status, Number(status)]);
      expect(problem.detail.length).toBeGreaterThan(10);
      expect(answer.text).not.toMatch(/node:|\.ts:|at \w+ \(/);
      expect(server.logged.some((line) => line.includes(problem.requestId))).toBe(true);
    }
    const answer = await server.ask('GET', '/api/v1/me');
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.headers.get('x-request-id')).toBe(answer.json.requestId);
  });

  it('come for names that reach prototypes and text that is not Unicode', async () => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    const bodies = [
      '{"path":"/a","__proto__":{"role":"administrator"}}',
      '{"path":"/a","constructor":{"prototype":{"x":1}}}',
      '{"path":"/a\\ud800b"}',
      '{"path":"/\\uDFFF"}',
      '{"path":"/a","\\ud800":1}',
    ];
    for (const body of bodies) expect((await raw('/api/v1/folders', headers, body)).status).toBe(400);
    const invalid = Buffer.concat([
      Buffer.from('{"path":"/a'),
      Buffer.of(0xed, 0xa0, 0x80),
      Buffer.from('"}'),
    ]);
    expect((await raw('/api/v1/folders', headers, invalid)).status).toBe(400);
    for (const query of ['__proto__=x&path=/', '__proto__[role]=x&path=/', 'path=%ED%A0%80', 'path=%00']) {
      const { status } = await server.ask('GET', `/api/v1/files?${query}`, { token });
      expect({ query, status }).toEqual({ query, status: 400 });
    }
    expect(
      (await server.ask('POST', '/api/v1/folders', { token, json: { path: '/pair \u{1f600}' } })).status,
    ).toBe(201);
  });

  it('come for packs that are too large, cut off or of another type', async () => {
    const path = `/api/v1/spaces/${ann.spaceId}/packs`;
    const headers = { 'content-type': 'application/vnd.cairn.pack' };
    const large = await server.ask('POST', path, {
      token,
      headers,
      body: new Uint8Array(PROTOCOL_LIMITS.maxPackBytes + 1),
    });
    expect([large.status, large.json.code]).toEqual([413, 'too-large']);
    const cut = await server.ask('POST', path, { token, headers, body: 'CPK1' });
    expect([cut.status, cut.json.problem]).toEqual([400, 'truncated']);
    const other = await server.ask('POST', path, {
      token,
      headers: { 'content-type': 'text/plain' },
      body: 'CPK1',
    });
    expect(other.status).toBe(415);
    expect((await server.ask('POST', path, { token })).status).toBe(400);
  });
});

describe('files over plain HTTP', () => {
  it('are uploaded, downloaded, resumed and not downloaded again when they are the same', async () => {
    const body = randomBytes(200_000);
    const saved = await put('/big "é".bin', body);
    expect(saved.status).toBe(200);
    const path = `/api/v1/files/${saved.json.entry.entryId}/content`;
    const whole = await server.ask('GET', path, { token });
    expect(Buffer.from(whole.bytes).equals(body)).toBe(true);
    expect(Object.fromEntries(whole.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '200000',
      'accept-ranges': 'bytes',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "sandbox; default-src 'none'",
      'content-disposition':
        `attachment; filename="big ____.bin"; filename*=UTF-8''big%20%22%C3%A9%22.bin`.replace('____', '___'),
    });
    const etag = whole.headers.get('etag') as string;
    expect(etag).toBe(`"${saved.json.entry.contentId}"`);

    const part = await server.ask('GET', path, { token, headers: { range: 'bytes=150000-' } });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 150000-199999/200000']);
    expect(Buffer.from(part.bytes).equals(body.subarray(150_000))).toBe(true);
    const outside = await server.ask('GET', path, { token, headers: { range: 'bytes=200000-' } });
    expect([outside.status, outside.headers.get('content-range')]).toEqual([416, 'bytes */200000']);
    const many = `bytes=${Array.from({ length: 1000 }, (_, index) => `${index}-`).join(',')}`;
    expect((await server.ask('GET', path, { token, headers: { range: many } })).status).toBe(200);
    const stale = await server.ask('GET', path, {
      token,
      headers: { range: 'bytes=5-9', 'if-range': '"x"' },
    });
    expect(stale.status).toBe(200);

    const same = await server.ask('GET', path, { token, headers: { 'if-none-match': etag } });
    expect([same.status, same.bytes.length]).toEqual([304, 0]);
    const head = await server.ask('HEAD', path, { token });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '200000']);

    expect((await put('/big "é".bin', 'new', { 'if-match': `"03${'a'.repeat(64)}"` })).status).toBe(412);
    expect((await put('/big "é".bin', 'new', { 'if-none-match': '*' })).status).toBe(412);
    expect((await put('/big "é".bin', 'new', { 'if-match': etag })).status).toBe(200);
    expect((await put('/big "é".bin', 'new', { 'if-match': 'nonsense' })).status).toBe(400);
  });

  it('may be empty, and need no content type', async () => {
    const headers = { authorization: `Bearer ${token}`, 'content-length': '0' };
    const answer = await raw('/api/v1/files/content?path=/empty', headers, '', 'PUT');
    expect(answer.status).toBe(200);
    const { entry } = JSON.parse(answer.text);
    const content = await server.ask('GET', `/api/v1/files/${entry.entryId}/content`, { token });
    expect([content.status, content.bytes.length]).toEqual([200, 0]);
    const typed = await put('/typed.json', '{"not": parsed', { 'content-type': 'application/json' });
    expect(typed.status).toBe(200);
  });

  it('are not saved when the connection breaks on the way', async () => {
    await new Promise<void>((resolve) => {
      const sent = httpRequest(`${server.url}/api/v1/files/content?path=/broken`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}`, 'transfer-encoding': 'chunked' },
      });
      sent.on('error', () => resolve());
      sent.write(randomBytes(100_000), () => sent.destroy());
      sent.on('close', () => resolve());
    });
    expect((await server.ask('GET', '/api/v1/files?path=/broken', { token })).status).toBe(404);
  });
});

describe('the journal', () => {
  async function cursorNow(): Promise<string> {
    return (await server.ask('GET', `/api/v1/spaces/${ann.spaceId}/snapshot?limit=1`, { token })).json.cursor;
  }

  it('answers a long poll as soon as something changes', async () => {
    const cursor = await cursorNow();
    const poll = server.ask(
      'GET',
      `/api/v1/sync/changes?spaceId=${ann.spaceId}&cursor=${cursor}&waitMs=30000`,
      { token },
    );
    await server.ask('POST', '/api/v1/folders', { token, json: { path: `/poll ${Math.random()}` } });
    const start = performance.now();
    const answer = await poll;
    expect(answer.json.changes.length).toBe(1);
    expect(performance.now() - start).toBeLessThan(25_000);
  });

  it('answers empty when nothing changes, and ends a poll when the device is revoked', async () => {
    const cursor = await cursorNow();
    const path = `/api/v1/sync/changes?spaceId=${ann.spaceId}&cursor=${cursor}`;
    expect((await server.ask('GET', `${path}&waitMs=30`, { token })).json.changes).toEqual([]);
    const phone = await server.login('ann', 'Phone');
    const poll = server.ask('GET', `${path}&waitMs=30000`, { token: phone.accessToken });
    await server.ask('DELETE', `/api/v1/devices/${phone.device.deviceId}`, { token });
    expect((await poll).json.code).toBe('session-revoked');
    const foreign = cursor.replace(/^.{26}/, 'a'.repeat(26));
    const unknown = await server.ask('GET', `/api/v1/sync/changes?spaceId=${ann.spaceId}&cursor=${foreign}`, {
      token,
    });
    expect([unknown.status, unknown.json.code]).toEqual([410, 'cursor-unknown']);
  });
});

describe('events', () => {
  interface Listener {
    readonly messages: string[];
    readonly opened: Promise<boolean>;
    readonly closed: Promise<number>;
    waitFor(matches: (text: string) => boolean): Promise<string>;
    readonly socket: WebSocket;
  }

  function listen(accessToken: string | null): Listener {
    const url = `${server.url.replace('http', 'ws')}/api/v1/sync/events`;
    const headers = accessToken === null ? {} : { authorization: `Bearer ${accessToken}` };
    const socket = new WebSocket(url, { headers } as never);
    const messages: string[] = [];
    const waiters = new Set<() => void>();
    socket.onmessage = ({ data }) => {
      messages.push(String(data));
      for (const wake of waiters) wake();
    };
    return {
      socket,
      messages,
      opened: new Promise((resolve) => {
        socket.addEventListener('open', () => resolve(true));
        socket.addEventListener('error', () => resolve(false));
      }),
      closed: new Promise((resolve) => socket.addEventListener('close', ({ code }) => resolve(code))),
      waitFor: (matches) =>
        new Promise((resolve) => {
          const look = () => {
            const found = messages.find(matches);
            if (found === undefined) return;
            waiters.delete(look);
            resolve(found);
          };
          waiters.add(look);
          look();
        }),
    };
  }

  it('are hints of one’s own spaces only, and stay open over pings', async () => {
    const bob = await server.register('bob');
    const [own, other] = [listen(token), listen(bob.accessToken)];
    await own.waitFor((text) => text.includes(ann.spaceId));
    await other.waitFor((text) => text.includes(bob.spaceId));
    const made = await server.ask('POST', '/api/v1/folders', { token, json: { path: '/hinted' } });
    const { sequence } = made.json.entry;
    const hint = await own.waitFor((text) => JSON.parse(text).sequence === sequence);
    expect(JSON.parse(hint)).toEqual({ type: 'hint', spaceId: ann.spaceId, sequence });
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(own.socket.readyState).toBe(WebSocket.OPEN);
    expect(other.messages.join()).not.toContain(ann.spaceId);
    for (const { socket, closed } of [own, other]) {
      socket.close();
      await closed;
    }
  });

  it('of files on their way go to the other devices of the account only, and only they can read the blocks', async () => {
    const phone = await server.login('ann', 'Phone');
    const carl = await server.register('carl');
    const listeners = [token, phone.accessToken, carl.accessToken].map((each) => listen(each));
    const [sender, other, stranger] = listeners as [Listener, Listener, Listener];
    for (const { waitFor } of listeners) await waitFor((text) => text.includes('hint'));
    const payload = randomBytes(100);
    const block = `01${createHash('sha256').update(payload).digest('hex')}` as BlockId;
    const stored = await server.ask('POST', `/api/v1/spaces/${ann.spaceId}/packs`, {
      token,
      body: new Uint8Array(
        Buffer.concat(
          encodePack([{ blockId: block, kind: 'chunk', codec: 'raw', plainBytes: 100, payload }]),
        ),
      ),
      headers: { 'content-type': 'application/vnd.cairn.pack' },
    });
    expect(stored.status).toBe(200);
    const announcement = {
      transferId: 't'.repeat(26),
      entryId: 'e'.repeat(26),
      parentId: ann.rootId,
      name: 'film',
      sizeBytes: 100,
      chunks: [{ position: 0, block, sizeBytes: 100 }],
    };
    const path = `/api/v1/spaces/${ann.spaceId}/announcements`;
    expect((await server.ask('POST', path, { token, json: announcement })).status).toBe(204);
    const heard = JSON.parse(await other.waitFor((text) => text.includes('announcement')));
    expect(heard).toEqual({ type: 'announcement', spaceId: ann.spaceId, announcement });
    const read = (accessToken: string, spaceId: string) =>
      server.ask('POST', `/api/v1/spaces/${spaceId}/blocks/read`, {
        token: accessToken,
        json: { blockIds: [block] },
      });
    expect((await read(phone.accessToken, ann.spaceId)).status).toBe(200);
    expect((await read(carl.accessToken, carl.spaceId)).status).toBe(404);
    // Whatever came to them before this would be here by now.
    const made = await server.ask('POST', '/api/v1/folders', { token, json: { path: '/after it' } });
    await sender.waitFor((text) => JSON.parse(text).sequence === made.json.entry.sequence);
    await server.ask('POST', '/api/v1/folders', { token: carl.accessToken, json: { path: '/his' } });
    await stranger.waitFor((text) => JSON.parse(text).sequence > 0);
    for (const { messages } of [sender, stranger]) expect(messages.join()).not.toContain('announcement');
    const tooMany = { ...announcement, chunks: Array(257).fill(announcement.chunks[0]) };
    expect((await server.ask('POST', path, { token, json: tooMany })).status).toBe(400);
    for (const { socket, closed } of listeners) {
      socket.close();
      await closed;
    }
  });

  it('end at once when the device is revoked', async () => {
    const phone = await server.login('ann', 'Phone');
    const listener = listen(phone.accessToken);
    await listener.waitFor((text) => text.includes('hint'));
    const start = performance.now();
    await server.ask('DELETE', `/api/v1/devices/${phone.device.deviceId}`, { token });
    expect(await listener.closed).toBe(4001);
    // Without the revocation it would stay open.
    expect(performance.now() - start).toBeLessThan(15_000);
    expect(listener.messages.at(-1)).toBe('{"type":"revoked"}');
    expect(await listen(phone.accessToken).opened).toBe(false);
    expect(await listen(null).opened).toBe(false);
  });

  it('are not for those who talk without end', async () => {
    const listener = listen(token);
    await listener.waitFor((text) => text.includes('hint'));
    for (let index = 0; index < 300; index++) listener.socket.send('x');
    expect(await listener.closed).toBe(1008);
  });
});

describe('documentation and operation', () => {
  it('describes every route in an OpenAPI 3.1 document', async () => {
    const { json: document } = await server.ask('GET', '/api/v1/openapi.json');
    expect(document.openapi).toBe('3.1.0');
    expect(document.info).toMatchObject({ title: 'Cairn', version: expect.any(String) });
    const hidden = new Set(['/', '/metrics', '/api/v1/openapi.json']);
    for (const { method, url } of listRoutes(server.running.app)) {
      if (url.startsWith('/docs') || hidden.has(url) || method === 'HEAD') continue;
      const path = url.replace(/:(\w+)/g, '{$1}');
      const operation = document.paths[path]?.[method.toLowerCase()];
      expect({ method, path, found: operation !== undefined }).toEqual({ method, path, found: true });
      expect(operation.summary.length).toBeGreaterThan(3);
      expect(Object.keys(operation.responses)).toContain('default');
      const named = (operation.parameters ?? [])
        .filter((parameter: { in: string }) => parameter.in === 'path')
        .map(({ name }: { name: string }) => name);
      expect(named.sort()).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort());
    }
    const text = JSON.stringify(document);
    for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) {
      expect(document.components.schemas).toHaveProperty([name as string]);
    }
  });

  it('shows the documentation under a policy that lets nothing else in', async () => {
    const page = await server.ask('GET', '/docs/');
    expect(page.status).toBe(200);
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('upgrade-insecure-requests');
    expect(page.text).not.toMatch(/<script(?![^>]*src=)[^>]*>[^<]/);
    for (const [, file] of page.text.matchAll(/(?:src|href)="\.?\/?((?:docs\/)?static\/[^"]+)"/g)) {
      const answer = await server.ask('GET', `/docs/${(file as string).replace(/^docs\//, '')}`);
      expect({ file, status: answer.status }).toEqual({ file, status: 200 });
    }
  });

  it('has a start page without scripts, and strict headers', async () => {
    const page = await server.ask('GET', '/');
    expect(page.text).toContain('cairn signup');
    expect(page.text).not.toContain('<script');
    expect(Object.fromEntries(page.headers)).toMatchObject({
      'content-security-policy': expect.stringMatching(/^default-src 'none';style-src 'sha256-[^']+'/),
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    expect(page.headers.get('server') ?? page.headers.get('x-powered-by')).toBeNull();
    const foreign = await server.ask('GET', '/api/v1/server', {
      headers: { origin: 'https://evil.example' },
    });
    expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('is healthy and measured, the latter not for those who come through a proxy', async () => {
    expect((await server.ask('GET', '/health')).json).toEqual({
      status: 'ok',
      dependencies: { metadata: { status: 'ok' }, blocks: { status: 'ok' } },
    });
    const { text } = await server.ask('GET', '/metrics');
    for (const name of [
      'cairn_http_request_seconds_bucket',
      'cairn_websockets',
      'cairn_commits_total',
      'cairn_http_body_bytes_total{direction="in"}',
      'cairn_block_store{measure="blocks"}',
      'cairn_metadata_rows{kind="users"}',
      'cairn_gc_runs 0',
      'cairn_gc_waiting_blocks',
      'cairn_gc_last_run_timestamp_seconds Nan',
      'cairn_dangling_references Nan',
      'process_cpu_seconds_total',
    ]) {
      expect(text).toContain(name);
    }
    expect(text).not.toContain(ann.rootId);
    const proxied = { 'x-forwarded-for': '203.0.113.9' };
    expect((await server.ask('GET', '/metrics', { headers: proxied })).status).toBe(401);
    expect((await server.ask('GET', '/metrics', { headers: proxied, token })).status).toBe(200);
  });

  it('never logs secrets', async () => {
    const phone = await server.login('ann', 'Phone');
    const refreshed = await server.ask('POST', '/api/v1/auth/refresh', {
      json: { refreshToken: phone.refreshToken },
    });
    await server.ask('POST', '/api/v1/auth/login', {
      json: { username: 'ann', password: 'a wrong secret', deviceName: 'x' },
    });
    await server.ask('POST', '/api/v1/auth/login', {
      body: `{"password":"${PASSWORD}"`,
      headers: { 'content-type': 'application/json' },
    });
    await server.ask('GET', '/api/v1/files?path=/private-name', { token });
    const log = server.logged.join('\n');
    expect(log.length).toBeGreaterThan(1000);
    const secrets = [
      PASSWORD,
      'a wrong secret',
      'private-name',
      phone.accessToken,
      phone.refreshToken,
      refreshed.json.refreshToken,
      token,
    ];
    for (const secret of secrets) expect(log.includes(secret)).toBe(false);
  });
});
