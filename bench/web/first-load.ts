import type { BrowserContext, Page } from 'playwright-core';
import { median, spread } from '../world/statistics.ts';
import type { Browsers, PlainBrowser } from './plain-browser.ts';
import { saveFile, type WebServer } from './web-world.ts';

const AIM_KIB = 200;
const AIM_MS = 1000;

/** Counts scripts as they came over the wire; resolves the sum when nothing is under way any more. */
function countScripts(page: Page): () => Promise<number> {
  const sizes: Promise<number>[] = [];
  page.on('requestfinished', (request) => {
    if (request.resourceType() !== 'script') return;
    sizes.push(request.sizes().then(({ responseBodySize }) => responseBodySize));
  });
  return async () => {
    await page.waitForLoadState('networkidle');
    return (await Promise.all(sizes)).reduce((total, size) => total + size, 0);
  };
}

/** Notes when a row is there and the page has drawn it and is free for the person. */
const NOTE_FIRST_ROW = `{
  const observer = new MutationObserver(() => {
    if (document.querySelector('[role="grid"] [data-entry-id]') === null) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => { globalThis.interactiveAtMs = performance.now(); }));
  });
  observer.observe(document, { childList: true, subtree: true });
}`;
/** The page is not asked anything while it loads. */
const LOAD_MS = 3000;

/** Milliseconds from the start of the navigation. */
async function timeFirstRow(plain: PlainBrowser, context: BrowserContext, url: string): Promise<number> {
  const page = await plain.openPage(context);
  await page.addScript(NOTE_FIRST_ROW);
  await page.navigate(url);
  await page.waitUntil('globalThis.interactiveAtMs !== undefined', LOAD_MS);
  const interactiveAtMs = await page.evaluate<number>('interactiveAtMs');
  await page.close();
  return interactiveAtMs;
}

async function visit(context: BrowserContext, shown: (page: Page) => Promise<unknown>): Promise<number> {
  const page = await context.newPage();
  const scripts = countScripts(page);
  await page.goto('/');
  await shown(page);
  return (await scripts()) / 1024;
}

/** First visits of browsers that were never here. */
export async function measureFirstLoad(
  server: WebServer,
  { watched, plain }: Browsers,
  runs: number,
): Promise<void> {
  const signIn: number[] = [];
  const files: number[] = [];
  const interactive: number[] = [];
  for (let run = 0; run < runs; run++) {
    // An account for every run makes the page of somebody who comes back: the first shows "welcome".
    const owner = await server.openSignedIn(watched, `load-${run}`);
    await saveFile(owner, '/first.txt', 'first');
    const stranger = await server.open(watched);
    signIn.push(await visit(stranger, (page) => page.getByLabel('Username').waitFor()));
    await stranger.close();
    interactive.push(await timeFirstRow(plain, owner, server.url));
    files.push(await visit(owner, (page) => page.getByRole('grid').getByText('first.txt').waitFor()));
    await owner.close();
  }
  console.log(`scripts of the sign-in page: ${spread(signIn, 1)} KiB compressed (aim ≤ ${AIM_KIB})`);
  console.log(`scripts of the Files page: ${spread(files, 1)} KiB compressed (aim ≤ ${AIM_KIB})`);
  const verdict = median(interactive) < AIM_MS ? '' : ', missed';
  console.log(`Files is interactive after ${spread(interactive)} ms (aim < ${AIM_MS}${verdict})`);
}
