import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { findLayoutProblems } from './testing/layout-problems.ts';
import { makeLivedInAccount, PLAN } from './testing/lived-in.ts';
import { createTestFolder, random, writeTree } from './testing/test-folder.ts';
import { createWebWorld, PASSWORD, SCREENSHOTS, type Visitor } from './testing/web-world.ts';

const world = createWebWorld({ hasClock: true });
const USERNAME = 'anna';
/** Twenty screens, and an account to be made first. */
const PATIENCE_MS = 480_000;

const DESKTOP: BrowserContextOptions = { viewport: { width: 1280, height: 800 } };
const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true,
};

let isMade = false;

/** One account for all pictures; making it takes a while. */
async function signIn(options: BrowserContextOptions): Promise<Visitor> {
  if (!isMade) await makeLivedInAccount(world, USERNAME);
  isMade = true;
  const visitor = await world.visit(options);
  const answer = await visitor.context.request.post('/api/v1/auth/login', {
    data: { username: USERNAME, password: PASSWORD, deviceName: 'Chrome on Linux', session: 'cookie' },
    headers: { 'x-cairn-request': 'web' },
  });
  expect(answer.ok()).toBe(true);
  return visitor;
}

interface Screen {
  readonly name: string;
  readonly open: (page: Page) => Promise<void>;
}

async function idOf(page: Page, path: string): Promise<string> {
  const answer = await page.context().request.get(`/api/v1/files?path=${encodeURIComponent(path)}`);
  return ((await answer.json()) as { entry: { entryId: string } }).entry.entryId;
}

async function picturesAreThere(page: Page): Promise<void> {
  await page.waitForFunction(() =>
    [...document.images].every(({ complete, naturalWidth }) => complete && naturalWidth > 0),
  );
}

async function grid(page: Page, name: string): Promise<void> {
  await page.getByRole('grid').getByText(name, { exact: true }).first().waitFor();
  await picturesAreThere(page);
}

async function twoDaysAgo(page: Page): Promise<number> {
  return (await page.evaluate(() => Date.now())) - 48 * 3_600_000;
}

