import type { Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { type FrontProxy, startFrontProxy } from './testing/front-proxy.ts';
import { waitForWorker } from './testing/service-worker.ts';
import { createWebWorld, PASSWORD, poll } from './testing/web-world.ts';

const world = createWebWorld();

/** All that this browser keeps for the app, as text. */
async function readAllKept(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const parts: string[] = [
      JSON.stringify(localStorage),
      JSON.stringify(sessionStorage),
      document.body.innerText,
    ];
    for (const name of await caches.keys()) {
      for (const request of await (await caches.open(name)).keys()) {
        parts.push(request.url);
        if (!request.url.includes('/assets/')) {
          parts.push((await (await (await caches.open(name)).match(request))?.text()) ?? '');
        }
      }
    }
    for (const { name } of await indexedDB.databases()) {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const opening = indexedDB.open(name ?? '');
        opening.onsuccess = () => resolve(opening.result);
        opening.onerror = () => reject(opening.error);
      });
      for (const store of database.objectStoreNames) {
        const all = await new Promise<unknown>((resolve, reject) => {
          const reading = database.transaction(store).objectStore(store).getAll();
          reading.onsuccess = () => resolve(reading.result);
          reading.onerror = () => reject(reading.error);
        });
        parts.push(JSON.stringify(all));
      }
      database.close();
    }
    return parts.join('\n');
  });
}

async function logOut(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Account of/ }).click();
  await page.getByRole('menuitem', { name: 'Log out' }).click();
  await page.getByText('You are logged out').waitFor();
}

test('after a first visit the app starts without its server, says so, and goes on by itself', async () => {
  const { page, context, other, expectProblem } = await world.signUp();
  expectProblem(/net::ERR_|WebSocket|Failed to load resource/);
  await other.put('/docs/kept.txt', 'kept');
  await page.goto('/');
  await page.getByRole('grid').getByText('docs').click();
  await page.getByRole('grid').getByText('kept.txt').waitFor();
  await waitForWorker(page);
  await world.server.halt('SIGKILL');
  await page.reload();
  await page.getByRole('grid').getByText('kept.txt').waitFor();
  await page.getByText('The server does not answer. What you see is what this browser kept').waitFor();
  // Any address of the app, not only the one that was kept.
  await page.goto('/files');
  await page.getByRole('grid').getByText('docs').waitFor();
  // What belongs to the server is not answered by the app.
  const apart = await context.newPage();
  await expect(apart.goto('/api/v1/me')).rejects.toThrow(/ERR_CONNECTION_REFUSED/);
  await apart.close();
  await world.server.resume();
  await other.put('/later.txt', 'later');
  await page.getByRole('grid').getByText('later.txt').waitFor();
  await poll(() => page.getByText('The server does not answer').count()).toBe(0);
});

test('after logging out nothing of the account is left in the browser, not even of answers that come later', async () => {
  const { page, context, other, username, expectProblem } = await world.signUp();
  // The other tab is told that the session ended, and asks why.
  expectProblem(/status of 401.*sync\/changes/);
  await other.put('/slow/late-secret.txt', 'content-secret');
  await other.put('/early-secret.txt', 'content-secret');
  await page.goto('/');
  await page.getByRole('grid').getByText('early-secret.txt').click();
  await page.getByText('content-secret').waitFor();
  await page.getByRole('button', { name: 'Close' }).click();
  await waitForWorker(page);
  await poll(() => readAllKept(page)).toContain('early-secret');
  // Something that is still said when the account is left.
  await page.getByRole('grid').focus();
  await page.keyboard.press('Control+c');
  await page.getByText(/ready to paste/).waitFor();

  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let answered: Promise<void> = Promise.resolve();
  await context.route(/\/api\/v1\/files\?path=%2Fslow/, (route) => {
    answered = (async () => {
      const response = await route.fetch();
      await held;
      // The page may have given it up.
      await route.fulfill({ response }).catch(() => undefined);
    })();
    return answered;
  });
  const asked = page.waitForRequest(/path=%2Fslow/);
  await page.getByRole('grid').getByText('slow', { exact: true }).hover();
  await asked;
  const second = await context.newPage();
  await second.goto('/');
  await second.getByRole('grid').getByText('early-secret.txt').waitFor();
  await logOut(page);
  await second.getByText('You are logged out').waitFor();
  release();
  await answered;
  for (const tab of [page, second]) {
    await poll(() => readAllKept(tab)).not.toMatch(/secret/);
    const kept = await readAllKept(tab);
    expect(kept).not.toContain(username);
    expect(kept).not.toContain('/api/');
  }

  // Somebody else in the same browser sees nothing of it either, without a network least of all.
  const name = `${username}-next`;
  await page.getByRole('button', { name: 'No account yet? Create one' }).click();
  await page.getByLabel('Username').fill(name);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByText('Bring your first files').waitFor();
  expect(await readAllKept(page)).not.toMatch(/secret/);
});

