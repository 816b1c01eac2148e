import { createNodePlatform } from '@cairn/content';
import { createSystemEnvironment } from '@cairn/environment';
import type { Cursor, DeviceId, EntryId, Epoch, SpaceId, UserId } from '@cairn/model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Client, createClient } from './client.ts';
import { createNodeTransport } from './node/node-transport.ts';
import type { RetryPolicy } from './retry.ts';
import { createMemorySessionStore, type SessionRecord } from './session-store.ts';
import { type Peer, sendJson, sendProblem, startPeer } from './testing/peer.ts';

const ID = 'a'.repeat(26);
const QUICK: RetryPolicy = { attempts: 3, firstDelayMs: 1, maxDelayMs: 2, maxRetryAfterMs: 3_000 };
const GOOD = { product: 'cairn', protocolVersion: 1, version: '0.1.0', signUp: 'open', setUpNeeded: false };
const CURSOR: Cursor = { epoch: ID as Epoch, sequence: 4, hash: '0'.repeat(16) };

function recordFor(serverUrl: string): SessionRecord {
  return {
    serverUrl,
    user: { userId: ID as UserId, username: 'ann', role: 'member' },
    device: { deviceId: ID as DeviceId, name: 'Laptop' },
    spaceId: ID as SpaceId,
    rootId: ID as EntryId,
    accessToken: 'access-1',
    accessTokenExpiresAt: Date.now() + 3_600_000,
    receivedAt: Date.now(),
    refreshToken: 'refresh-1',
  };
}

describe('what is not an answer of a Cairn server', () => {
  let peer: Peer;
  let client: Client;

  beforeEach(async () => {
    peer = await startPeer((_request, response) => sendJson(response, 200, GOOD));
    client = createClient({
      transport: createNodeTransport({ serverUrl: peer.url, idleTimeoutMs: 500 }),
      store: createMemorySessionStore(recordFor(peer.url)),
      environment: createSystemEnvironment(),
      platform: createNodePlatform(),
      retry: QUICK,
    });
  });
  afterEach(async () => {
    client.close();
    await peer.close();
  });

  async function changes(): Promise<unknown> {
    const space = await client.personalSpace();
    return space.changes(CURSOR, { waitMs: 0 });
  }

  it('understands a good answer', async () => {
    expect(await client.account.server()).toEqual(GOOD);
    expect(client.transport.sentBytes).toBeGreaterThan(50);
    expect(client.transport.receivedBytes).toBeGreaterThan(50);
  });

  it.each([
    ['a login page with status 200', 200, 'text/html', '<html>Welcome to the hotel</html>'],
    ['JSON that is none', 200, 'application/json', '{"changes": ['],
    ['JSON of another product', 200, 'application/json', '{"hello":"world"}'],
    ['an empty object', 200, 'application/json', '{}'],
    ['nothing at all', 200, '', ''],
    ['a redirect', 302, 'text/html', ''],
    ['a 404 of a web server', 404, 'text/html', '<h1>Not Found</h1>'],
    ['a 403 of a proxy', 403, 'text/plain', 'no'],
    ['problem JSON with an unknown code', 404, 'application/problem+json', '{"code":"teapot","detail":"x"}'],
  ])('%s is never an empty list of changes', async (_name, status, type, body) => {
    peer.answer((_request, response) => {
      response.writeHead(status, type === '' ? {} : { 'content-type': type });
      response.end(body);
    });
    await expect(changes()).rejects.toMatchObject({ code: 'not-a-cairn-server' });
    expect(peer.requests).toHaveLength(1);
  });

  it.each([
    [500, 'unavailable'],
    [502, 'unavailable'],
    [503, 'unavailable'],
    [429, 'unavailable'],
    [408, 'server-unreachable'],
    [507, 'storage-full'],
    [413, 'too-large'],
  ])('HTTP %i without problem details is %s', async (status, code) => {
    peer.answer((_request, response) => {
      response.writeHead(status, { 'content-type': 'text/plain' });
      response.end('sorry');
    });
    await expect(changes()).rejects.toMatchObject({ code });
    const repeats = code === 'unavailable' || code === 'server-unreachable';
    expect(peer.requests).toHaveLength(repeats ? QUICK.attempts : 1);
  });

  it('carries code, words, details and request id of a problem', async () => {
    peer.answer((_request, response) => sendProblem(response, 410, 'cursor-unknown', { horizon: 7 }));
    await expect(changes()).rejects.toMatchObject({
      code: 'cursor-unknown',
      message: 'because of cursor-unknown',
      details: { horizon: 7, requestId: 'r1', status: 410 },
    });
  });

  it('waits as long as Retry-After says, and not when that is too long', async () => {
    let asked = 0;
    peer.answer((_request, response) => {
      if (asked++ > 0) return sendJson(response, 200, GOOD);
      response.setHeader('retry-after', '1');
      sendProblem(response, 503, 'unavailable');
    });
    const startedAt = performance.now();
    await client.account.server();
    expect(performance.now() - startedAt).toBeGreaterThan(950);
    peer.answer((_request, response) => {
      response.setHeader('retry-after', '600');
      sendProblem(response, 503, 'unavailable');
    });
    await expect(client.account.server()).rejects.toMatchObject({
      code: 'unavailable',
      details: { retryAfterMs: 600_000 },
    });
  });

  it('an answer cut in the middle is repeated, then an error', async () => {
    const whole = JSON.stringify(GOOD);
    let asked = 0;
    const cut = (response: import('node:http').ServerResponse): void => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': whole.length });
      response.write(whole.slice(0, 20), () => response.destroy());
    };
    peer.answer((_request, response) => (asked++ === 0 ? cut(response) : sendJson(response, 200, GOOD)));
    expect(await client.account.server()).toEqual(GOOD);
    peer.answer((_request, response) => cut(response));
    await expect(client.account.server()).rejects.toMatchObject({ code: 'server-unreachable' });
  });

  it('a server that falls silent is unreachable after the idle timeout', async () => {
    peer.answer(() => undefined);
    await expect(client.account.logout()).resolves.toEqual({ toldServer: false });
  });

  it('never repeats what must happen once', async () => {
    peer.answer((_request, response) => {
      response.destroy();
    });
    await expect(
      client.account.register({ username: 'ann', password: 'x', deviceName: 'd' }),
    ).rejects.toMatchObject({ code: 'server-unreachable' });
    expect(peer.requests).toHaveLength(1);
  });

  it('a request that is aborted ends at once with the reason', async () => {
    peer.answer(() => undefined);
    const stop = new AbortController();
    const asked = client.account.server(stop.signal);
    setTimeout(() => stop.abort(new Error('enough')), 20);
    await expect(asked).rejects.toThrow('enough');
  });

  it('a closed port says what to do', async () => {
    await peer.close();
    await expect(client.account.server()).rejects.toMatchObject({
      code: 'server-unreachable',
      message: expect.stringContaining('cairn serve'),
    });
    peer = await startPeer(() => undefined);
  });

  it('refuses to send a password in clear over a network', () => {
    const transport = createNodeTransport({ serverUrl: 'http://192.0.2.1:8000' });
    const options = {
      transport,
      store: createMemorySessionStore(),
      environment: createSystemEnvironment(),
      platform: createNodePlatform(),
    };
    expect(() => createClient(options)).toThrow(/CAIRN_ALLOW_HTTP/);
    expect(() => createClient({ ...options, allowHttp: true })).not.toThrow();
  });
});