const SCREENS: readonly Screen[] = [
  {
    name: 'files-list',
    async open(page) {
      await page.goto('/files');
      await grid(page, 'Welcome.jpg');
    },
  },
  {
    name: 'files-selected',
    async open(page) {
      await page.getByRole('grid').focus();
      await page.keyboard.press('End');
      await page.keyboard.press('Shift+ArrowUp');
      await page.getByRole('toolbar').waitFor();
    },
  },
  {
    name: 'files-menu',
    async open(page) {
      await page.keyboard.press('Escape');
      await page.keyboard.press('ArrowUp');
      await page.keyboard.press('Shift+F10');
      await page.getByRole('menu').waitFor();
    },
  },
  {
    name: 'files-grid',
    async open(page) {
      await page.goto('/files/Photos/Lake%20Garda');
      await grid(page, 'IMG_2041.jpg');
      await page.getByRole('button', { name: 'Grid' }).click();
      await page.goto('/files');
      await grid(page, 'Welcome.jpg');
    },
  },
  {
    name: 'files-grid-photos',
    async open(page) {
      await page.goto('/files/Photos/Lake%20Garda');
      await grid(page, 'IMG_2041.jpg');
    },
  },
  {
    name: 'preview-image',
    async open(page) {
      await page.getByRole('grid').getByText('IMG_2053.jpg').click();
      await page.getByRole('dialog').getByRole('img').first().waitFor();
      await picturesAreThere(page);
    },
  },
  {
    name: 'preview-markdown',
    async open(page) {
      const { pathname } = new URL(page.url());
      expect(pathname).toContain('/files/');
      await page.goto('/files/Projects/Garden%20shed');
      await page.getByRole('button', { name: 'List' }).click();
      await grid(page, 'Plan.md');
      await page.getByRole('grid').getByText('Plan.md').click();
      await page.getByRole('dialog').getByText('Roof before the first frost').waitFor();
    },
  },
  {
    name: 'versions',
    async open(page) {
      await page.goto(`/files/Projects/Garden%20shed?details=${await idOf(page, PLAN)}`);
      await page.getByText('3 versions kept').waitFor();
      await grid(page, 'Plan.md');
    },
  },
  {
    name: 'compare',
    async open(page) {
      await page
        .getByRole('list', { name: 'Versions, newest first' })
        .getByRole('button', { name: /More for the version/ })
        .last()
        .click();
      await page.getByRole('menuitem', { name: 'Compare with current' }).click();
      await page.getByRole('dialog').getByText('Roof before the first frost').waitFor();
    },
  },
  {
    name: 'empty-folder',
    async open(page) {
      await page.goto('/files/To%20sort');
      await page.getByText('This folder is empty').waitFor();
    },
  },
  {
    name: 'search',
    async open(page) {
      await page.goto('/files?q=IMG');
      await grid(page, 'IMG_2041.jpg');
    },
  },
  {
    name: 'move',
    async open(page) {
      await page.goto('/files');
      await grid(page, 'Welcome.jpg');
      await page.getByRole('grid').focus();
      await page.keyboard.press('End');
      await page.getByRole('toolbar').getByRole('button', { name: 'Move to …' }).click();
      await page.getByRole('dialog').getByText('Photos').waitFor();
    },
  },
  {
    name: 'rewind',
    async open(page) {
      const id = await idOf(page, '/Projects/Garden shed');
      await page.goto(`/rewind/${id}?at=${await twoDaysAgo(page)}`);
      await page
        .getByRole('region', { name: /^What was in/ })
        .getByText('Sketch.jpg')
        .waitFor();
      await page.getByText('change 2 back').waitFor();
    },
  },
  {
    name: 'trash',
    async open(page) {
      await page.goto('/trash');
      await page.getByText('Old tax return.pdf', { exact: true }).waitFor();
    },
  },
  {
    name: 'conflicts',
    async open(page) {
      await page.goto('/conflicts');
      await page.getByRole('button', { name: 'Compare line by line' }).click();
      await page.getByText('Bring the camera.').waitFor();
    },
  },
  {
    name: 'activity',
    async open(page) {
      await page.goto('/activity');
      await page.getByText('New idea.md').waitFor();
    },
  },
  {
    name: 'status',
    async open(page) {
      await page.goto('/status');
      await page.getByText('Everything works').waitFor();
      await page.getByRole('heading', { name: 'Capacity over time' }).waitFor();
      await page.getByText('What it takes').waitFor();
    },
  },
  {
    name: 'settings',
    async open(page) {
      await page.goto('/settings');
      await page.getByText('Studio PC').waitFor();
    },
  },
];

for (const [shape, options] of [
  ['desktop', DESKTOP],
  ['phone', PHONE],
] as const) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test(`nothing is cut off or scrolls sideways: ${shape}, ${colorScheme}`, {
      timeout: PATIENCE_MS,
    }, async () => {
      const folder = join(SCREENSHOTS, `${shape}-${colorScheme}`);
      await mkdir(folder, { recursive: true });
      const { page } = await signIn({ ...options, colorScheme });
      const problems: Record<string, readonly string[]> = {};
      async function look(on: Page, name: string): Promise<void> {
        await on.screenshot({ path: join(folder, `${name}.png`) });
        const found = await findLayoutProblems(on);
        if (found.length > 0) problems[name] = found;
      }

      const stranger = await world.visit({ ...options, colorScheme });
      await stranger.page.goto('/');
      await stranger.page.getByRole('button', { name: 'Log in' }).waitFor();
      await look(stranger.page, 'sign-in');
      for (const { name, open } of SCREENS) {
        await open(page);
        await look(page, name);
      }
      await uploadSlowly(page);
      await look(page, 'uploads');
      expect(problems).toEqual({});
    });
  }
}

/** Uploads that never end, since the server is not let to hear of them. */
async function uploadSlowly(page: Page): Promise<void> {
  const folder = await createTestFolder();
  await writeTree(folder, {
    'Concert recording.wav': random(9_000_000),
    'Slides for Monday.pdf': random(1_400_000),
    'Garden.jpg': random(700_000),
  });
  await page.context().route('**/packs', () => new Promise<void>(() => undefined));
  await page.goto('/files/To%20sort');
  await page.getByText('This folder is empty').waitFor();
  await page
    .locator('input[data-picker=files]')
    .setInputFiles(
      ['Concert recording.wav', 'Slides for Monday.pdf', 'Garden.jpg'].map((name) => join(folder, name)),
    );
  await page.getByText('Slides for Monday.pdf').waitFor();
}
