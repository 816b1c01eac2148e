import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dropFiles } from './testing/drop.ts';
import { answerFilePicker, takeFilePickers } from './testing/file-pickers.ts';
import { countSentBytes } from './testing/sent-bytes.ts';
import { createTestFolder, hashTree, random, writeTree } from './testing/test-folder.ts';
import { createWebWorld, poll } from './testing/web-world.ts';

const world = createWebWorld();
const MIB = 1024 ** 2;

test('a dropped folder is on the server file by file, empty folders too', async () => {
  const { page, other } = await world.signUp();
  const folder = await createTestFolder();
  await writeTree(folder, {
    'Holiday/beach.jpg': random(3 * MIB + 17),
    'Holiday/notes.txt': 'Sand everywhere.\n',
    'Holiday/deep/er/still/small.bin': random(1),
    'Holiday/deep/empty.txt': '',
    'Holiday/ümläut – 日本.txt': 'names of the world',
    'alone.bin': random(300_000),
  });
  await mkdir(join(folder, 'Holiday', 'nothing in here'));
  await page.goto('/');
  await page.getByText('Bring your first files').waitFor();
  await dropFiles(page, page.getByRole('main'), [join(folder, 'Holiday'), join(folder, 'alone.bin')]);

  await page.getByRole('grid').getByText('Holiday', { exact: true }).waitFor();
  await poll(() => other.tree()).toEqual(await hashTree(folder));
  await page.getByRole('heading', { name: /uploads? done/ }).waitFor();
  // Appeared by itself.
  await page.getByRole('grid').getByText('alone.bin').waitFor();
});

test('files and folders are chosen by button', async () => {
  const { page, other } = await world.signUp();
  await takeFilePickers(page);
  const folder = await createTestFolder();
  await writeTree(folder, { 'one.txt': '1', 'Album/two.txt': '2', 'Album/in/three.bin': random(MIB) });
  await page.goto('/');
  await page.getByText('Bring your first files').waitFor();

  const files = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Upload files' }).first().click();
  await (await files).setFiles(join(folder, 'one.txt'));
  await page.getByRole('grid').getByText('one.txt').waitFor();

  const folders = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Upload', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Upload folder' }).click();
  await (await folders).setFiles(join(folder, 'Album'));
  await page.getByRole('grid').getByText('Album').waitFor();
  await poll(() => other.tree()).toEqual(await hashTree(folder));
});

