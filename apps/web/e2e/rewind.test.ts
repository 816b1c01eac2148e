import { createHash } from 'node:crypto';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { OtherDevice } from './testing/other-device.ts';
import { createWebWorld, poll } from './testing/web-world.ts';

const world = createWebWorld();

async function latestChangeAt(other: OtherDevice): Promise<number> {
  const answer = await other.ask('GET', '/activity?limit=1');
  const { items } = (await answer.json()) as { items: { committedAt: number }[] };
  return items[0]?.committedAt ?? 0;
}

/** An album with a past: what it was then, and the instant. */
async function makeAlbum(other: OtherDevice) {
  const { entryId } = await other.makeFolder('/Album');
  await other.put('/Album/caption.txt', 'At the lake');
  await other.put('/Album/beach.txt', 'sand');
  await other.put('/Album/Old/deep.txt', 'deep');
  const then = await other.tree('/Album');
  const at = await latestChangeAt(other);
  // Two changes within one millisecond would be one moment.
  await expect.poll(() => Date.now(), { interval: 1 }).toBeGreaterThan(at + 1);
  await other.put('/Album/caption.txt', 'ENCRYPTED, pay up');
  await other.ask('DELETE', `/files/${(await other.find('/Album/Old')).entryId}`);
  await other.ask('PATCH', `/files/${(await other.find('/Album/beach.txt')).entryId}`, {
    name: 'beach.txt.locked',
  });
  await other.put('/Album/RANSOM.txt', 'pay');
  return { entryId, at, then, now: await other.tree('/Album') };
}

function listOfThen(page: Page) {
  return page.getByRole('region', { name: /^What was in/ });
}

test('a folder is seen as it was, what going back would change, and goes back and forth', async () => {
  const { page, other, expectProblem } = await world.signUp();
  await other.put('/outside.txt', 'untouched');
  const { entryId, at, then, now } = await makeAlbum(other);
  await page.goto('/');
  await page
    .getByRole('grid')
    .locator('[data-entry-id]')
    .filter({ hasText: 'Album' })
    .click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'See this folder as it was' }).click();
  await page.getByRole('heading', { name: 'Rewind Album' }).waitFor();
  await listOfThen(page).getByText('RANSOM.txt').waitFor();
  await page.goto(`/rewind/${entryId}?at=${at}`);
  await listOfThen(page).getByText('caption.txt').waitFor();
  expect(await listOfThen(page).getByText('RANSOM.txt').count()).toBe(0);
  const changes = page.getByRole('region', { name: 'What would change' }).first();
  await changes.getByText('change 1 back').waitFor();
  await changes.getByText('move 1 back').waitFor();
  await changes.getByText('move 1 to the trash').waitFor();
  await changes.getByText(/bring back \d/).waitFor();
  // Looked at as of then, without going back.
  await listOfThen(page).getByRole('button', { name: 'caption.txt', exact: true }).click();
  await page.getByRole('dialog').getByText('At the lake').waitFor();
  await page.keyboard.press('Escape');
  await listOfThen(page).getByRole('button', { name: 'Open Old' }).click();
  await listOfThen(page).getByText('deep.txt').waitFor();
  expect(await other.tree('/Album')).toEqual(now);

  // The folder that is looked into is there again, and with the undo it is not: the server says either.
  expectProblem(/status of (404|410).*rewind/);
  await page.getByRole('button', { name: 'Restore the folder' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Go back' }).click();
  await page.getByText(/changes were made: it is as it was/).waitFor();
  expect(await other.tree('/Album')).toEqual(then);
  expect(await other.names()).toEqual(['Album', 'outside.txt']);

  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('Undone: everything is as it was before').waitFor();
  expect(await other.tree('/Album')).toEqual(now);
  await listOfThen(page).getByText('RANSOM.txt').waitFor();
});

test('one thing goes back, the rest stays', async () => {
  const { page, other } = await world.signUp();
  const { entryId, at, now } = await makeAlbum(other);
  await page.goto(`/rewind/${entryId}?at=${at}`);
  await listOfThen(page).getByRole('button', { name: 'More for caption.txt' }).click();
  await page.getByRole('menuitem', { name: 'Restore only this' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Go back' }).click();
  await page.getByText('1 change was made').waitFor();
  const caption = createHash('sha256').update('At the lake').digest('hex');
  expect(await other.tree('/Album')).toEqual({ ...now, 'caption.txt': caption });

  await other.put('/Album/meanwhile.txt', 'saved by somebody else');
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('Undone: everything is as it was before').waitFor();
  const { 'meanwhile.txt': meanwhile, ...rest } = await other.tree('/Album');
  expect(meanwhile).toBeDefined();
  expect(rest).toEqual(now);

  await listOfThen(page).getByRole('button', { name: 'More for caption.txt' }).click();
  await page.getByRole('menuitem', { name: 'Restore only this' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Go back' }).click();
  await poll(async () => (await other.tree('/Album'))['caption.txt']).toBe(caption);
  await listOfThen(page).getByRole('button', { name: 'More for Old' }).click();
  await page.getByRole('menuitem', { name: 'Restore only this' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Go back' }).click();
  await poll(async () => Object.keys(await other.tree('/Album')).sort()).toEqual(
    [...Object.keys(now), 'Old/', 'Old/deep.txt', 'meanwhile.txt'].sort(),
  );
});

test('a moment is chosen by day and time', async () => {
  const { page, other, expectProblem } = await world.signUp({ timezoneId: 'UTC' });
  const { entryId } = await makeAlbum(other);
  await page.goto(`/rewind/${entryId}`);
  await listOfThen(page).getByText('RANSOM.txt').waitFor();
  // Long before there was an account; all of the minute that is chosen is part of it.
  expectProblem(/status of 410.*rewind/);
  await page.getByLabel('Day and time').fill('2020-02-29T12:00:00');
  await poll(() => new URL(page.url()).searchParams.get('at')).toBe(
    String(Date.UTC(2020, 1, 29, 12, 0, 59, 999)),
  );
  await page.getByText('That is too long ago').waitFor();
  await page.getByRole('button', { name: 'Now', exact: true }).click();
  await listOfThen(page).getByText('RANSOM.txt').waitFor();
});
