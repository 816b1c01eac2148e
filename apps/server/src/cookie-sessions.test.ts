import http from 'node:http';
import { createConnection } from 'node:net';
import { signedInByCookieSchema } from '@cairn/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type CookieJar, createCookieJar } from './testing/cookie-jar.ts';
import { PASSWORD, startTestServer, type TestServer } from './testing/test-server.ts';

let server: TestServer;
let people = 0;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => server.close());

/** Somebody new in a browser of their own. */
async function signUp(): Promise<CookieJar & { readonly username: string; readonly deviceId: string }> {
  const browser = createCookieJar(server);
  const username = `person${++people}`;
  const answer = await browser.ask('POST', '/api/v1/auth/register', {
    json: { username, password: PASSWORD, deviceName: 'Firefox', session: 'cookie' },
  });
  expect(answer.status).toBe(201);
  const { device } = signedInByCookieSchema.parse(answer.json);
  return { ...browser, username, deviceId: device.deviceId };
}

describe('a session by cookie', () => {
  it('gives the tokens to the browser only, out of the reach of scripts', async () => {
    const browser = createCookieJar(server);
    const json = { username: 'ann', password: PASSWORD, deviceName: 'Firefox', session: 'cookie' };
    const registered = await browser.ask('POST', '/api/v1/auth/register', { json });
    const loggedIn = await browser.ask('POST', '/api/v1/auth/login', { json });
    for (const answer of [registered, loggedIn]) {
      expect(answer.text).not.toContain('cairn_refresh_');
      expect(answer.json).not.toHaveProperty('accessToken');
      expect(answer.json).not.toHaveProperty('refreshToken');
      const [access, refresh] = answer.headers.getSetCookie();
      expect(access).toMatch(/^cairn_access=[^;]+; Max-Age=15552000; Path=\/; HttpOnly; SameSite=Strict$/);
      expect(refresh).toMatch(
        /^cairn_refresh=[^;]+; Max-Age=15552000; Path=\/api\/v1\/auth; HttpOnly; SameSite=Strict$/,
      );
    }
    expect((await browser.ask('GET', '/api/v1/me')).json.user.username).toBe('ann');
    expect(server.logged.join('\n')).not.toContain(browser.get('cairn_access'));
  });

  it('renews and ends by the cookies alone', async () => {
    const browser = await signUp();
    const before = browser.get('cairn_refresh');
    const renewed = await browser.ask('POST', '/api/v1/auth/refresh', { json: {} });
    expect(renewed.status).toBe(200);
    expect(signedInByCookieSchema.parse(renewed.json).user.username).toBe(browser.username);
    expect(browser.get('cairn_refresh')).not.toBe(before);
    expect((await browser.ask('GET', '/api/v1/me')).status).toBe(200);
    // Without any body, too.
    expect((await browser.ask('POST', '/api/v1/auth/refresh')).status).toBe(200);

    const kept = browser.get('cairn_access');
    expect((await browser.ask('POST', '/api/v1/auth/logout', { json: {} })).status).toBe(204);
    expect(browser.get('cairn_access')).toBe('');
    expect(browser.get('cairn_refresh')).toBe('');
    expect((await browser.ask('GET', '/api/v1/me')).json.code).toBe('not-signed-in');
    const again = await server.ask('GET', '/api/v1/me', { headers: { cookie: `cairn_access=${kept}` } });
    expect(again.json.code).toBe('session-revoked');
  });

  it('leaves programs as they were, and takes no cookie where a token is sent', async () => {
    const program = await server.register('script');
    const browser = await signUp();
    const asked = { token: program.accessToken, headers: { cookie: browser.header() } };
    expect((await server.ask('GET', '/api/v1/me', asked)).json.user.username).toBe('script');
    // A token needs no header of the web app's.
    const folder = { ...asked, json: { path: '/by-token' } };
    expect((await server.ask('POST', '/api/v1/folders', folder)).status).toBe(201);
    const wrong = { ...asked, token: 'wrong' };
    expect((await server.ask('GET', '/api/v1/me', wrong)).json.code).toBe('not-signed-in');
    const json = { refreshToken: program.refreshToken };
    const refreshed = await server.ask('POST', '/api/v1/auth/refresh', { json });
    expect(refreshed.json.refreshToken).toMatch(/^cairn_refresh_/);
    expect(refreshed.headers.getSetCookie()).toEqual([]);
  });

  it('has Secure cookies where a trusted proxy says https, and nobody else', async () => {
    const headers = { 'x-forwarded-proto': 'https' };
    const json = { username: 'tess', password: PASSWORD, deviceName: 'Firefox', session: 'cookie' };
    const plain = await createCookieJar(server).ask('POST', '/api/v1/auth/register', { json, headers });
    expect(plain.headers.getSetCookie().join('\n')).not.toContain('Secure');
    const behindProxy = await startTestServer({ trustedProxies: ['127.0.0.1'] });
    try {
      for (const [protocol, isSecure] of [
        ['https', true],
        ['http', false],
      ] as const) {
        const answer = await createCookieJar(behindProxy).ask('POST', '/api/v1/auth/register', {
          json: { ...json, username: protocol },
          headers: {
            'x-forwarded-proto': protocol,
            'x-forwarded-host': 'cairn.example',
            origin: `${protocol}://cairn.example`,
          },
        });
        expect(answer.status).toBe(201);
        for (const cookie of answer.headers.getSetCookie()) expect(/; Secure/.test(cookie)).toBe(isSecure);
      }
    } finally {
      await behindProxy.close();
    }
  });
});

