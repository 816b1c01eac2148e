import { randomFillSync } from 'node:crypto';
import { closeSync, copyFileSync, openSync, rmSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { BrowserContext } from 'playwright-core';
import { runCairn } from '../world/cairn-program.ts';
import { withCleanup } from '../world/cleanup.ts';
import { readUsage, resetPeak } from '../world/process-usage.ts';
import { median, spread } from '../world/statistics.ts';
import type { Browsers, PlainPage } from './plain-browser.ts';
import { startServer } from './web-world.ts';

const MIB = 1024 ** 2;
const AIM_RATIO = 0.5;
const AIM_SHARE = 0.01;

function writeRandomFile(path: string, sizeBytes: number): void {
  const file = openSync(path, 'w');
  const piece = Buffer.alloc(4 * MIB);
  for (let left = sizeBytes; left > 0; left -= piece.length) {
    writeSync(file, randomFillSync(piece), 0, Math.min(left, piece.length));
  }
  closeSync(file);
}

/** Bytes of the bodies that a browser sends, as their headers tell: DevTools tell nothing of a `Blob`. */
function countSent(context: BrowserContext): { take(): Promise<number> } {
  let counted: Promise<number>[] = [];
  context.on('requestfinished', (request) => {
    if (request.method() === 'GET') return;
    counted.push(request.allHeaders().then((headers) => Number(headers['content-length'] ?? 0)));
  });
  return {
    async take() {
      const sizes = await Promise.all(counted);
      counted = [];
      return sizes.reduce((total, size) => total + size, 0);
    },
  };
}

const PICKER = 'input[data-picker="files"]';

/** Gives the page a file as its button would. @returns how long it took until it is on the server, in seconds */
async function uploadInPage(page: PlainPage, path: string): Promise<number> {
  const name = JSON.stringify(basename(path));
  const before = performance.now();
  await page.chooseFile(PICKER, path);
  await page.waitUntil(`document.querySelector('[role="grid"]')?.textContent.includes(${name}) === true`);
  return (performance.now() - before) / 1000;
}

/** The same in a browser that tells what it sends. @returns bytes of the bodies that it sent */
async function countInPage(context: BrowserContext, path: string): Promise<number> {
  const page = await context.newPage();
  await page.goto('/');
  const sent = countSent(context);
  await page.locator(PICKER).setInputFiles(path);
  await page.getByRole('grid').getByText(basename(path)).waitFor();
  return sent.take();
}

interface BrowserRun {
  readonly seconds: number;
  readonly againShare: number;
  readonly peakBytes: number;
}

function runBrowser(browsers: Browsers, folder: string, path: string, copy: string, sizeBytes: number) {
  return withCleanup(async (defer): Promise<BrowserRun> => {
    const server = await startServer(folder, defer);
    const context = await server.openSignedIn(browsers.watched, 'upload');
    defer(() => context.close());
    const page = await browsers.plain.openPage(context);
    defer(() => page.close());
    await page.navigate(server.url);
    await page.waitUntil(`document.body?.textContent.includes('Bring your first files') === true`);
    // The worker that keeps the app for next time has fetched all of it.
    await page.waitUntil(`navigator.serviceWorker.controller !== null`);
    const renderers = await browsers.plain.renderers();
    for (const id of renderers) resetPeak(id);
    const seconds = await uploadInPage(page, path);
    const peakBytes = Math.max(...renderers.map((id) => readUsage(id).peakRssBytes));
    return { seconds, peakBytes, againShare: (await countInPage(context, copy)) / sizeBytes };
  });
}

function runCommand(folder: string, path: string): Promise<number> {
  return withCleanup(async (defer) => {
    const server = await startServer(folder, defer);
    const variables = await server.signUp('upload');
    const before = performance.now();
    await runCairn(['upload', path, '/'], variables);
    return (performance.now() - before) / 1000;
  });
}

/** The browser's upload beside the command line's of the same bytes, each to a server of its own, by turns. */
export async function measureUploads(
  browsers: Browsers,
  folder: string,
  runs: number,
  sizeBytes: number,
): Promise<void> {
  const path = join(folder, 'random.bin');
  const copy = join(folder, 'again.bin');
  const browserRuns: BrowserRun[] = [];
  const commandSeconds: number[] = [];
  for (let run = 0; run < runs; run++) {
    writeRandomFile(path, sizeBytes);
    copyFileSync(path, copy);
    const steps = [
      async () => void browserRuns.push(await runBrowser(browsers, folder, path, copy, sizeBytes)),
      async () => void commandSeconds.push(await runCommand(folder, path)),
    ];
    if (run % 2 === 1) steps.reverse();
    for (const step of steps) await step();
  }
  rmSync(path);
  rmSync(copy);
  const sizeMib = sizeBytes / MIB;
  const rates = browserRuns.map(({ seconds }) => sizeMib / seconds);
  const commandRates = commandSeconds.map((seconds) => sizeMib / seconds);
  const ratios = rates.map((rate, run) => rate / (commandRates[run] ?? Number.NaN));
  const verdict = median(ratios) >= AIM_RATIO ? '' : ', missed';
  console.log(
    `upload of ${sizeMib} MiB: browser ${spread(rates)} MiB/s, command ${spread(commandRates)} MiB/s`,
  );
  console.log(`  browser to command: ${spread(ratios, 2)} (aim ≥ ${AIM_RATIO}${verdict})`);
  const peaks = browserRuns.map(({ peakBytes }) => peakBytes / MIB);
  console.log(`  peak memory of the renderer: ${spread(peaks)} MiB`);
  const shares = browserRuns.map(({ againShare }) => againShare * 100);
  console.log(`  sent again under another name: ${spread(shares, 2)} % (aim < ${AIM_SHARE * 100} %)`);
}
