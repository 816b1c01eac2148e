import type { Locator, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { isFocused } from './testing/is-focused.ts';
import type { OtherDevice } from './testing/other-device.ts';
import { createWebWorld, poll } from './testing/web-world.ts';

const world = createWebWorld();

function rows(page: Page): Locator {
  return page.getByRole('grid').locator('[data-entry-id]');
}

async function namesIn(page: Page): Promise<string[]> {
  return rows(page)
    .locator('[title]:is(a, button)')
    .evaluateAll((all) =>
      all
        // Rows are recycled, so their order on the page is that of their places.
        .sort((one, two) => one.getBoundingClientRect().top - two.getBoundingClientRect().top)
        .map((element) => element.getAttribute('title') ?? ''),
    );
}

async function selectedIn(page: Page): Promise<string[]> {
  return page
    .getByRole('grid')
    .locator('[data-entry-id][aria-selected=true] [title]:is(a, button)')
    .evaluateAll((all) => all.map((element) => element.getAttribute('title') ?? '').sort());
}

async function putAll(other: OtherDevice, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) await other.put(path, content);
}

test('the keyboard walks, selects, opens, deletes', async () => {
  const { page, other } = await world.signUp();
  await putAll(other, { '/a.txt': '1', '/b.txt': '2', '/c.txt': '3', '/d.txt': '4', '/Folder/x.txt': '5' });
  await page.goto('/');
  await rows(page).first().waitFor();
  await page.getByRole('grid').focus();
  await page.keyboard.press('ArrowDown');
  expect(await selectedIn(page)).toEqual(['a.txt']);
  await page.keyboard.press('Shift+ArrowDown');
  await page.keyboard.press('Shift+ArrowDown');
  expect(await selectedIn(page)).toEqual(['a.txt', 'b.txt', 'c.txt']);
  await page.keyboard.press('Shift+ArrowUp');
  expect(await selectedIn(page)).toEqual(['a.txt', 'b.txt']);
  await page.getByRole('toolbar', { name: '2 selected' }).waitFor();
  await page.keyboard.press('Escape');
  expect(await selectedIn(page)).toEqual([]);
  await page.keyboard.press('Control+a');
  expect(await selectedIn(page)).toEqual(['Folder', 'a.txt', 'b.txt', 'c.txt', 'd.txt']);
  await page.keyboard.press('Escape');

  // Ctrl walks without selecting, blank selects one more.
  await page.keyboard.press('Home');
  expect(await selectedIn(page)).toEqual(['Folder']);
  await page.keyboard.press('End');
  expect(await selectedIn(page)).toEqual(['d.txt']);
  await page.keyboard.press('Control+ArrowUp');
  await page.keyboard.press('Control+ArrowUp');
  await page.keyboard.press('Space');
  expect(await selectedIn(page)).toEqual(['b.txt', 'd.txt']);
  await page.keyboard.press('Delete');
  await poll(() => other.names()).toEqual(['Folder', 'a.txt', 'c.txt']);
  await poll(() => namesIn(page)).toEqual(['Folder', 'a.txt', 'c.txt']);

  // The keyboard is still in the list: typing goes to a name, Enter opens it, Escape closes it again.
  await page.keyboard.press('c');
  expect(await selectedIn(page)).toEqual(['c.txt']);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').getByText('3', { exact: true }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await poll(() => isFocused(page.getByRole('grid'))).toBe(true);
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await poll(() => namesIn(page)).toEqual(['x.txt']);
  await page.getByRole('grid').focus();
  await page.keyboard.press('Backspace');
  await poll(() => namesIn(page)).toEqual(['Folder', 'a.txt', 'c.txt']);
});

