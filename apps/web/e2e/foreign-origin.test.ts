import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OtherDevice } from './testing/other-device.ts';
import { createWebWorld, PASSWORD, type Person } from './testing/web-world.ts';

const world = createWebWorld();
let foreign: Server;

beforeAll(async () => {
  foreign = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>Another site</title>');
  });
  await new Promise<void>((resolve) => foreign.listen(0, resolve));
});
afterAll(() => {
  foreign.closeAllConnections();
  foreign.close();
});

/** Everything of an account that a foreign page could have changed. */
async function stateOf(other: OtherDevice): Promise<unknown> {
  const read = async (path: string) => (await other.ask('GET', path)).json();
  const me = (await read('/me')) as { spaces: { spaceId: string }[] };
  const devices = (await read('/devices')) as { devices: { deviceId: string; revokedAt: unknown }[] };
  const snapshot = (await read(`/spaces/${me.spaces[0]?.spaceId}/snapshot`)) as { entries: unknown };
  return {
    me: { ...me, device: null },
    devices: devices.devices.map(({ deviceId, revokedAt }) => ({ deviceId, revokedAt })),
    entries: snapshot.entries,
    names: await other.names(),
  };
}

/** Requests that change something, and bodies that a form or a simple fetch can carry. */
const CHANGES: readonly [string, string, string][] = [
  ['POST', '/api/v1/folders', '{"path":"/evil"}'],
  ['POST', '/api/v1/auth/logout', '{}'],
  ['POST', '/api/v1/auth/refresh', '{}'],
  ['POST', '/api/v1/auth/login', JSON.stringify({ username: 'eve', password: PASSWORD, session: 'cookie' })],
  ['POST', '/api/v1/trash/restore', '{}'],
  ['PUT', '/api/v1/files/content?path=/evil.txt', 'evil'],
  ['DELETE', '/api/v1/trash', ''],
];