test('where the browser gives handles, files are chosen by its own dialog, from the button and from the menu', async () => {
  const { page, other } = await world.signUp();
  await answerFilePicker(page, 'letter.txt', 'Dear Ann,');
  await page.goto('/');
  await page.getByRole('button', { name: 'Upload files' }).first().click();
  await page.getByRole('grid').getByText('letter.txt').waitFor();
  expect((await other.read('/letter.txt')).toString()).toBe('Dear Ann,');

  await other.makeFolder('/Letters');
  await page.goto('/files/Letters');
  await page.getByRole('button', { name: 'Upload', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Upload files' }).click();
  await page.getByRole('grid').getByText('letter.txt').waitFor();
  expect((await other.read('/Letters/letter.txt')).toString()).toBe('Dear Ann,');
});

test('files are pasted from outside, but not while a name is typed', async () => {
  const { page, other } = await world.signUp();
  await page.goto('/');
  await page.getByText('Bring your first files').waitFor();
  // The clipboard of the system is not for tests; what a page hears of it is.
  const paste = (at: string, name: string) =>
    page.locator(at).evaluate((element, title) => {
      const clipboardData = new DataTransfer();
      clipboardData.items.add(new File(['pasted'], title, { type: 'text/plain' }));
      element.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
    }, name);
  await paste('input[type="search"]', 'into a field.txt');
  await paste('main', 'Clipping.txt');
  await page.getByRole('grid').getByText('Clipping.txt').waitFor();
  expect((await other.read('/Clipping.txt')).toString()).toBe('pasted');
  expect(await other.names()).toEqual(['Clipping.txt']);
});

test('an upload that the server refuses says why, and is tried again when its person wants', async () => {
  const { page, other, context, expectProblem } = await world.signUp();
  expectProblem(/status of 507/);
  const folder = await createTestFolder();
  await writeTree(folder, { 'large.bin': random(2 * MIB) });
  await takeFilePickers(page);
  const problem = {
    type: 'about:blank',
    title: 'full',
    status: 507,
    code: 'storage-full',
    detail: 'the disk is full',
  };
  await context.route('**/packs', (route) =>
    route.fulfill({ status: 507, contentType: 'application/problem+json', body: JSON.stringify(problem) }),
  );
  await page.goto('/');
  await page.getByText('Bring your first files').waitFor();
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Upload files' }).first().click();
  await (await chooser).setFiles(join(folder, 'large.bin'));
  const tray = page.getByRole('region', { name: 'Uploads' });
  await tray.getByRole('button', { name: 'Try large.bin again' }).first().waitFor();
  expect(await other.names()).toEqual([]);
  await context.unroute('**/packs');
  await tray.getByRole('button', { name: 'Try large.bin again' }).first().click();
  await page.getByRole('grid').getByText('large.bin').waitFor();
  expect((await other.read('/large.bin')).equals(await readFile(join(folder, 'large.bin')))).toBe(true);
});

test('a file that is there already is asked about, and becomes a version', async () => {
  const { page, other } = await world.signUp();
  const folder = await createTestFolder();
  await writeTree(folder, { 'plan.txt': 'the new plan' });
  await other.put('/plan.txt', 'the old plan');
  await page.goto('/');
  await page.getByRole('grid').getByText('plan.txt').waitFor();
  await dropFiles(page, page.getByRole('main'), [join(folder, 'plan.txt')]);
  const question = page.getByRole('dialog', { name: /plan\.txt.* is there already/ });
  await question.getByRole('button', { name: 'Save as new version' }).click();
  await poll(async () => (await other.read('/plan.txt')).toString()).toBe('the new plan');
  const { entryId } = await other.find('/plan.txt');
  const { versions } = (await (await other.ask('GET', `/files/${entryId}/versions`)).json()) as {
    versions: unknown[];
  };
  expect(versions).toHaveLength(2);
});

test('after a reload in the middle an upload goes on, and no block is sent twice', async () => {
  const { page, other, expectProblem } = await world.signUp();
  // What the reload cut off.
  expectProblem(/net::ERR_/);
  const folder = await createTestFolder();
  const sizeBytes = 24 * MIB;
  await writeTree(folder, { 'film.bin': random(sizeBytes) });
  await takeFilePickers(page);
  const sent = countSentBytes(page.context(), /\/packs$/);
  let slow = true;
  await page.context().route('**/packs', async (route) => {
    // Only so that there is a middle.
    if (slow) await new Promise((resolve) => setTimeout(resolve, 400));
    await route.continue().catch(() => undefined);
  });
  await page.goto('/');
  await page.getByText('Bring your first files').waitFor();
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Upload files' }).first().click();
  await (await chooser).setFiles(join(folder, 'film.bin'));
  await poll(() => sent.bytes).toBeGreaterThan(sizeBytes / 4);
  await page.reload();
  slow = false;
  expect(await other.names()).toEqual([]);

  await page.getByRole('region', { name: 'Uploads that a reload stopped' }).waitFor();
  const again = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Choose files' }).click();
  await (await again).setFiles(join(folder, 'film.bin'));
  await page.getByRole('grid').getByText('film.bin').waitFor();
  expect(await other.tree()).toEqual(await hashTree(folder));
  await sent.settled();
  expect(sent.bytes).toBeGreaterThan(sizeBytes);
  // What was under way at the moment of the reload is sent again, at most.
  expect(sent.bytes).toBeLessThan(sizeBytes * 1.4);
});

test('an upload waits while the network is away, and goes on by itself', async () => {
  const { page, other, context, expectProblem } = await world.signUp();
  expectProblem(/net::ERR_/);
  expectProblem(/WebSocket/);
  const folder = await createTestFolder();
  await writeTree(folder, { 'film.bin': random(16 * MIB) });
  await takeFilePickers(page);
  let packs = 0;
  await context.route('**/packs', async (route) => {
    packs++;
    if (packs === 2) await context.setOffline(true);
    await route.continue().catch(() => undefined);
  });
  await page.goto('/');
  await page.getByText('Bring your first files').waitFor();
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Upload files' }).first().click();
  await (await chooser).setFiles(join(folder, 'film.bin'));
  await page.getByRole('heading', { name: 'Waiting for the server' }).waitFor();
  await context.setOffline(false);
  await page.getByRole('grid').getByText('film.bin').waitFor();
  expect(await other.tree()).toEqual(await hashTree(folder));
});

test('a file that changes before its bytes are sent fails alone, and what others send is whole', async () => {
  const { page, other, context, expectProblem } = await world.signUp();
  expectProblem(/net::ERR_UPLOAD_FILE_CHANGED/);
  const folder = await createTestFolder();
  await writeTree(folder, { 'growing.bin': random(6 * MIB), 'steady.bin': random(3 * MIB) });
  await takeFilePickers(page);
  let isChanged = false;
  await context.route('**/packs', async (route) => {
    if (!isChanged) {
      isChanged = true;
      const path = join(folder, 'growing.bin');
      await writeFile(path, random(7 * MIB));
      await utimes(path, new Date(), new Date(Date.now() + 60_000));
    }
    await route.continue().catch(() => undefined);
  });
  await page.goto('/');
  await page.getByText('Bring your first files').waitFor();
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Upload files' }).first().click();
  await (await chooser).setFiles([join(folder, 'growing.bin'), join(folder, 'steady.bin')]);
  await page.getByText(/The file changed|the file changed/).waitFor();
  await poll(() => other.names()).toEqual(['steady.bin']);
  const kept = await other.read('/steady.bin');
  expect(kept.equals(await readFile(join(folder, 'steady.bin')))).toBe(true);
});

test('a second upload of the same file sends almost nothing', async () => {
  const { page, other } = await world.signUp();
  const folder = await createTestFolder();
  const bytes = random(12 * MIB);
  await writeTree(folder, { 'original.bin': bytes, 'again.bin': bytes });
  const sent = countSentBytes(page.context());
  await page.goto('/');
  await page.getByText('Bring your first files').waitFor();
  await dropFiles(page, page.getByRole('main'), [join(folder, 'original.bin')]);
  await poll(() => other.names()).toEqual(['original.bin']);
  await poll(() => sent.bytes).toBeGreaterThan(bytes.length);
  await sent.restart();
  await dropFiles(page, page.getByRole('main'), [join(folder, 'again.bin')]);
  await poll(() => other.names()).toEqual(['again.bin', 'original.bin']);
  expect(await readFile(join(folder, 'again.bin'))).toEqual(await other.read('/again.bin'));
  await poll(() => sent.bytes).toBeGreaterThan(0);
  await sent.settled();
  expect(sent.bytes).toBeLessThan(bytes.length / 100);
});
