import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { type OtherDevice, sha256 } from './testing/other-device.ts';
import { hashZip } from './testing/read-zip.ts';
import { createTestFolder, hashTree, random } from './testing/test-folder.ts';
import { createWebWorld } from './testing/web-world.ts';

const world = createWebWorld();
const MIB = 1024 ** 2;

function rowOf(page: Page, name: string) {
  return page.getByRole('grid').locator('[data-entry-id]').filter({ hasText: name });
}

async function saveDownload(page: Page, act: () => Promise<void>) {
  const coming = page.waitForEvent('download');
  await act();
  const download = await coming;
  const folder = await createTestFolder();
  const path = join(folder, 'downloaded');
  await download.saveAs(path);
  return { name: download.suggestedFilename(), path, bytes: await readFile(path) };
}

async function putHoliday(other: OtherDevice): Promise<void> {
  await other.put('/Holiday/beach.bin', random(3 * MIB + 11));
  await other.put('/Holiday/notes.txt', 'Sand everywhere.\n'.repeat(2000));
  await other.put('/Holiday/Ümläut – 日本/größe 🏝.txt', 'names of the world');
  await other.put('/Holiday/empty.txt', '');
  await other.makeFolder('/Holiday/nothing in here');
}

test('a folder comes as a zip with everything in it, byte for byte', async () => {
  const { page, other } = await world.signUp();
  await putHoliday(other);
  await page.goto('/');
  await rowOf(page, 'Holiday').click();
  const zip = await saveDownload(page, () =>
    page.getByRole('toolbar').getByRole('button', { name: 'Download' }).click(),
  );
  expect(zip.name).toBe('Holiday.zip');
  const expected = await other.tree('/', '');
  expect(await hashZip(zip.bytes)).toEqual(expected);
  expect(Object.keys(expected)).toHaveLength(7);
});

test("the system's unzip gives the same files", async ({ skip }) => {
  const unzip = promisify(execFile);
  const isThere = await unzip('unzip', ['-v']).then(
    () => true,
    () => false,
  );
  skip(!isThere, 'there is no unzip on this machine');
  const { page, other } = await world.signUp();
  await putHoliday(other);
  await page.goto('/');
  await rowOf(page, 'Holiday').click();
  const zip = await saveDownload(page, () =>
    page.getByRole('toolbar').getByRole('button', { name: 'Download' }).click(),
  );
  const folder = await createTestFolder();
  await unzip('unzip', ['-q', zip.path, '-d', folder], { env: { ...process.env, LC_ALL: 'C.UTF-8' } });
  expect(await hashTree(folder)).toEqual(await other.tree());
});

test('a selection comes as one zip, with nothing else in it', async () => {
  const { page, other } = await world.signUp();
  await putHoliday(other);
  await other.put('/alone.txt', 'alone');
  await other.put('/left out.txt', 'not wanted');
  await page.goto('/');
  await rowOf(page, 'Holiday').click();
  await rowOf(page, 'alone.txt').click({ modifiers: ['Control'] });
  const zip = await saveDownload(page, () =>
    page.getByRole('toolbar').getByRole('button', { name: 'Download' }).click(),
  );
  expect(zip.name).toMatch(/\.zip$/);
  const { 'left out.txt': leftOut, ...wanted } = await other.tree();
  expect(leftOut).toBeDefined();
  expect(await hashZip(zip.bytes)).toEqual(wanted);
});

test('one file comes as it is, under its name, and goes on after a break', async () => {
  const { page, context, other } = await world.signUp();
  const bytes = random(2 * MIB + 5);
  const { entryId } = await other.put('/größe 日本.bin', bytes);
  await page.goto('/');
  await rowOf(page, 'größe').click({ button: 'right' });
  const file = await saveDownload(page, () => page.getByRole('menuitem', { name: 'Download' }).click());
  expect(file.name).toBe('größe 日本.bin');
  expect(sha256(file.bytes)).toBe(sha256(bytes));

  const url = `/api/v1/files/${entryId}/content`;
  const begin = await context.request.get(url, { headers: { range: 'bytes=0-999999' } });
  expect(begin.status()).toBe(206);
  const { etag = '' } = begin.headers();
  expect(etag).not.toBe('');
  const rest = await context.request.get(url, { headers: { range: 'bytes=1000000-', 'if-range': etag } });
  expect(rest.status()).toBe(206);
  expect(rest.headers()['content-range']).toBe(`bytes 1000000-${bytes.length - 1}/${bytes.length}`);
  expect(sha256(Buffer.concat([await begin.body(), await rest.body()]))).toBe(sha256(bytes));

  // Another content since: a part of it may not be put behind a part of the old one.
  await other.put('/größe 日本.bin', random(2 * MIB + 5));
  const changed = await context.request.get(url, { headers: { range: 'bytes=1000000-', 'if-range': etag } });
  expect(changed.status()).toBe(200);
  expect((await changed.body()).length).toBe(bytes.length);
});