describe('another site', () => {
  const own = () => new URL(server.url).host;
  /** What a browser says of where a request comes from, and whether that may change something. */
  const ORIGINS: readonly [string, () => Record<string, string>, boolean][] = [
    ['this server', () => ({ origin: server.url }), true],
    ['this server, fetch metadata', () => ({ origin: server.url, 'sec-fetch-site': 'same-origin' }), true],
    ['this server behind TLS that the server does not see', () => ({ origin: `https://${own()}` }), true],
    ['a program without either', () => ({}), true],
    ['another site', () => ({ origin: 'https://evil.example' }), false],
    ['another port', () => ({ origin: 'http://127.0.0.1:1' }), false],
    ['a name that begins alike', () => ({ origin: `http://${own()}.evil.example` }), false],
    ['a name in the user part', () => ({ origin: `http://${own()}@evil.example` }), false],
    ['nowhere', () => ({ origin: 'null' }), false],
    ['an extension', () => ({ origin: `moz-extension://${own()}` }), false],
    ['a sister site', () => ({ 'sec-fetch-site': 'same-site' }), false],
    ['another site, by fetch metadata alone', () => ({ 'sec-fetch-site': 'cross-site' }), false],
    ['a contradiction', () => ({ origin: server.url, 'sec-fetch-site': 'cross-site' }), false],
  ];

  it.each(ORIGINS)('%s', async (_name, headersOf, isAllowed) => {
    const browser = await signUp();
    const headers = headersOf();
    const change = { json: { path: '/made', parents: true }, headers };
    const made = await browser.ask('POST', '/api/v1/folders', change);
    if (isAllowed) expect(made.status).toBe(201);
    else expect([made.status, made.json.code]).toEqual([403, 'cross-site']);
    const refreshed = await browser.ask('POST', '/api/v1/auth/refresh', { json: {}, headers });
    expect(refreshed.status).toBe(isAllowed ? 200 : 403);
    const json = { username: browser.username, password: PASSWORD, deviceName: 'x', session: 'cookie' };
    const login = await browser.ask('POST', '/api/v1/auth/login', { json, headers });
    expect(login.status).toBe(isAllowed ? 200 : 403);
    expect(login.headers.getSetCookie().length).toBe(isAllowed ? 2 : 0);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('cannot %s without the header', async (method) => {
    const browser = await signUp();
    const path = {
      POST: '/api/v1/folders',
      PUT: '/api/v1/files/content?path=/a',
      PATCH: `/api/v1/files/${'a'.repeat(26)}`,
      DELETE: '/api/v1/trash',
    }[method] as string;
    for (const value of [undefined, '', 'WEB', 'other']) {
      const headers: Record<string, string> = { cookie: browser.header(), origin: server.url };
      if (value !== undefined) headers['x-cairn-request'] = value;
      const answer = await server.ask(method, path, { headers });
      expect([answer.status, answer.json.code]).toEqual([403, 'cross-site']);
    }
  });

  it('may be linked from, but may embed nothing', async () => {
    const browser = await signUp();
    // Not by `fetch`, which says itself how it fetches.
    const get = (headers: Record<string, string>) =>
      new Promise<number>((resolve, reject) => {
        const options = { headers: { cookie: browser.header(), ...headers } };
        const request = http.get(`${server.url}/api/v1/me`, options, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        });
        request.on('error', reject);
      });
    expect(await get({})).toBe(200);
    expect(await get({ 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' })).toBe(200);
    expect(await get({ 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'navigate' })).toBe(200);
    expect(await get({ 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'no-cors' })).toBe(200);
    expect(await get({ 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' })).toBe(403);
    expect(await get({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' })).toBe(403);
  });

  it('gets no leave from the answers to send what it may not', async () => {
    const headers = {
      origin: 'https://evil.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'x-cairn-request',
    };
    const preflight = await server.ask('OPTIONS', '/api/v1/folders', { headers });
    expect(preflight.status).toBe(404);
    const names = [...preflight.headers.keys()].filter((name) => name.startsWith('access-control-'));
    expect(names).toEqual([]);
  });
});

describe('a stolen refresh cookie', () => {
  it('signs the browser out when it is used after its successor was', async () => {
    const browser = await signUp();
    const stolen = browser.header();
    const steal = () =>
      server.ask('POST', '/api/v1/auth/refresh', { headers: { cookie: stolen, 'x-cairn-request': 'web' } });
    await browser.ask('POST', '/api/v1/auth/refresh', { json: {} });
    await browser.ask('POST', '/api/v1/auth/refresh', { json: {} });
    const thief = await steal();
    expect(thief.json.code).toBe('session-revoked');
    expect(thief.headers.getSetCookie().every((cookie) => /=; /.test(cookie))).toBe(true);
    expect((await browser.ask('GET', '/api/v1/me')).json.code).toBe('session-revoked');
    expect((await browser.ask('POST', '/api/v1/auth/refresh', { json: {} })).json.code).toBe(
      'session-revoked',
    );
  });

  it('is not what several tabs look like that renew at once', async () => {
    const browser = await signUp();
    const cookie = browser.header();
    const tabs = await Promise.all(
      Array.from({ length: 5 }, () =>
        server.ask('POST', '/api/v1/auth/refresh', { headers: { cookie, 'x-cairn-request': 'web' } }),
      ),
    );
    expect(tabs.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    // Whichever answer came last is what the browser keeps.
    for (const tab of tabs.slice(0, 1)) browser.keep(tab.headers.getSetCookie());
    expect((await browser.ask('GET', '/api/v1/me')).status).toBe(200);
    expect((await browser.ask('POST', '/api/v1/auth/refresh', { json: {} })).status).toBe(200);
    expect((await browser.ask('GET', '/api/v1/me')).status).toBe(200);
  });
});

describe('events for a browser', () => {
  function open(headers: Record<string, string>) {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/api/v1/sync/events`, { headers });
    const messages: string[] = [];
    socket.on('message', (data) => messages.push(String(data)));
    const closed = new Promise<number>((resolve) => {
      socket.on('unexpected-response', (request, response) => {
        request.destroy();
        resolve(response.statusCode ?? 0);
      });
      socket.on('close', resolve);
      socket.on('error', () => undefined);
    });
    const opened = new Promise<void>((resolve) => socket.on('open', resolve));
    return { socket, messages, closed, opened };
  }

  it('come to own pages only', async () => {
    const browser = await signUp();
    const cookie = browser.header();
    const own = open({ cookie, origin: server.url });
    await own.opened;
    own.socket.terminate();
    expect(await open({ cookie, origin: 'https://evil.example' }).closed).toBe(403);
    expect(await open({ cookie }).closed).toBe(403);
    expect(await open({ origin: server.url }).closed).toBe(401);
  });

  it('end within two seconds when the browser is signed out elsewhere', async () => {
    const browser = await signUp();
    const other = await server.login(browser.username, 'Laptop');
    const { closed, opened, messages } = open({ cookie: browser.header(), origin: server.url });
    await opened;
    const startedAt = performance.now();
    const path = `/api/v1/devices/${browser.deviceId}`;
    expect((await server.ask('DELETE', path, { token: other.accessToken })).status).toBe(204);
    expect(await closed).toBe(4001);
    expect(performance.now() - startedAt).toBeLessThan(2000);
    expect(messages.join('\n')).toContain('"revoked"');
    expect((await browser.ask('GET', '/api/v1/me')).json.code).toBe('session-revoked');
  });

  it('show that the connection works, since scripts see no pings', async () => {
    const quick = await startTestServer({ limits: { pingIntervalMs: 50 } });
    try {
      const browser = createCookieJar(quick);
      const json = { username: 'ann', password: PASSWORD, deviceName: 'Firefox', session: 'cookie' };
      await browser.ask('POST', '/api/v1/auth/register', { json });
      const url = `${quick.url.replace('http', 'ws')}/api/v1/sync/events`;
      const socket = new WebSocket(url, { headers: { cookie: browser.header(), origin: quick.url } });
      await new Promise<void>((resolve) => {
        socket.on('message', (data) => {
          if (String(data) === '{"type":"alive"}') resolve();
        });
      });
      socket.terminate();
    } finally {
      await quick.close();
    }
  });

  it('take no plain TCP peer for a page', async () => {
    const browser = await signUp();
    const { port, hostname } = new URL(server.url);
    const socket = createConnection(Number(port), hostname);
    const answer = await new Promise<string>((resolve) => {
      socket.once('data', (data) => resolve(String(data)));
      socket.write(
        `GET /api/v1/sync/events HTTP/1.1\r\nHost: ${hostname}:${port}\r\nCookie: ${browser.header()}\r\n` +
          'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
          `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`,
      );
    });
    expect(answer).toMatch(/^HTTP\/1.1 403 /);
    socket.destroy();
  });
});

describe('another password', () => {
  const NEW = 'another battery staple';

  it('counts from now on, and leaves the other devices signed in', async () => {
    const browser = await signUp();
    const other = await server.login(browser.username, 'Laptop');
    const change = (json: object) => browser.ask('POST', '/api/v1/auth/password', { json });
    const wrong = await change({ currentPassword: 'not the one', newPassword: NEW });
    expect([wrong.status, wrong.json.code]).toEqual([401, 'wrong-credentials']);
    const short = await change({ currentPassword: PASSWORD, newPassword: 'short' });
    expect([short.status, short.json.code]).toEqual([400, 'bad-request']);
    expect((await change({ currentPassword: PASSWORD, newPassword: NEW })).status).toBe(204);

    const login = (password: string) =>
      server.ask('POST', '/api/v1/auth/login', {
        json: { username: browser.username, password, deviceName: 'Phone' },
      });
    expect((await login(PASSWORD)).status).toBe(401);
    expect((await login(NEW)).status).toBe(200);
    expect((await browser.ask('GET', '/api/v1/me')).status).toBe(200);
    expect((await server.ask('GET', '/api/v1/me', { token: other.accessToken })).status).toBe(200);
    expect(server.logged.join('\n')).not.toContain(NEW);
  });

  it('signs the others out when that is wished', async () => {
    const browser = await signUp();
    const other = await server.login(browser.username, 'Laptop');
    const json = { currentPassword: PASSWORD, newPassword: NEW, signOutOthers: true };
    expect((await browser.ask('POST', '/api/v1/auth/password', { json })).status).toBe(204);
    expect((await browser.ask('GET', '/api/v1/me')).status).toBe(200);
    const out = await server.ask('GET', '/api/v1/me', { token: other.accessToken });
    expect(out.json.code).toBe('session-revoked');
    const refresh = await server.ask('POST', '/api/v1/auth/refresh', {
      json: { refreshToken: other.refreshToken },
    });
    expect(refresh.json.code).toBe('session-revoked');
  });

  it('cannot be guessed at through a device that was left open', async () => {
    const browser = await signUp();
    const codes: string[] = [];
    for (let guess = 0; guess < 8; guess++) {
      const json = { currentPassword: `guess ${guess}`, newPassword: NEW };
      codes.push((await browser.ask('POST', '/api/v1/auth/password', { json })).json.code);
    }
    expect(codes.at(0)).toBe('wrong-credentials');
    expect(codes.at(-1)).toBe('too-many-attempts');
  });
});

describe('what a server says of signing up', () => {
  it('names the need for the set-up code until there is an account', async () => {
    const invite = await startTestServer({ signUp: 'invite', setUpCode: 'abcd-efgh' });
    try {
      const said = async () => (await invite.ask('GET', '/api/v1/server')).json;
      expect(await said()).toMatchObject({ signUp: 'invite', needsSetUpCode: true, hasAccounts: false });
      const browser = createCookieJar(invite);
      const json = { username: 'ann', password: PASSWORD, deviceName: 'Firefox', session: 'cookie' };
      const without = await browser.ask('POST', '/api/v1/auth/register', { json });
      expect(without.json.code).toBe('set-up-code-wrong');
      const withCode = { json: { ...json, setUpCode: 'abcd-efgh' } };
      expect((await browser.ask('POST', '/api/v1/auth/register', withCode)).status).toBe(201);
      expect((await browser.ask('GET', '/api/v1/me')).json.user.role).toBe('administrator');
      expect(await said()).toMatchObject({ signUp: 'invite', needsSetUpCode: false, hasAccounts: true });
    } finally {
      await invite.close();
    }
    expect((await server.ask('GET', '/api/v1/server')).json).toMatchObject({
      signUp: 'open',
      needsSetUpCode: false,
      hasAccounts: true,
    });
  });
});
