import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { connectCommandLine } from './testing/synced-device.ts';
import { createWebWorld, poll } from './testing/web-world.ts';

const world = createWebWorld();

/** The undo of the message that says so: an older message may still be there. */
function undoOf(page: Page, text: string) {
  const messages = page.getByRole('region', { name: 'Messages' });
  return messages.locator('div').filter({ hasText: text }).getByRole('button', { name: 'Undo' });
}

function rowOf(page: Page, name: string) {
  return page.getByRole('grid').locator('[data-entry-id]').filter({ hasText: name });
}

test('what a computer syncs is seen without a reload, and what is done here reaches its folder', async () => {
  const { page, username } = await world.signUp();
  await page.goto('/');
  await page.getByText('Bring your first files').waitFor();
  const computer = await connectCommandLine(world.server.url, username, 'Workstation');
  await mkdir(join(computer.folder, 'Reports'));
  await writeFile(join(computer.folder, 'Reports', 'march.txt'), 'March was fine.\n');
  await writeFile(join(computer.folder, 'hello.txt'), 'Hello from a terminal.\n');
  computer.startSync();
  await rowOf(page, 'hello.txt').waitFor();
  await page.getByRole('link', { name: 'Reports' }).click();
  await rowOf(page, 'march.txt').waitFor();

  await writeFile(join(computer.folder, 'Reports', 'april.txt'), 'April was better.\n');
  await rowOf(page, 'april.txt').waitFor();

  await rowOf(page, 'march.txt').click();
  await page.keyboard.press('F2');
  await page.getByLabel('New name for march.txt').fill('March 2026.txt');
  await page.keyboard.press('Enter');
  await poll(() =>
    readFile(join(computer.folder, 'Reports', 'March 2026.txt'), 'utf8').catch(() => null),
  ).toBe('March was fine.\n');
});

test('what the command line uploads is seen without a reload', async () => {
  const { page, username } = await world.signUp();
  await page.goto('/');
  await page.getByText('Bring your first files').waitFor();
  const computer = await connectCommandLine(world.server.url, username, 'Workstation');
  await writeFile(join(computer.folder, 'sent.txt'), 'sent');
  await computer.run('put', join(computer.folder, 'sent.txt'));
  await rowOf(page, 'sent.txt').waitFor();
  await computer.run('rm', '/sent.txt');
  await page.getByText('Bring your first files').waitFor();
});

test('a folder is created, and a bad name is refused where it is typed', async () => {
  const { page, other, expectProblem } = await world.signUp();
  await other.makeFolder('/Taken');
  await page.goto('/');
  await rowOf(page, 'Taken').waitFor();
  await page.getByRole('button', { name: 'New folder' }).click();
  const dialog = page.getByRole('dialog', { name: 'New folder' });
  const name = dialog.getByLabel('Name of the new folder');
  await name.fill('a/b');
  await page.keyboard.press('Enter');
  await dialog.getByRole('alert').waitFor();
  expectProblem(/status of 409/);
  await name.fill('Taken');
  await page.keyboard.press('Enter');
  await dialog.getByText('“Taken” is taken here').waitFor();
  await name.fill('Ideas');
  await page.keyboard.press('Enter');
  await rowOf(page, 'Ideas').waitFor();
  expect(await rowOf(page, 'Ideas').getAttribute('aria-selected')).toBe('true');
  expect(await other.names()).toEqual(['Ideas', 'Taken']);
});

test('names are changed in their place, by key and by menu, and changed back', async () => {
  const { page, other, expectProblem } = await world.signUp();
  await other.put('/draft.txt', 'draft');
  await other.put('/other.txt', 'other');
  await page.goto('/');
  await rowOf(page, 'draft.txt').click();
  await page.keyboard.press('F2');
  const editor = page.getByLabel('New name for draft.txt');
  // Only the part before the extension is typed over.
  await page.keyboard.type('final');
  expect(await editor.inputValue()).toBe('final.txt');
  await page.keyboard.press('Escape');
  await rowOf(page, 'draft.txt').waitFor();
  expect(await other.names()).toEqual(['draft.txt', 'other.txt']);

  await page.keyboard.press('F2');
  expectProblem(/status of 409/);
  await editor.fill('other.txt');
  await page.keyboard.press('Enter');
  await page.getByText('“other.txt” is taken here').waitFor();
  await editor.fill('final.txt');
  await page.keyboard.press('Enter');
  await rowOf(page, 'final.txt').waitFor();
  await poll(() => other.names()).toEqual(['final.txt', 'other.txt']);

  await rowOf(page, 'other.txt').click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Rename' }).click();
  await page.getByLabel('New name for other.txt').fill('else.txt');
  await page.keyboard.press('Enter');
  await poll(() => other.names()).toEqual(['else.txt', 'final.txt']);
  await undoOf(page, 'Renamed to “else.txt”').click();
  await poll(() => other.names()).toEqual(['final.txt', 'other.txt']);
  await rowOf(page, 'other.txt').waitFor();
});

