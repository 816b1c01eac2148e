import { AxeBuilder } from '@axe-core/playwright';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { makeConflict } from './testing/attacks.ts';
import { createPng } from './testing/png.ts';
import { createWebWorld, type Person } from './testing/web-world.ts';

const world = createWebWorld();
const TIMEOUT_MS = 420_000;

const LOOKS: readonly [string, BrowserContextOptions][] = [
  ['in light', { colorScheme: 'light' }],
  ['in dark', { colorScheme: 'dark' }],
  ['on a phone, in light', { colorScheme: 'light', viewport: { width: 390, height: 844 }, hasTouch: true }],
  ['on a phone, in dark', { colorScheme: 'dark', viewport: { width: 390, height: 844 }, hasTouch: true }],
];

/** Fails with what axe finds, and where. */
async function findProblems(page: Page, screen: string): Promise<readonly string[]> {
  // Its other way would open a page of its own, which the browser's state of this one is not in.
  const { violations } = await new AxeBuilder({ page })
    .setLegacyMode(true)
    .options({ preload: false })
    .analyze();
  const found: string[] = [];
  for (const { id, nodes } of violations) {
    for (const node of nodes) {
      // Menus and tooltips belong to their button, wherever in the page they are.
      const isApart =
        id === 'region' &&
        (await page.evaluate(
          (selector) => document.querySelector(selector)?.closest('[role=menu], [role=tooltip]') != null,
          String(node.target[0]),
        ));
      if (!isApart) found.push(`${screen}: ${id}: ${node.html.slice(0, 200)} ${node.failureSummary ?? ''}`);
    }
  }
  return found;
}

interface Filled extends Person {
  readonly ids: Readonly<Record<string, string>>;
}

async function signUpWithFiles(options: BrowserContextOptions): Promise<Filled> {
  const person = await world.signUp(options);
  const { other } = person;
  const picture = await other.put('/picture.png', createPng({ width: 320, height: 200 }));
  const markdown = await other.put(
    '/notes.md',
    '# Notes\n\n- [x] one\n- two\n\n| a | b |\n|--|--|\n| 1 | 2 |\n\n`code`\n',
  );
  await other.put('/plan.txt', 'first\nsecond\n');
  const text = await other.put('/plan.txt', 'first\nchanged\n');
  const folder = await other.makeFolder('/A folder');
  const unknown = await other.put('/archive.zip', 'PK');
  await makeConflict(other, '/both.txt', 'Laptop');
  const gone = await other.put('/gone.txt', 'gone');
  await other.ask('DELETE', `/files/${gone.entryId}`);
  const ids = Object.entries({ picture, markdown, text, folder, unknown }).map(([name, { entryId }]) => [
    name,
    entryId,
  ]);
  return { ...person, ids: Object.fromEntries(ids) as Record<string, string> };
}

type Step = readonly [screen: string, show: (person: Filled) => Promise<unknown>];

const SCREENS: readonly Step[] = [
  [
    'files',
    async ({ page }) => {
      await page.goto('/files');
      await page.getByRole('grid').getByText('plan.txt').waitFor();
    },
  ],
  [
    'files, one selected',
    async ({ page }) => {
      await page.getByRole('grid').focus();
      await page.keyboard.press('End');
      await page.getByRole('toolbar').waitFor();
    },
  ],
  [
    'files as a grid',
    async ({ page }) => {
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Grid', exact: true }).click();
      await page.getByRole('grid').locator('img').first().waitFor();
    },
  ],
  [
    'search',
    async ({ page }) => {
      await page.goto('/files?q=plan');
      await page
        .getByRole('grid', { name: /Results/ })
        .getByText('plan.txt')
        .waitFor();
    },
  ],
  [
    'search without results',
    async ({ page }) => {
      await page.goto('/files?q=nowhere');
      await page.getByText('Nothing found').waitFor();
    },
  ],
  [
    'an empty folder',
    async ({ page }) => {
      await page.goto('/files/A%20folder');
      await page.getByText('This folder is empty').waitFor();
    },
  ],
  [
    'details and versions',
    async ({ page, ids }) => {
      await page.goto(`/files?details=${ids['text']}`);
      await page.getByText('2 versions kept').waitFor();
    },
  ],
  [
    'activity',
    async ({ page }) => {
      await page.goto('/activity');
      await page.getByText('gone.txt').first().waitFor();
    },
  ],
  [
    'trash',
    async ({ page }) => {
      await page.goto('/trash');
      await page.getByText('gone.txt', { exact: true }).waitFor();
    },
  ],
  [
    'conflicts',
    async ({ page }) => {
      await page.goto('/conflicts');
      await page.getByRole('button', { name: 'Compare line by line' }).click();
      await page.getByText('theirs').first().waitFor();
    },
  ],
  [
    'health',
    async ({ page }) => {
      await page.goto('/status');
      await page.getByText('Everything works').waitFor();
    },
  ],
  [
    'settings',
    async ({ page }) => {
      await page.goto('/settings');
      await page.getByRole('list', { name: 'Devices' }).waitFor();
    },
  ],
  [
    'rewind',
    async ({ page, ids }) => {
      await page.goto(`/rewind/${ids['folder']}`);
      await page.getByRole('heading', { name: 'Rewind A folder' }).waitFor();
    },
  ],
  [
    'an address without a page',
    async ({ page }) => {
      await page.goto('/nowhere');
      await page.getByText('Nothing is here').waitFor();
    },
  ],
];

