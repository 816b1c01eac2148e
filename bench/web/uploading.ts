import { randomFillSync } from 'node:crypto';
import { closeSync, copyFileSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { runCairn } from '../world/cairn-program.ts';
import { withCleanup } from '../world/cleanup.ts';
import { readUsage, resetPeak } from '../world/process-usage.ts';
import { median, spread } from './statistics.ts';
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

async function renderersOf(browser: Browser): Promise<number[]> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
}

/** Gives the page a file as its button would. @returns how long it took until it is on the server, in seconds */
async function uploadInPage(page: Page, path: string): Promise<number> {
  const before = performance.now();
  await page.locator('input[data-picker="files"]').setInputFiles(path);
  const name = path.slice(path.lastIndexOf('/') + 1);
  await page.getByRole('grid').getByText(name).waitFor();
  return (performance.now() - before) / 1000;
}

interface BrowserRun {
  readonly seconds: number;
  readonly againShare: number;
  readonly peakBytes: number;
}

function runBrowser(browser: Browser, folder: string, path: string, copy: string, sizeBytes: number) {
  return withCleanup(async (defer): Promise<BrowserRun> => {
    const server = await startServer(folder, defer);
    const context = await server.openSignedIn(browser, 'upload');
    defer(() => context.close());
    const page = await context.newPage();
    await page.goto('/');
    await page.getByText('Bring your first files').waitFor();
    await page.waitForLoadState('networkidle');
    const renderers = await renderersOf(browser);
    for (const id of renderers) resetPeak(id);
    const seconds = await uploadInPage(page, path);
    const peakBytes = Math.max(...renderers.map((id) => readUsage(id).peakRssBytes));
    // Counted only now: telling every request costs time.
    const sent = countSent(context);
    await uploadInPage(page, copy);
    return { seconds, peakBytes, againShare: (await sent.take()) / sizeBytes };
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
  browser: Browser,
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
      async () => void browserRuns.push(await runBrowser(browser, folder, path, copy, sizeBytes)),
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
