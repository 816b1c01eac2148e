import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { CairnProgram, runCairn } from '../world/cairn-program.ts';
import type { Defer } from '../world/cleanup.ts';

const PASSWORD = 'correct horse battery staple';
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const PATIENCE_MS = 600_000;
const ENOUGH_SHARED_BYTES = 512 * 1024 ** 2;

/** The system's Chromium, or the one that `CHROMIUM` names. */
export function findChromium(): string {
  const told = process.env['CHROMIUM'];
  const found = told ?? NAMES.map((name) => `/usr/bin/${name}`).find((path) => existsSync(path));
  if (found === undefined) throw new Error('there is no Chromium in /usr/bin: name its program in CHROMIUM');
  return found;
}

/** It is tiny in many containers; what the browser's processes share is then in files, which makes uploads slower. */
function isSharedMemorySmall(): boolean {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    return bavail * bsize < ENOUGH_SHARED_BYTES;
  } catch {
    return true;
  }
}

/** What a browser has to be told on some machines. */
export function browserArguments(): string[] {
  return [
    ...(isSharedMemorySmall() ? ['--disable-dev-shm-usage'] : []),
    // Root may not use the sandbox.
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  ];
}

export async function launchBrowser(defer: Defer): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: findChromium(),
    args: browserArguments(),
    timeout: 120_000,
  });
  defer(() => browser.close());
  return browser;
}

export interface WebServer {
  readonly url: string;
  /** For files of the measurement; goes with the server. */
  readonly folder: string;
  /** Makes an account from the command line. @returns the variables for further commands of it */
  signUp(username: string): Promise<Readonly<Record<string, string>>>;
  /** A browser that was never here before. */
  open(browser: Browser): Promise<BrowserContext>;
  /** The same, signed in to a new account. */
  openSignedIn(browser: Browser, username: string): Promise<BrowserContext>;
}

/** A real `cairn serve` on a free port, with nothing in it. */
export async function startServer(folder: string, defer: Defer): Promise<WebServer> {
  const own = mkdtempSync(join(folder, 'server-'));
  defer(() => rmSync(own, { recursive: true, force: true }));
  const program = new CairnProgram({
    name: 'cairn serve',
    words: ['serve', '--data', join(own, 'data'), '--port', '0'],
    variables: {},
    logPath: join(own, 'log'),
    readyText: 'http://127.0.0.1:',
    startTimeoutMs: PATIENCE_MS,
  });
  await program.start();
  defer(() => program.stop());
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(program.readLogTail())?.[0];
  if (url === undefined) throw new Error('the server does not say where it is');

  async function open(browser: Browser): Promise<BrowserContext> {
    const context = await browser.newContext({
      baseURL: url as string,
      viewport: { width: 1280, height: 800 },
      locale: 'en-GB',
    });
    context.setDefaultTimeout(PATIENCE_MS);
    return context;
  }
  return {
    url,
    folder: own,
    async signUp(username) {
      const home = join(own, username);
      mkdirSync(home);
      const variables = { CAIRN_HOME: home, CAIRN_SERVER: url, CAIRN_PASSWORD: PASSWORD };
      await runCairn(['signup', '--server', url, '--username', username], variables);
      return variables;
    },
    open,
    async openSignedIn(browser, username) {
      const context = await open(browser);
      const answer = await context.request.post('/api/v1/auth/register', {
        data: { username, password: PASSWORD, deviceName: 'Bench', session: 'cookie' },
        headers: { 'x-cairn-request': 'web' },
      });
      if (!answer.ok()) throw new Error(`cannot sign up: ${await answer.text()}`);
      return context;
    },
  };
}

export function createWorkFolder(parent: string | undefined, defer: Defer): string {
  const folder = mkdtempSync(join(parent ?? tmpdir(), 'cairn-web-bench-'));
  defer(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Saves a small file, as a script would. */
export async function saveFile(context: BrowserContext, path: string, text: string): Promise<string> {
  const answer = await context.request.put(`/api/v1/files/content?path=${encodeURIComponent(path)}`, {
    data: Buffer.from(text),
    headers: { 'x-cairn-request': 'web', 'content-type': 'application/octet-stream' },
  });
  if (!answer.ok()) throw new Error(`cannot save ${path}: ${await answer.text()}`);
  return ((await answer.json()) as { entry: { entryId: string } }).entry.entryId;
}

export async function askApi<Answer>(
  page: Page | BrowserContext,
  path: string,
  data?: unknown,
): Promise<Answer> {
  const answer = await page.request.fetch(`/api/v1${path}`, {
    method: data === undefined ? 'GET' : 'POST',
    headers: { 'x-cairn-request': 'web' },
    ...(data === undefined ? {} : { data }),
    timeout: PATIENCE_MS,
  });
  if (!answer.ok()) throw new Error(`${path}: ${answer.status()} ${await answer.text()}`);
  return (await answer.json()) as Answer;
}
