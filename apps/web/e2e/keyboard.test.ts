import type { Locator, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { isFocused } from './testing/is-focused.ts';
import { createWebWorld, PASSWORD, poll } from './testing/web-world.ts';

const world = createWebWorld();
const MAX_TABS = 60;

/** Whether people see where the keyboard is. */
async function expectFocusShown(page: Page): Promise<void> {
  const hidden = await page.evaluate(() => {
    const element = document.activeElement;
    if (element === null || element === document.body) return 'nothing has the focus';
    // In lists, one entry stands for all of them.
    const marked = element.getAttribute('role') === 'grid' ? element.querySelector('[data-active]') : element;
    if (marked === null) return null;
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(marked);
    const isShown = (outlineStyle !== 'none' && Number.parseFloat(outlineWidth) > 0) || boxShadow !== 'none';
    return isShown ? null : marked.outerHTML.slice(0, 200);
  });
  expect(hidden).toBeNull();
}

/** Goes on with Tab until it is reached; what is passed shows its focus. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await target.waitFor();
  for (let count = 0; count < MAX_TABS && !(await isFocused(target)); count++) {
    await page.keyboard.press('Tab');
    // After the last element the browser's own controls have the focus.
    if (await page.evaluate(() => document.activeElement !== document.body)) await expectFocusShown(page);
  }
  expect(await isFocused(target), 'it cannot be reached by Tab').toBe(true);
}

async function activeName(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement;
    return `${element?.tagName ?? ''} ${element?.getAttribute('role') ?? element?.getAttribute('aria-label') ?? element?.textContent ?? ''}`;
  });
}

test('a day with the keyboard alone: sign in, open, rename, delete, restore, log out', async () => {
  const { username, other } = await world.signUp();
  await other.put('/docs/letter.txt', 'Dear');
  const { page } = await world.visit();
  await page.goto('/');
  // The first field has the focus by itself.
  await poll(() => isFocused(page.getByLabel('Username'))).toBe(true);
  await page.keyboard.type(username);
  await tabTo(page, page.getByLabel('Password', { exact: true }));
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  const grid = page.getByRole('grid');
  await grid.getByText('docs').waitFor();

  await tabTo(page, grid);
  await page.keyboard.press('ArrowDown');
  await expectFocusShown(page);
  await page.keyboard.press('Enter');
  await grid.getByText('letter.txt').waitFor();
  await tabTo(page, grid);
  await page.keyboard.press('Home');
  await page.keyboard.press('F2');
  await poll(() => isFocused(page.getByLabel('New name for letter.txt'))).toBe(true);
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type('note.txt');
  await page.keyboard.press('Enter');
  await poll(() => other.names('/docs')).toEqual(['note.txt']);
  await poll(() => isFocused(grid)).toBe(true);

  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'note.txt' });
  await dialog.getByText('Dear').waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await poll(() => isFocused(grid)).toBe(true);

  await page.keyboard.press('Delete');
  await poll(() => other.names('/docs')).toEqual([]);
  await tabTo(page, page.getByRole('link', { name: 'Trash' }));
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('button', { name: 'Restore note.txt' }));
  await page.keyboard.press('Enter');
  await poll(() => other.names('/docs')).toEqual(['note.txt']);

  await tabTo(page, page.getByRole('button', { name: `Account of ${username}` }));
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: 'Settings' }).waitFor();
  await poll(async () => {
    await page.keyboard.press('ArrowDown');
    return isFocused(page.getByRole('menuitem', { name: 'Log out' }));
  }).toBe(true);
  await page.keyboard.press('Enter');
  await page.getByText('You are logged out').waitFor();
  await poll(() => isFocused(page.getByLabel('Username'))).toBe(true);
});

test('a dialog keeps the focus inside, and gives it back to what opened it', async () => {
  const { page, other } = await world.signUp();
  await other.put('/a.txt', 'a');
  await other.put('/b.txt', 'b');
  await other.ask('DELETE', `/files/${(await other.find('/b.txt')).entryId}`);
  const open: readonly [string, () => Promise<Locator>][] = [
    [
      'new folder',
      async () => {
        await page.goto('/files');
        const button = page.getByRole('button', { name: 'New folder' });
        await tabTo(page, button);
        await page.keyboard.press('Enter');
        return button;
      },
    ],
    [
      'empty trash',
      async () => {
        await page.goto('/trash');
        const button = page.getByRole('button', { name: 'Empty trash' });
        await tabTo(page, button);
        await page.keyboard.press('Enter');
        return button;
      },
    ],
    [
      'delete one for good, by its menu',
      async () => {
        const button = page.getByRole('button', { name: 'More for b.txt' });
        await tabTo(page, button);
        await page.keyboard.press('Enter');
        await page.getByRole('menu').waitFor();
        await page.keyboard.press('End');
        await page.keyboard.press('Enter');
        return button;
      },
    ],
    [
      'revoke',
      async () => {
        await page.goto('/settings');
        const button = page.getByRole('button', { name: 'Revoke Laptop' });
        await tabTo(page, button);
        await page.keyboard.press('Enter');
        return button;
      },
    ],
    [
      'move, by the list’s menu',
      async () => {
        await page.goto('/files');
        const grid = page.getByRole('grid');
        await grid.getByText('a.txt').waitFor();
        await tabTo(page, grid);
        await page.keyboard.press('Home');
        await page.keyboard.press('Shift+F10');
        await page.getByRole('menuitem', { name: 'Move to …' }).focus();
        await page.keyboard.press('Enter');
        return grid;
      },
    ],
    [
      'preview',
      async () => {
        const grid = page.getByRole('grid');
        await page.keyboard.press('Enter');
        return grid;
      },
    ],
  ];
  for (const [name, act] of open) {
    const opener = await act();
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    for (let count = 0; count < 12; count++) {
      await page.keyboard.press('Tab');
      const inside = await dialog.evaluate((element) => element.contains(document.activeElement));
      expect(inside, `${name}: ${await activeName(page)}`).toBe(true);
      await expectFocusShown(page);
    }
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await poll(() => isFocused(opener), { message: name }).toBe(true);
  }
});

test('the way past the navigation is the first thing that Tab reaches', async () => {
  const { page, other } = await world.signUp();
  await other.put('/a.txt', 'a');
  await page.goto('/');
  await page.getByRole('grid').getByText('a.txt').waitFor();
  await page.keyboard.press('Tab');
  const skip = page.getByRole('link', { name: 'Skip to content' });
  expect(await isFocused(skip)).toBe(true);
  expect(await skip.boundingBox()).toMatchObject({ width: expect.any(Number) });
  await page.keyboard.press('Enter');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
});

test('who wants less movement gets none', async () => {
  for (const reducedMotion of ['reduce', 'no-preference'] as const) {
    const { page, other } = await world.signUp({ reducedMotion });
    await other.put('/a.txt', 'a');
    await page.goto('/');
    await page.getByRole('grid').getByText('a.txt').waitFor();
    await page.getByRole('button', { name: 'New folder' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    const longestMs = await page.evaluate(() => {
      const toMs = (text: string) =>
        Math.max(
          ...text.split(',').map((part) => Number.parseFloat(part) * (part.trim().endsWith('ms') ? 1 : 1000)),
        );
      return Math.max(
        ...[...document.querySelectorAll('*')].map((element) => {
          const { animationName, animationDuration, transitionDuration } = getComputedStyle(element);
          return Math.max(animationName === 'none' ? 0 : toMs(animationDuration), toMs(transitionDuration));
        }),
      );
    });
    if (reducedMotion === 'reduce') expect(longestMs).toBeLessThan(1);
    else expect(longestMs).toBeGreaterThan(10);
  }
});
