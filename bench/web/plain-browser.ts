import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import type { Defer } from '../world/cleanup.ts';
import { browserArguments, findChromium } from './web-world.ts';

const POLL_MS = 50;
const PATIENCE_MS = 600_000;

export interface PlainPage {
  /** Runs the source in every document of the page, before its own scripts. */
  addScript(source: string): Promise<void>;
  navigate(url: string): Promise<void>;
  /** The value of an expression, which must be JSON. */
  evaluate<Value>(expression: string): Promise<Value>;
  /** Waits until an expression is true, after `quietMs` in which the page is not asked anything. */
  waitUntil(expression: string, quietMs?: number): Promise<void>;
  chooseFile(selector: string, path: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * A browser that is watched as little as possible. Playwright has it tell of each request, and of where in the code each
 * came from, which takes a third of the time until a first page is usable, and as much of a large upload's requests.
 */
export interface PlainBrowser {
  /** A page of a browser that was never here before, but has the cookies of that context. */
  openPage(context: BrowserContext): Promise<PlainPage>;
  /** Process ids of all pages. */
  renderers(): Promise<number[]>;
}

export interface Browsers {
  /** Tells everything, through Playwright. */
  readonly watched: Browser;
  readonly plain: PlainBrowser;
}

type Send = <Answer>(method: string, params?: object, sessionId?: string) => Promise<Answer>;

/** The Chrome DevTools Protocol over its socket, of which little is needed. */
async function connect(url: string, defer: Defer): Promise<Send> {
  const socket = new WebSocket(url);
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve());
    socket.addEventListener('error', () => reject(new Error('the browser cannot be reached')));
  });
  defer(() => socket.close());
  const waiting = new Map<number, { resolve(answer: never): void; reject(error: Error): void }>();
  socket.addEventListener('message', ({ data }) => {
    const { id, result, error } = JSON.parse(String(data));
    if (id === undefined) return;
    const waiter = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) waiter?.resolve(result as never);
    else waiter?.reject(new Error(error.message));
  });
  let count = 0;
  return (method, params = {}, sessionId = undefined) =>
    new Promise((resolve, reject) => {
      const id = ++count;
      waiting.set(id, { resolve, reject });
      socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
    });
}

function startChromium(profile: string, defer: Defer): Promise<string> {
  const program = spawn(
    findChromium(),
    [
      '--headless=new',
      '--remote-debugging-port=0',
      `--user-data-dir=${profile}`,
      '--no-first-run',
      '--disable-background-networking',
      '--window-size=1280,800',
      ...browserArguments(),
      'about:blank',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, LC_ALL: 'C.UTF-8' } },
  );
  const ended = new Promise<void>((resolve) => program.once('exit', () => resolve()));
  defer(async () => {
    program.kill();
    await ended;
  });
  return new Promise((resolve, reject) => {
    let said = '';
    program.stderr.on('data', (piece) => {
      said = (said + piece).slice(-10_000);
      const address = /DevTools listening on (ws:\S+)/.exec(said)?.[1];
      if (address !== undefined) resolve(address);
    });
    program.once('error', reject);
    void ended.then(() => reject(new Error(`the browser ended: ${said}`)));
  });
}

export async function launchPlainBrowser(folder: string, defer: Defer): Promise<PlainBrowser> {
  const profile = mkdtempSync(join(folder, 'profile-'));
  defer(() => rmSync(profile, { recursive: true, force: true }));
  const send = await connect(await startChromium(profile, defer), defer);

  async function openPage(context: BrowserContext): Promise<PlainPage> {
    const cookies = await context.cookies();
    const { browserContextId } = await send<{ browserContextId: string }>('Target.createBrowserContext');
    await send('Storage.setCookies', { cookies, browserContextId });
    const { targetId } = await send<{ targetId: string }>('Target.createTarget', {
      url: 'about:blank',
      browserContextId,
    });
    const attached = await send<{ sessionId: string }>('Target.attachToTarget', { targetId, flatten: true });
    const tell = <Answer>(method: string, params: object = {}) =>
      send<Answer>(method, params, attached.sessionId);
    await tell('Page.enable');

    async function evaluate<Value>(expression: string): Promise<Value> {
      const { result, exceptionDetails } = await tell<{
        readonly result: { readonly value?: unknown };
        readonly exceptionDetails?: { readonly text: string };
      }>('Runtime.evaluate', { expression, returnByValue: true });
      if (exceptionDetails !== undefined) throw new Error(`${exceptionDetails.text} in ${expression}`);
      return result.value as Value;
    }
    return {
      addScript: async (source) => void (await tell('Page.addScriptToEvaluateOnNewDocument', { source })),
      navigate: async (url) => void (await tell('Page.navigate', { url })),
      evaluate,
      async waitUntil(expression, quietMs = 0) {
        const end = performance.now() + PATIENCE_MS;
        for (let pause = Math.max(POLL_MS, quietMs); ; pause = POLL_MS) {
          await new Promise((resolve) => setTimeout(resolve, pause));
          if (await evaluate<boolean>(expression)) return;
          if (performance.now() > end) throw new Error(`waited too long for ${expression}`);
        }
      },
      async chooseFile(selector, path) {
        const { root } = await tell<{ root: { nodeId: number } }>('DOM.getDocument');
        const found = await tell<{ nodeId: number }>('DOM.querySelector', { nodeId: root.nodeId, selector });
        await tell('DOM.setFileInputFiles', { nodeId: found.nodeId, files: [path] });
        await tell('DOM.disable');
      },
      close: async () => void (await send('Target.disposeBrowserContext', { browserContextId })),
    };
  }

  return {
    openPage,
    async renderers() {
      const { processInfo } = await send<{ processInfo: readonly { type: string; id: number }[] }>(
        'SystemInfo.getProcessInfo',
      );
      return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
    },
  };
}
