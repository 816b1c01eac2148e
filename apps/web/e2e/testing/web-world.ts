import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { ensureBuilt } from './built-app.ts';
import { type CairnServer, type CairnServerOptions, startCairn } from './cairn-server.ts';
import { findChromium, launchChromium, WITHOUT_CHROMIUM } from './chromium.ts';
import { OtherDevice } from './other-device.ts';

export const PASSWORD = 'correct horse battery staple';
export const SCREENSHOTS = join(import.meta.dirname, '..', 'screenshots');
/** The machine may be busy with other tests. */
const PATIENCE_MS = 30_000;

/** Waits until `read` gives what is expected. */
export const poll: typeof expect.poll = (read, options) =>
  expect.poll(read, { timeout: PATIENCE_MS, interval: 100, ...options });

/** A browser of nobody yet. */
export interface Visitor {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Something that would fail the test, such as an answer with an error, is right here. */
  expectProblem(pattern: RegExp): void;
}

/** Somebody with an account: their browser, signed in, and another device of theirs. */
export interface Person extends Visitor {
  readonly username: string;
  readonly other: OtherDevice;
}

export interface WebWorld {
  readonly server: CairnServer;
  readonly browser: Browser;
  visit(options?: BrowserContextOptions): Promise<Visitor>;
  /** A new account, signed in here and on another device; the page is still empty. */
  signUp(options?: BrowserContextOptions): Promise<Person>;
  /** A new account, with nothing but a device. */
  register(username: string, deviceName: string): Promise<OtherDevice>;
  /** Another device of an account. */
  connect(username: string, deviceName: string): Promise<OtherDevice>;
}

/** What a browser says about every visitor who is not signed in yet, and what is thus no problem. */
function isUsual(text: string, url: string): boolean {
  return /status of 401/.test(text) && /\/api\/v1\/(me|auth\/refresh)$/.test(url);
}

/**
 * One server and one browser for the tests of a file; each test has fresh contexts. A test fails when a page threw,
 * wrote an error to the console, opened a dialog of the browser or broke its policy.
 */
export function createWebWorld(options: CairnServerOptions = {}): WebWorld {
  const executable = findChromium();
  let server: CairnServer | null = null;
  let browser: Browser | null = null;
  let contexts: BrowserContext[] = [];
  let problems: string[] = [];
  let expected: RegExp[] = [];
  let seenLog = 0;

  beforeAll(async () => {
    if (executable === null) return;
    await ensureBuilt();
    [server, browser] = await Promise.all([startCairn(options), launchChromium(executable)]);
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });
  beforeEach((context) => {
    context.skip(executable === null, WITHOUT_CHROMIUM);
    problems = [];
    expected = [];
  });
  afterEach(async ({ task }) => {
    const log = server?.readLog() ?? '';
    const refused = log
      .slice(seenLog)
      .split('\n')
      .filter((line) => line.includes('web.policy-violated'));
    const unexpected = [...problems, ...refused].filter(
      (problem) => !expected.some((pattern) => pattern.test(problem)),
    );
    seenLog = log.length;
    const failed = task.result?.state === 'fail' || unexpected.length > 0;
    if (failed) {
      const pages = contexts.flatMap((one) => one.pages());
      const folder = join(SCREENSHOTS, 'failures');
      mkdirSync(folder, { recursive: true });
      const name = task.name.replaceAll(/[^A-Za-z0-9]+/g, '-').slice(0, 80);
      for (const [index, page] of pages.entries()) {
        await page.screenshot({ path: join(folder, `${name}-${index}.png`) }).catch(() => undefined);
      }
    }
    for (const context of contexts) await context.close();
    contexts = [];
    expect(unexpected, 'problems that pages or their policy had').toEqual([]);
  });

  function running(): { readonly server: CairnServer; readonly browser: Browser } {
    if (server === null || browser === null) throw new Error('the world is there only within tests');
    return { server, browser };
  }

  async function visit(options: BrowserContextOptions = {}): Promise<Visitor> {
    const context = await running().browser.newContext({
      baseURL: running().server.url,
      viewport: { width: 1280, height: 800 },
      locale: 'en-GB',
      // Some tests are about what moves; none wants to wait for it.
      reducedMotion: 'reduce',
      ...options,
    });
    context.setDefaultTimeout(PATIENCE_MS);
    contexts.push(context);
    context.on('console', (message) => {
      const { url } = message.location();
      if (message.type() === 'error' && !isUsual(message.text(), url)) {
        problems.push(`console: ${message.text()} (${url})`);
      }
    });
    context.on('weberror', (error) => problems.push(`page: ${error.error().stack ?? error.error().message}`));
    context.on('page', (page) => {
      page.on('crash', () => problems.push('page: crashed'));
      page.on('dialog', async (dialog) => {
        // "Leave this page?" while something is being uploaded.
        if (dialog.type() === 'beforeunload') return dialog.accept();
        problems.push(`dialog: ${dialog.type()} ${dialog.message()}`);
        return dialog.dismiss();
      });
    });
    return { context, page: await context.newPage(), expectProblem: (pattern) => expected.push(pattern) };
  }

  async function startSession(path: string, username: string, deviceName: string): Promise<OtherDevice> {
    const { url } = running().server;
    const response = await fetch(`${url}/api/v1/auth/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, password: PASSWORD, deviceName }),
    });
    if (!response.ok) throw new Error(`cannot sign in: ${await response.text()}`);
    const { accessToken, refreshToken, device } = (await response.json()) as {
      accessToken: string;
      refreshToken: string;
      device: { deviceId: string };
    };
    return new OtherDevice(url, accessToken, device.deviceId, refreshToken);
  }

  async function signUp(options: BrowserContextOptions = {}): Promise<Person> {
    const username = `ann-${randomBytes(4).toString('hex')}`;
    const other = await startSession('register', username, 'Laptop');
    const visitor = await visit(options);
    const answer = await visitor.context.request.post('/api/v1/auth/login', {
      data: { username, password: PASSWORD, deviceName: 'Chrome on Linux', session: 'cookie' },
      headers: { 'x-cairn-request': 'web' },
    });
    if (!answer.ok()) throw new Error(`cannot sign in: ${await answer.text()}`);
    return { ...visitor, username, other };
  }

  return {
    get server() {
      return running().server;
    },
    get browser() {
      return running().browser;
    },
    visit,
    signUp,
    register: (username, deviceName) => startSession('register', username, deviceName),
    connect: (username, deviceName) => startSession('login', username, deviceName),
  };
}