test('entries are moved by dragging them on a folder and on the way up', async () => {
  const { page, other } = await world.signUp();
  await other.put('/a.txt', 'a');
  await other.put('/b.txt', 'b');
  await other.makeFolder('/Box');
  await other.makeFolder('/Box/Inner');
  await page.goto('/');
  await rowOf(page, 'a.txt').click();
  await rowOf(page, 'b.txt').click({ modifiers: ['Control'] });
  await rowOf(page, 'b.txt').dragTo(rowOf(page, 'Box'));
  await poll(() => other.names('/Box')).toEqual(['Inner', 'a.txt', 'b.txt']);
  await page.getByText('Moved 2 items to “Box”').waitFor();
  await poll(() => rowOf(page, 'a.txt').count()).toBe(0);

  await page.getByRole('link', { name: 'Box' }).click();
  await rowOf(page, 'a.txt').dragTo(
    page.getByRole('navigation', { name: 'Folder' }).getByRole('link', { name: 'Files' }),
  );
  await poll(() => other.names()).toEqual(['Box', 'a.txt']);
  await undoOf(page, 'Moved “a.txt” to Files').click();
  await poll(() => other.names('/Box')).toEqual(['Inner', 'a.txt', 'b.txt']);
});

test('entries are moved and copied by dialog, and a folder not into itself', async () => {
  const { page, other } = await world.signUp();
  await other.put('/a.txt', 'a');
  await other.put('/Archive/2025/old.txt', 'old');
  await page.goto('/');
  await rowOf(page, 'a.txt').click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Copy to …' }).click();
  const copying = page.getByRole('dialog', { name: 'Copy “a.txt”' });
  await copying.getByRole('button', { name: 'Archive' }).click();
  await copying.getByRole('button', { name: '2025' }).click();
  await copying.getByText('No folders in here').waitFor();
  await copying.getByRole('button', { name: 'Copy here' }).click();
  await poll(() => other.names('/Archive/2025')).toEqual(['a.txt', 'old.txt']);
  expect((await other.read('/Archive/2025/a.txt')).toString()).toBe('a');

  await rowOf(page, 'a.txt').click();
  await page.getByRole('toolbar').getByRole('button', { name: 'Move to …' }).click();
  const moving = page.getByRole('dialog', { name: 'Move “a.txt”' });
  expect(await moving.getByRole('button', { name: 'Move here' }).isDisabled()).toBe(true);
  await moving.getByRole('button', { name: 'New folder' }).click();
  await page.getByLabel('Name of the new folder').fill('Fresh');
  await page.keyboard.press('Enter');
  await moving.getByText('No folders in here').waitFor();
  await moving.getByRole('button', { name: 'Move here' }).click();
  await poll(() => other.names('/Fresh')).toEqual(['a.txt']);
  await poll(() => other.names()).toEqual(['Archive', 'Fresh']);

  await rowOf(page, 'Archive').click();
  await page.getByRole('toolbar').getByRole('button', { name: 'Move to …' }).click();
  const folder = page.getByRole('dialog', { name: 'Move “Archive”' });
  expect(await folder.getByRole('button', { name: 'Archive' }).isDisabled()).toBe(true);
});

test('cut, copy and paste by key', async () => {
  const { page, other, expectProblem } = await world.signUp();
  await other.put('/a.txt', 'a');
  await other.put('/b.txt', 'b');
  await other.makeFolder('/Box');
  await page.goto('/');
  await rowOf(page, 'a.txt').click();
  await page.keyboard.press('Control+x');
  await page.getByRole('link', { name: 'Box' }).click();
  await page.getByText('This folder is empty').waitFor();
  await page.keyboard.press('Control+v');
  await poll(() => other.names('/Box')).toEqual(['a.txt']);
  await rowOf(page, 'a.txt').click();
  await page.keyboard.press('Control+c');
  // A copy beside the original gets a name of its own, once the server has said that the first choice is taken.
  expectProblem(/status of 409.*copy/);
  await page.keyboard.press('Control+v');
  await poll(async () => (await other.names('/Box')).length).toBe(2);
});

test('what is deleted goes to the trash, and comes back by the toast', async () => {
  const { page, other } = await world.signUp();
  await other.put('/keep.txt', 'keep');
  await other.put('/Old/one.txt', 'one');
  await page.goto('/');
  await rowOf(page, 'Old').click();
  await page.keyboard.press('Delete');
  await page.getByText('“Old” is in the trash').waitFor();
  await poll(() => other.names()).toEqual(['keep.txt']);
  await poll(() => rowOf(page, 'Old').count()).toBe(0);
  await page.getByRole('button', { name: 'Undo' }).click();
  await rowOf(page, 'Old').waitFor();
  expect((await other.read('/Old/one.txt')).toString()).toBe('one');
});