// A page on another port is of the same site, so that even strict cookies are sent; one of another host is not.
describe.each(['127.0.0.1', 'localhost'])('a page of another origin, on %s', (host) => {
  async function visitForeign(): Promise<Person & { readonly tab: Page; readonly own: string }> {
    const person = await world.signUp();
    // All that the browser refuses, it says in the foreign page's console.
    person.expectProblem(/^console: /);
    await person.other.put('/diary.txt', 'secret');
    await person.page.goto('/');
    await person.page.getByRole('grid').getByText('diary.txt').waitFor();
    const tab = await person.context.newPage();
    await tab.goto(`http://${host}:${(foreign.address() as AddressInfo).port}/`);
    return { ...person, tab, own: world.server.url };
  }

  async function expectUnharmed({ page, other }: Person, before: unknown): Promise<void> {
    expect(await stateOf(other)).toEqual(before);
    await page.reload();
    await page.getByRole('grid').getByText('diary.txt').waitFor();
  }

  test('reads nothing and changes nothing by fetch', async () => {
    const person = await visitForeign();
    const before = await stateOf(person.other);
    const { entryId } = await person.other.find('/diary.txt');
    const reads = [
      '/api/v1/me',
      '/api/v1/files?path=/',
      `/api/v1/files/${entryId}/content?inline=1`,
      '/',
      '/health',
    ];
    const read = await person.tab.evaluate(
      async ({ own, paths }) => {
        const texts: string[] = [];
        for (const path of paths) {
          for (const mode of ['cors', 'no-cors'] as const) {
            const answer = await fetch(own + path, { credentials: 'include', mode }).catch(() => null);
            texts.push((await answer?.text().catch(() => '')) ?? '');
          }
        }
        return texts.join('');
      },
      { own: person.own, paths: reads },
    );
    expect(read).toBe('');
    await person.tab.evaluate(
      async ({ own, changes, remove }) => {
        const types = [
          'text/plain',
          'application/x-www-form-urlencoded',
          'application/json',
          'application/octet-stream',
        ];
        for (const [method, path, body] of [...changes, ['DELETE', remove, '']] as const) {
          for (const type of types) {
            for (const extra of [{}, { 'x-cairn-request': 'web' }]) {
              for (const mode of ['cors', 'no-cors'] as const) {
                const options: RequestInit = { method, mode, credentials: 'include', keepalive: true };
                await fetch(own + path, {
                  ...options,
                  headers: { 'content-type': type, ...extra },
                  ...(body === '' ? {} : { body }),
                }).catch(() => undefined);
              }
            }
          }
          navigator.sendBeacon(own + path, new Blob([body], { type: 'text/plain' }));
        }
      },
      { own: person.own, changes: CHANGES, remove: `/api/v1/files/${entryId}` },
    );
    await expectUnharmed(person, before);
  });

  test('changes nothing by forms, and signs nobody in as somebody else', async () => {
    const person = await visitForeign();
    const before = await stateOf(person.other);
    for (const encoding of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data']) {
      for (const [, path, body] of CHANGES) {
        const tab = await person.context.newPage();
        await tab.goto(person.tab.url());
        const answered = tab.waitForResponse((answer) => answer.url().startsWith(person.own));
        await tab.evaluate(
          ({ action, enctype, text }) => {
            const form = document.createElement('form');
            Object.assign(form, { action, enctype, method: 'post' });
            const field = document.createElement('input');
            // `{"path":"/evil","x":"=…"}` is JSON when it comes as plain text.
            [field.name, field.value] = text.startsWith('{"')
              ? [`${text.slice(0, -1)},"x":"`, '"}']
              : ['path', '/evil'];
            form.append(field);
            document.body.append(form);
            form.submit();
          },
          { action: person.own + path, enctype: encoding, text: body },
        );
        const answer = await answered;
        expect(answer.status(), `${encoding} ${path}`).toBeGreaterThanOrEqual(400);
        expect(await answer.headerValue('set-cookie')).toBeNull();
        await tab.close();
      }
    }
    await expectUnharmed(person, before);
  });

  test('learns nothing of pictures, scripts and styles, and opens no socket', async () => {
    const person = await visitForeign();
    const before = await stateOf(person.other);
    const { entryId } = await person.other.put(
      '/dot.gif',
      Buffer.from('R0lGODlhAQABAAAAACwAAAAAAQABAAA=', 'base64'),
    );
    const picture = `/api/v1/files/${entryId}/content?inline=1`;
    const outcomes = await person.tab.evaluate(
      async ({ own, paths }) => {
        const load = (name: 'img' | 'script' | 'link' | 'video', path: string) =>
          new Promise<string>((resolve) => {
            const element = document.createElement(name);
            element.onerror = () => resolve('refused');
            element.onload = () => resolve(`loaded ${name} ${path}`);
            if (element instanceof HTMLLinkElement)
              Object.assign(element, { rel: 'stylesheet', href: own + path });
            else element.src = own + path;
            document.body.append(element);
          });
        const socket = new Promise<string>((resolve) => {
          const opened = new WebSocket(`${own.replace('http', 'ws')}/api/v1/sync/events`);
          opened.onopen = () => resolve('open');
          opened.onerror = () => resolve('refused');
        });
        const all = paths.flatMap((path) =>
          (['img', 'script', 'link', 'video'] as const).map((name) => load(name, path)),
        );
        return Promise.all([...all, socket]);
      },
      { own: person.own, paths: [picture, '/api/v1/me', '/icon.svg', '/service-worker.js'] },
    );
    expect([...new Set(outcomes)]).toEqual(['refused']);
    await person.other.ask('DELETE', `/files/${entryId}`);
    expect(await person.other.names()).toEqual((before as { names: string[] }).names);
  });

  test('cannot frame the app or a file, nor hold a window of it', async () => {
    const person = await visitForeign();
    // The browser tells the server of each frame that it refused.
    person.expectProblem(/web\.policy-violated.*frame-ancestors/);
    const before = await stateOf(person.other);
    const { entryId } = await person.other.find('/diary.txt');
    for (const path of ['/', '/files', `/api/v1/files/${entryId}/content?inline=1`, '/docs/', '/api/v1/me']) {
      await person.tab.evaluate(
        (src) =>
          new Promise<void>((resolve) => {
            const frame = document.createElement('iframe');
            frame.onload = () => resolve();
            frame.src = src;
            document.body.replaceChildren(frame);
          }),
        person.own + path,
      );
      const frame = person.tab.frames().find((one) => one !== person.tab.mainFrame());
      expect(frame?.url(), path).not.toContain(person.own);
    }
    const opened = person.context.waitForEvent('page');
    await person.tab.evaluate((own) => {
      const app = open(own);
      Object.assign(window, { app });
    }, person.own);
    const app = await opened;
    await app.getByRole('grid').getByText('diary.txt').waitFor();
    const held = await person.tab.evaluate(() => {
      const { app: window_ } = window as unknown as { app: Window | null };
      for (const message of ['signed-out', { type: 'signed-out' }, { data: 'signed-out' }])
        window_?.postMessage(message, '*');
      return window_ !== null && !window_.closed;
    });
    expect(held, 'the opener still has the window').toBe(false);
    expect(await app.evaluate(() => opener === null)).toBe(true);
    await app.getByRole('grid').getByText('diary.txt').waitFor();
    await expectUnharmed(person, before);
  });
});
