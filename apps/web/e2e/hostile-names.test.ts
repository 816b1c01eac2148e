import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { makeConflict, watchForAttacks } from './testing/attacks.ts';
import { createWebWorld, PASSWORD, poll } from './testing/web-world.ts';

const world = createWebWorld();

const MARKUP = '<img src=hacked.png onerror=hacked(1)>';
const NAMES = [
  `${MARKUP}.txt`,
  '"><script src=hacked.js>.txt',
  "'-hacked(1)-'.txt",
  'javascript:hacked(1)',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: as an attacker would write it
  '{{constructor.constructor("hacked(1)")()}}${hacked(1)}{name}.txt',
  '<svg onload=hacked(1)>.txt',
  '%2e%2e%2fhacked&#x3c;img&gt;?q=1#hash.txt',
  '..\\..\\hacked.txt',
  'line\nbreak\ttab.txt',
  'photo\u202Egnp.exe',
  `${'long'.repeat(62)}.txt`,
  '__proto__',
  'constructor',
];

async function noSidewaysScroll(page: Page): Promise<void> {
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
}

test('names of files with markup, scripts and templates are text everywhere', async () => {
  const { page, context, other, username } = await world.signUp();
  const watch = await watchForAttacks(context, world.server.url, other);
  const evil = await world.connect(username, `${MARKUP}{name}`);
  for (const name of NAMES) await evil.put(`/${name}`, name);
  await evil.makeFolder(`/${MARKUP} folder`);
  await evil.put(`/${MARKUP} folder/inside.txt`, 'inside');

  await page.goto('/files');
  const grid = page.getByRole('grid');
  for (const name of NAMES) await grid.getByTitle(name, { exact: true }).first().waitFor();
  await noSidewaysScroll(page);
  await watch.expectNothing(page);

  // Each in the preview, and one beside the list with its versions.
  for (const name of NAMES) {
    const { entryId } = await other.find(`/${name}`);
    await page.goto(`/files?preview=${entryId}`);
    await page.getByRole('dialog').getByRole('heading').first().waitFor();
    await noSidewaysScroll(page);
  }
  const { entryId } = await other.find(`/${MARKUP}.txt`);
  await page.goto(`/files?details=${entryId}`);
  await page.getByText(`Saved on ${MARKUP}{name}`).waitFor();
  await noSidewaysScroll(page);
  await watch.expectNothing(page);

  await page.goto('/files?q=hacked');
  await page
    .getByRole('grid', { name: /Results/ })
    .getByTitle(`${MARKUP}.txt`, { exact: true })
    .waitFor();
  await page.goto(`/files?q=${encodeURIComponent(MARKUP)}`);
  await page.getByText(`Results for “${MARKUP}” in all folders`).waitFor();
  await watch.expectNothing(page);

  await page.goto('/activity');
  await page.getByRole('heading', { name: MARKUP }).first().waitFor();
  await page.getByText(`${MARKUP} folder`).first().waitFor();
  await page.goto('/settings');
  await page.getByText(`${MARKUP}{name}`).first().waitFor();
  await page.getByRole('button', { name: `Revoke ${MARKUP}{name}` }).click();
  await page.getByRole('dialog', { name: `Revoke “${MARKUP}{name}”?` }).waitFor();
  await page.goto('/status');
  await page.getByText(`${MARKUP}{name}`).first().waitFor();
  await watch.expectNothing(page);
});