/** Has the server of a page change to another version, in which parts of the old one have other names. */
function changeVersion(proxy: FrontProxy): void {
  let isLoadedAnew = false;
  proxy.rewrite = (path, body, type) => {
    if (type.startsWith('text/html')) {
      isLoadedAnew = true;
      return Buffer.from(body.toString().replace('<head>', '<head><meta name="version" content="next">'));
    }
    if (path === '/service-worker.js') return Buffer.concat([body, Buffer.from('\n// next')]);
    // What the old page would load late has another name in the new version.
    return /assets\/(trash|settings)-page/.test(path) && !isLoadedAnew ? null : body;
  };
}

test('a page whose server has parts of it no more loads the new version by itself', async () => {
  const proxy = await startFrontProxy(world.server.port);
  onTestFinished(() => proxy.close());
  const options = { baseURL: proxy.url, serviceWorkers: 'block' } as const;
  const { page, other, expectProblem } = await world.signUp(options);
  expectProblem(
    /status of 404|net::ERR_|dynamically imported|WebSocket|Failed to load resource|Service Worker/,
  );
  await other.put('/mine.txt', 'x');
  await page.goto('/');
  await page.getByRole('grid').getByText('mine.txt').waitFor();
  changeVersion(proxy);
  await page.getByRole('link', { name: 'Trash' }).click();
  await page.getByText('The trash is empty').waitFor();
  expect(await page.locator('meta[name=version]').getAttribute('content')).toBe('next');
});

test('a page goes on with what its worker kept; after a reload it is the new version, with a server or without', async () => {
  const proxy = await startFrontProxy(world.server.port);
  onTestFinished(() => proxy.close());
  const { page, context, other, expectProblem } = await world.signUp({ baseURL: proxy.url });
  expectProblem(/status of 404|net::ERR_|dynamically imported|WebSocket|Failed to load resource/);
  await other.put('/mine.txt', 'x');
  await page.goto('/');
  await page.getByRole('grid').getByText('mine.txt').waitFor();
  await waitForWorker(page);
  changeVersion(proxy);
  await page.getByRole('link', { name: 'Trash' }).click();
  await page.getByText('The trash is empty').waitFor();
  expect(await page.locator('meta[name=version]').count()).toBe(0);
  await page.reload();
  await page.getByText('The trash is empty').waitFor();
  expect(await page.locator('meta[name=version]').getAttribute('content')).toBe('next');

  // The worker is the new one, and what it keeps is the new page.
  await poll(() =>
    page.evaluate(async () => {
      const registration = await navigator.serviceWorker.getRegistration();
      await registration?.update();
      const page_ = await (await caches.open('cairn-shell-1')).match('/');
      return (
        registration?.waiting === null &&
        registration.installing === null &&
        (await page_?.text())?.includes('"next"')
      );
    }),
  ).toBe(true);
  await world.server.halt('SIGKILL');
  proxy.close();
  await page.goto('/files');
  await page.getByRole('grid').getByText('mine.txt').waitFor();
  expect(await page.locator('meta[name=version]').getAttribute('content')).toBe('next');
  expect(context.pages().length).toBe(1);
  await world.server.resume();
});

test('what is asked of the API does not go through the service worker, where the browser can do without', async () => {
  const { page } = await world.signUp();
  await page.goto('/');
  await waitForWorker(page);
  await page.reload();
  await page.getByText('Bring your first files').waitFor();
  const asked = await page.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .filter(({ name }) => name.includes('/api/v1/'))
      // Service Workers, “Static routing”: not in the types yet.
      .map((entry) => (entry.toJSON() as { workerFinalSourceType?: string }).workerFinalSourceType),
  );
  expect(asked.length).toBeGreaterThan(1);
  expect(new Set(asked)).toEqual(new Set(['network']));
});