test('shift and ctrl select with the mouse', async () => {
  const { page, other } = await world.signUp();
  await putAll(other, { '/a.txt': '1', '/b.txt': '2', '/c.txt': '3', '/d.txt': '4' });
  await page.goto('/');
  await rows(page).nth(0).click();
  await rows(page)
    .nth(2)
    .click({ modifiers: ['Shift'] });
  expect(await selectedIn(page)).toEqual(['a.txt', 'b.txt', 'c.txt']);
  await rows(page)
    .nth(1)
    .click({ modifiers: ['Control'] });
  expect(await selectedIn(page)).toEqual(['a.txt', 'c.txt']);
  await page.getByRole('checkbox', { name: 'Select all' }).check();
  expect(await selectedIn(page)).toEqual(['a.txt', 'b.txt', 'c.txt', 'd.txt']);
});

test('sorts by each column, and remembers it', async () => {
  const { page, other } = await world.signUp();
  await putAll(other, {
    '/file 10.txt': '1',
    '/file 9.txt': '333',
    '/Äpfel.txt': '22',
    '/Zoo/x.txt': 'x',
    '/Art/y.txt': 'y',
  });
  await page.goto('/');
  await poll(() => namesIn(page)).toEqual(['Art', 'Zoo', 'Äpfel.txt', 'file 9.txt', 'file 10.txt']);
  const heading = (name: string) =>
    page.getByRole('columnheader', { name }).getByRole('button', { name, exact: true });
  await heading('Name').click();
  await poll(() => namesIn(page)).toEqual(['Zoo', 'Art', 'file 10.txt', 'file 9.txt', 'Äpfel.txt']);
  await heading('Size').click();
  await poll(async () => (await namesIn(page)).slice(2)).toEqual(['file 9.txt', 'Äpfel.txt', 'file 10.txt']);
  await heading('Modified').click();
  await poll(async () => (await namesIn(page)).slice(2)).toEqual(['Äpfel.txt', 'file 9.txt', 'file 10.txt']);
  await page.reload();
  await poll(async () => (await namesIn(page)).slice(2)).toEqual(['Äpfel.txt', 'file 9.txt', 'file 10.txt']);
  const sorted = page.getByRole('columnheader', { name: 'Modified' });
  expect(await sorted.getAttribute('aria-sort')).toBe('descending');
});

test('filters a folder while typing, and finds in all folders', async () => {
  const { page, other } = await world.signUp();
  await putAll(other, {
    '/Invoices/2025/invoice march.pdf': 'x',
    '/Invoices/invoice april.pdf': 'x',
    '/invoice list.txt': 'x',
    '/notes.txt': 'x',
    '/Über uns.txt': 'x',
  });
  await page.goto('/');
  await rows(page).first().waitFor();
  const find = page.getByRole('searchbox');
  await find.fill('INVOICE');
  await poll(() => namesIn(page)).toEqual(['Invoices', 'invoice list.txt']);
  await page.getByText('2 of 4').waitFor();
  // Accents need not be typed.
  await find.fill('uber');
  await poll(() => namesIn(page)).toEqual(['Über uns.txt']);
  await find.fill('zzz');
  await page.getByText('Nothing here matches').waitFor();
  await page.keyboard.press('Escape');
  await poll(async () => (await namesIn(page)).length).toBe(4);

  await find.fill('march');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Results for “march” in all folders' }).waitFor();
  await poll(() => namesIn(page)).toEqual(['invoice march.pdf']);
  await page.getByRole('grid').getByRole('link', { name: '/Invoices/2025' }).click();
  await page.getByRole('heading', { name: '2025' }).waitFor();
  await page.goBack();
  await page.getByRole('heading', { name: /Results for “march”/ }).waitFor();
  // What another device adds is found without a reload.
  await other.put('/Diary/march.md', 'x');
  await poll(async () => (await namesIn(page)).sort()).toEqual(['invoice march.pdf', 'march.md']);
});