test('a folder whose name is markup is opened, renamed, deleted, restored and rewound by its name', async () => {
  const { page, context, other } = await world.signUp();
  const watch = await watchForAttacks(context, world.server.url, other);
  const folder = `${MARKUP}{count}%20`;
  await other.put(`/${folder}/inside.txt`, 'inside');
  await page.goto('/');
  await page.getByRole('grid').getByText(folder).click();
  await page.getByRole('heading', { name: folder }).waitFor();
  await page.getByRole('grid').getByText('inside.txt').waitFor();
  await page.reload();
  await page.getByRole('grid').getByText('inside.txt').waitFor();

  // A rename, with its toast.
  const next = '"><svg onload=hacked(1)>{folder}.txt';
  await page.getByRole('grid').focus();
  await page.keyboard.press('F2');
  await page.getByLabel('New name for inside.txt').fill(next);
  await page.keyboard.press('Enter');
  await page.getByText(`Renamed to “${next}”`).waitFor();
  await page.keyboard.press('Delete');
  await page.getByText(`“${next}” is in the trash`).waitFor();
  await watch.expectNothing(page);

  await page.goto('/trash');
  await page.getByText(`was in /${folder}`).waitFor();
  await page.getByRole('button', { name: `Restore ${next}` }).click();
  await page.getByText(`${next} is back in ${folder}`).waitFor();
  expect(await other.names(`/${folder}`)).toEqual([next]);
  await watch.expectNothing(page);

  const { entryId } = await other.find(`/${folder}`);
  const first = Date.now();
  await other.ask('DELETE', `/files/${(await other.find(`/${folder}/${next}`)).entryId}`);
  await page.goto(`/rewind/${entryId}?at=${first}`);
  await page.getByRole('heading', { name: `Rewind ${folder}` }).waitFor();
  await page.getByText(next).first().waitFor();
  await page.getByRole('button', { name: 'Restore the folder' }).click();
  await page.getByText(`The folder “${folder}” becomes what it was then`).waitFor();
  await page.getByRole('button', { name: 'Go back', exact: true }).click();
  await poll(() => other.names(`/${folder}`)).toEqual([next]);
  await watch.expectNothing(page);
});

test('a conflict of a file and a device with markup in their names is decided in peace', async () => {
  const { page, context, other } = await world.signUp();
  const watch = await watchForAttacks(context, world.server.url, other);
  const name = `${MARKUP}.txt`;
  const copy = await makeConflict(other, `/${name}`, MARKUP);
  await page.goto('/conflicts');
  await page.getByText(name).first().waitFor();
  await page.getByRole('button', { name: 'Compare line by line' }).click();
  await page.getByText('theirs').first().waitFor();
  await watch.expectNothing(page);
  await page.getByRole('button', { name: /Keep the original/ }).click();
  await page.getByText(`${name} stays as it is; the copy is in the trash`).waitFor();
  expect(await other.names()).not.toContain(copy);
  await watch.expectNothing(page);
});

test('a name that turns the direction of writing is shown as what it is, and turns no sentence around', async () => {
  const { page, other } = await world.signUp();
  const name = 'photo\u202Egnp.exe';
  await other.put(`/${name}`, 'MZ');
  await page.goto('/');
  const shown = page.getByRole('grid').getByTitle(name, { exact: true });
  // The last letters that are seen are the extension that counts.
  expect(await shown.innerText()).not.toMatch(/[\u202A-\u202E\u2066-\u2069]/);
  expect(await shown.innerText()).toMatch(/gnp\.exe$/);
  await page.getByRole('grid').focus();
  await page.keyboard.press('Delete');
  const toast = page.getByText('is in the trash');
  await toast.waitFor();
  expect(await toast.innerText()).not.toMatch(/[\u202A-\u202E\u2066-\u2069]/);
  await page.goto('/trash');
  await page.getByRole('button', { name: /^Restore photo/ }).waitFor();
  expect(await page.getByRole('main').innerText()).not.toMatch(/[\u202A-\u202E\u2066-\u2069]/);
  await page.goto('/activity');
  await page.getByText('gnp.exe').first().waitFor();
  expect(await page.getByRole('main').innerText()).not.toMatch(/[\u202A-\u202E\u2066-\u2069]/);
});

test('an account cannot have a name with markup', async () => {
  const { page, expectProblem } = await world.visit();
  await world.signUp();
  expectProblem(/status of 400/);
  await page.goto('/');
  await page.getByRole('button', { name: 'No account yet? Create one' }).click();
  await page.getByLabel('Username').fill(MARKUP);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByText(/starts with a letter or digit/).waitFor();
  expect(await page.evaluate(() => document.querySelectorAll('img').length)).toBe(0);
});
