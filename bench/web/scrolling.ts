import { randomBytes } from 'node:crypto';
import { createId, type EntryId } from '@cairn/model';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { quantile, spread } from '../world/statistics.ts';
import { askApi, saveFile, type WebServer } from './web-world.ts';

const CHANGES_AT_ONCE = 2000;
const FRAMES = 600;
const DROPPED_MS = 50;

interface Me {
  readonly spaces: readonly { readonly spaceId: string; readonly rootId: string }[];
}

/** Many files of one content, which is uploaded once: only their entries are of interest. */
async function fillFolder(context: BrowserContext, count: number): Promise<void> {
  const first = await saveFile(context, '/content.txt', 'the content of all');
  const [space] = (await askApi<Me>(context, '/me')).spaces;
  if (space === undefined) throw new Error('there is no space');
  const { content } = await askApi<{ content: unknown }>(context, `/files/${first}`);
  const newId = () => createId<EntryId>(randomBytes(16));
  const parentId = newId();
  const commit = (changes: readonly unknown[]) =>
    askApi(context, `/spaces/${space.spaceId}/changesets`, { changesetId: newId(), changes });
  await commit([
    { kind: 'create', entryId: parentId, parentId: space.rootId, name: 'Many', entry: { kind: 'folder' } },
  ]);
  for (let start = 0; start < count; start += CHANGES_AT_ONCE) {
    const changes = Array.from({ length: Math.min(CHANGES_AT_ONCE, count - start) }, (_, index) => ({
      kind: 'create',
      entryId: newId(),
      parentId,
      name: `file ${String(start + index).padStart(7, '0')}.txt`,
      entry: { kind: 'file', content, executable: false, modifiedAtUs: 1_700_000_000_000_000 },
    }));
    await commit(changes);
  }
}

/** Scrolls from one end to the other, a step each frame. @returns the time of each frame */
function scrollThrough(page: Page, isDown: boolean): Promise<number[]> {
  return page.evaluate(
    ({ frames, down }) =>
      new Promise<number[]>((resolve) => {
        const grid = document.querySelector('[role="grid"]');
        if (grid === null) throw new Error('there is no list');
        const times: number[] = [];
        const end = grid.scrollHeight - grid.clientHeight;
        let before = 0;
        function step(now: number): void {
          if (before > 0) times.push(now - before);
          before = now;
          const share = times.length / frames;
          (grid as Element).scrollTop = (down ? share : 1 - share) * end;
          if (times.length < frames) requestAnimationFrame(step);
          else resolve(times);
        }
        requestAnimationFrame(step);
      }),
    { frames: FRAMES, down: isDown },
  );
}

/** A folder of very many entries, scrolled from end to end. */
export async function measureScrolling(
  server: WebServer,
  browser: Browser,
  runs: number,
  count: number,
): Promise<void> {
  const context = await server.openSignedIn(browser, 'scroll');
  await fillFolder(context, count);
  const page = await context.newPage();
  await page.goto('/files/Many');
  const words = `${new Intl.NumberFormat('en-GB').format(count)} items`;
  const before = performance.now();
  await page.getByText(words, { exact: true }).waitFor();
  console.log(`${words} are all listed after ${((performance.now() - before) / 1000).toFixed(1)} s`);
  const all: number[][] = [];
  for (let run = 0; run < runs; run++) all.push(await scrollThrough(page, run % 2 === 0));
  const of = (share: number) =>
    spread(
      all.map((times) => quantile(times, share)),
      1,
    );
  console.log(`scrolling ${words}, frame: median ${of(0.5)} ms, p95 ${of(0.95)} ms, worst ${of(1)} ms`);
  const dropped = all.map((times) => times.filter((time) => time > DROPPED_MS).length);
  console.log(`  frames over ${DROPPED_MS} ms: ${spread(dropped)} of ${FRAMES}`);
  await context.close();
}