const DIALOGS: readonly Step[] = [
  [
    'preview of a picture',
    async ({ page, ids }) => {
      await page.goto(`/files?preview=${ids['picture']}`);
      await page.getByRole('dialog').locator('img').waitFor();
    },
  ],
  [
    'preview of Markdown',
    async ({ page, ids }) => {
      await page.goto(`/files?preview=${ids['markdown']}`);
      await page.getByRole('heading', { name: 'Notes', exact: true }).waitFor();
    },
  ],
  [
    'preview of a text',
    async ({ page, ids }) => {
      await page.goto(`/files?preview=${ids['text']}`);
      await page.getByText('changed').first().waitFor();
    },
  ],
  [
    'no preview',
    async ({ page, ids }) => {
      await page.goto(`/files?preview=${ids['unknown']}`);
      await page.getByText('No preview').waitFor();
    },
  ],
  [
    'a menu',
    async ({ page }) => {
      await page.goto('/files');
      await page.getByRole('grid').getByText('plan.txt').waitFor();
      await page.getByRole('grid').focus();
      await page.keyboard.press('Home');
      await page.keyboard.press('Shift+F10');
      await page.getByRole('menu').waitFor();
    },
  ],
  [
    'move',
    async ({ page }) => {
      await page.getByRole('menuitem', { name: 'Move to …' }).click();
      await page.getByRole('dialog', { name: /^Move/ }).waitFor();
    },
  ],
  [
    'new folder',
    async ({ page }) => {
      await page.goto('/files');
      await page.getByRole('grid').waitFor();
      const button = page.getByRole('button', { name: 'New folder' });
      if (await button.isVisible()) await button.click();
      else {
        await page.getByRole('button', { name: 'New', exact: true }).click();
        await page.getByRole('menuitem', { name: 'New folder' }).click();
      }
      await page.getByRole('dialog').getByRole('textbox').waitFor();
    },
  ],
  [
    'a rename, and its refusal',
    async ({ page }) => {
      await page.keyboard.press('Escape');
      await page.getByRole('grid').focus();
      await page.keyboard.press('End');
      await page.keyboard.press('F2');
      await page.getByLabel(/^New name for/).fill('a/b');
      await page.keyboard.press('Enter');
      await page.getByRole('alert').waitFor();
    },
  ],
  [
    'a message',
    async ({ page }) => {
      await page.keyboard.press('Escape');
      await page.keyboard.press('Control+c');
      await page.getByText(/ready to paste/).waitFor();
    },
  ],
  [
    'comparison of versions',
    async ({ page, ids }) => {
      await page.goto(`/files?details=${ids['text']}`);
      await page
        .getByRole('button', { name: /^More for the version/ })
        .last()
        .click();
      await page.getByRole('menuitem', { name: 'Compare with current' }).click();
      await page
        .getByRole('dialog', { name: /What changed/ })
        .getByText('changed')
        .first()
        .waitFor();
    },
  ],
  [
    'empty trash',
    async ({ page }) => {
      await page.goto('/trash');
      await page.getByRole('button', { name: 'Empty trash' }).click();
      await page.getByRole('dialog', { name: 'Empty the trash?' }).waitFor();
    },
  ],
  [
    'revoke',
    async ({ page }) => {
      await page.goto('/settings');
      await page.getByRole('button', { name: 'Revoke Laptop' }).click();
      await page.getByRole('dialog').waitFor();
    },
  ],
  [
    'a form with mistakes',
    async ({ page }) => {
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Change password' }).click();
      await page.getByText('Type your current password.').waitFor();
    },
  ],
];

async function walk(steps: readonly Step[], person: Filled): Promise<void> {
  const found: string[] = [];
  for (const [screen, show] of steps) {
    await show(person);
    found.push(...(await findProblems(person.page, screen)));
  }
  expect(found).toEqual([]);
}

describe.each(LOOKS)('axe finds nothing %s', (_name, options) => {
  test('on any screen', { timeout: TIMEOUT_MS }, async () => walk(SCREENS, await signUpWithFiles(options)));
  test('in any dialog, menu and message', { timeout: TIMEOUT_MS }, async () =>
    walk(DIALOGS, await signUpWithFiles(options)),
  );

  test('where people sign in and sign up', async () => {
    await world.signUp();
    const { page } = await world.visit(options);
    await page.goto('/');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('Type your username.').waitFor();
    const found = [...(await findProblems(page, 'log in'))];
    await page.getByRole('button', { name: /Create one/ }).click();
    await page.getByRole('heading', { name: 'Create your account' }).waitFor();
    found.push(...(await findProblems(page, 'sign up')));
    expect(found).toEqual([]);
  });
});