test('shows as a grid with pictures of images, remembers it, and the keyboard goes in two directions', async () => {
  const { page, other } = await world.signUp();
  for (let number = 1; number <= 9; number++) await other.put(`/file ${number}.txt`, String(number));
  await page.goto('/');
  await rows(page).first().waitFor();
  await page.getByRole('button', { name: 'Grid' }).click();
  await page.getByRole('gridcell', { name: /file 9\.txt/ }).waitFor();
  await page.reload();
  const first = page.getByRole('gridcell', { name: /file 1\.txt/ });
  await first.waitFor();
  await page.getByRole('grid').focus();
  await page.keyboard.press('ArrowRight');
  expect(await selectedIn(page)).toEqual(['file 2.txt']);
  const top = (await first.boundingBox())?.y;
  await page.keyboard.press('ArrowDown');
  const below = page.locator('[data-entry-id][aria-selected=true]');
  expect((await below.boundingBox())?.y).toBeGreaterThan(top ?? 0);
  await page.getByRole('button', { name: 'List' }).click();
  await page.getByRole('columnheader', { name: 'Size' }).waitFor();
});

test('the way up, the address and the history of the browser lead to folders', async () => {
  const { page, other, expectProblem } = await world.signUp();
  await putAll(other, { '/Work/Plans & ideas/50% done #1/deep.txt': 'x' });
  await page.goto('/');
  for (const name of ['Work', 'Plans & ideas', '50% done #1']) {
    await page.getByRole('grid').getByRole('link', { name, exact: true }).click();
    await page.getByRole('heading', { name, exact: true }).waitFor();
  }
  await poll(() => namesIn(page)).toEqual(['deep.txt']);
  await page.reload();
  await poll(() => namesIn(page)).toEqual(['deep.txt']);
  const way = page.getByRole('navigation', { name: 'Folder' });
  await way.getByRole('link', { name: 'Work' }).click();
  await poll(() => namesIn(page)).toEqual(['Plans & ideas']);
  await page.goBack();
  await poll(() => namesIn(page)).toEqual(['deep.txt']);
  // Moved elsewhere by somebody else: the page finds nothing at the old place, and goes with it.
  expectProblem(/status of 404.*files\?path=/);
  const { entryId } = await other.find('/Work/Plans & ideas/50% done #1');
  const root = await other.makeFolder('/Done');
  await other.ask('PATCH', `/files/${entryId}`, { parentId: root.entryId });
  await poll(() => decodeURIComponent(new URL(page.url()).pathname)).toBe('/files/Done/50% done #1');
  await poll(() => namesIn(page)).toEqual(['deep.txt']);
});

test('of thousands of entries only those in sight are on the page', async () => {
  const { page, other } = await world.signUp();
  const COUNT = 3000;
  await other.makeFolder('/Many');
  const made: Promise<unknown>[] = [];
  const next = { number: 0 };
  for (let worker = 0; worker < 8; worker++) {
    made.push(
      (async () => {
        while (next.number < COUNT) {
          await other.put(`/Many/entry ${String(next.number++).padStart(5, '0')}.txt`, '');
        }
      })(),
    );
  }
  await Promise.all(made);
  await page.goto('/files/Many');
  await page.getByText(`${COUNT.toLocaleString('en')} items`).waitFor();
  await page.getByRole('grid').focus();
  expect(await rows(page).count()).toBeLessThan(60);
  await page.keyboard.press('End');
  await page.getByRole('grid').getByText('entry 02999.txt').waitFor();
  expect(await selectedIn(page)).toEqual(['entry 02999.txt']);
  await page.keyboard.press('PageUp');
  expect(await selectedIn(page)).not.toEqual(['entry 02999.txt']);
  expect(await rows(page).count()).toBeLessThan(60);
  await page.keyboard.press('Home');
  await page.getByRole('grid').getByText('entry 00000.txt').waitFor();
  await page.keyboard.press('Control+a');
  await page.getByText('3,000 selected').waitFor();
  await page.getByRole('button', { name: 'Grid' }).click();
  await page.getByRole('grid').focus();
  await page.keyboard.press('Escape');
  await page.keyboard.press('End');
  await page.getByRole('grid').getByText('entry 02999.txt').waitFor();
  expect(await rows(page).count()).toBeLessThan(120);
});
