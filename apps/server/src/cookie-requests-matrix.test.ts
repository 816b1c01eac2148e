import { listRoutes, type RegisteredRoute } from '@cairn/http-api';
import { createId } from '@cairn/model';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createCookieJar } from './testing/cookie-jar.ts';
import { PASSWORD, startTestServer, type TestServer } from './testing/test-server.ts';

/** Routes that change nothing for whom a cookie signs in: they take no session, or read it from nothing but their body. */
const NO_SESSION: ReadonlySet<string> = new Set([
  // Browsers send their reports without the header; they only end in the log.
  'POST /api/v1/csp-reports',
  // A storage node with its invitation.
  'POST /api/v1/nodes/join',
  'POST /api/v1/nodes/announce',
]);

let server: TestServer;
let cookie: string;

beforeAll(async () => {
  server = await startTestServer();
  const browser = createCookieJar(server);
  const json = { username: 'ann', password: PASSWORD, deviceName: 'Firefox', session: 'cookie' };
  expect((await browser.ask('POST', '/api/v1/auth/register', { json })).status).toBe(201);
  cookie = browser.header();
});
afterAll(async () => server.close());

function changing(): readonly RegisteredRoute[] {
  return listRoutes(server.running.app).filter(
    ({ method, url }) => !['GET', 'HEAD', 'OPTIONS'].includes(method) && !url.startsWith('/docs'),
  );
}

function addressOf({ url }: RegisteredRoute): string {
  return url.replaceAll(/:\w+/g, () => createId<string>(new Uint8Array(16).fill(7)));
}

it('knows only routes that are there as needing no session', () => {
  const names = new Set(changing().map(({ method, url }) => `${method} ${url}`));
  expect([...NO_SESSION].filter((name) => !names.has(name))).toEqual([]);
});

/** What a foreign page can have a browser send: cookies and bodies of forms, but no header of ours. */
const FOREIGN: readonly [string, Record<string, string>, string | undefined][] = [
  ['nothing but the cookie', {}, undefined],
  ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 'path=%2Fevil&session=cookie'],
  ['text that is JSON', { 'content-type': 'text/plain' }, '{"path":"/evil","session":"cookie"}'],
  [
    'a form with files',
    { 'content-type': 'multipart/form-data; boundary=x' },
    '--x\r\nContent-Disposition: form-data; name="path"\r\n\r\n/evil\r\n--x--\r\n',
  ],
  [
    'JSON of our own origin, without the header',
    { 'content-type': 'application/json' },
    '{"session":"cookie"}',
  ],
];

it.each(FOREIGN)(
  'every route that changes something refuses a cookie with %s',
  async (_name, headers, body) => {
    const own = headers['content-type'] === 'application/json' ? { origin: server.url } : {};
    const accepted: string[] = [];
    for (const route of changing()) {
      const name = `${route.method} ${route.url}`;
      if (NO_SESSION.has(name)) continue;
      const answer = await server.ask(route.method, addressOf(route), {
        headers: { cookie, ...own, ...headers },
        ...(body === undefined ? {} : { body }),
      });
      const code: unknown = answer.json?.code;
      if (answer.status === 403 && code === 'cross-site') continue;
      // Who is about to sign in has no session that could be used; what they ask for must be refused all the same.
      const isRefused = route.access === 'sign-in' && answer.status >= 400;
      if (!isRefused) accepted.push(`${name}: ${answer.status} ${String(code)}`);
      expect(answer.headers.getSetCookie(), name).toEqual([]);
    }
    expect(accepted).toEqual([]);
    const { json } = await server.ask('GET', '/api/v1/files?path=/', { headers: { cookie } });
    expect(json.children).toEqual([]);
  },
);

it('is the header that they are refused for', async () => {
  const refused: string[] = [];
  for (const route of changing().filter(({ url }) => !url.startsWith('/api/v1/auth/'))) {
    const answer = await server.ask(route.method, addressOf(route), {
      headers: { cookie, origin: server.url, 'x-cairn-request': 'web' },
    });
    if (answer.json?.code === 'cross-site') refused.push(`${route.method} ${route.url}`);
  }
  expect(refused).toEqual([]);
});
