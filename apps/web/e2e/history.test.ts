import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { OtherDevice } from './testing/other-device.ts';
import { createWebWorld, poll } from './testing/web-world.ts';

const world = createWebWorld();

interface Version {
  readonly versionId: string;
  readonly committedAt: number;
  readonly deviceName: string;
}

async function versionsOf(other: OtherDevice, path: string): Promise<readonly Version[]> {
  const { entryId } = await other.find(path);
  const answer = await other.ask('GET', `/files/${entryId}/versions`);
  return ((await answer.json()) as { versions: Version[] }).versions;
}

async function openVersions(page: Page, name: string) {
  await page
    .getByRole('grid')
    .locator('[data-entry-id]')
    .filter({ hasText: name })
    .click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Details and versions' }).click();
  return page.getByRole('list', { name: 'Versions, newest first' });
}

test('versions are listed with device, time and size, compared, and restored as a new version', async () => {
  const { page, other, username } = await world.signUp();
  const tablet = await world.connect(username, 'Tablet');
  await other.put('/poem.txt', 'Roses are red\nViolets are blue\n');
  await tablet.put('/poem.txt', 'Roses are red\nViolets are violet\nand tall\n');
  await page.goto('/');
  const list = await openVersions(page, 'poem.txt');
  const rows = list.getByRole('listitem');
  await poll(() => rows.count()).toBe(2);
  expect(await rows.nth(0).textContent()).toMatch(/Current.*Saved on Tablet.*42 B \(11 B more\)/);
  expect(await rows.nth(1).textContent()).toMatch(/Saved on Laptop.*31 B/);
  const [newest, oldest] = await versionsOf(other, '/poem.txt');
  expect(await rows.nth(0).locator('time').getAttribute('datetime')).toBe(
    new Date(newest?.committedAt ?? 0).toISOString(),
  );

  await rows
    .nth(1)
    .getByRole('button', { name: /More for the version/ })
    .click();
  await page.getByRole('menuitem', { name: 'Compare with current' }).click();
  const comparison = page.getByRole('dialog', { name: 'What changed in poem.txt' });
  await comparison.getByText('and tall').waitFor();
  expect(await comparison.textContent()).toContain('Violets are');
  await page.keyboard.press('Escape');
  await comparison.waitFor({ state: 'detached' });

  await rows.nth(1).getByRole('button', { name: 'Restore' }).click();
  await poll(() => rows.count()).toBe(3);
  expect((await other.read('/poem.txt')).toString()).toBe('Roses are red\nViolets are blue\n');
  const after = await versionsOf(other, '/poem.txt');
  expect(after.map(({ versionId }) => versionId).slice(1)).toEqual([newest?.versionId, oldest?.versionId]);
  expect(after[0]?.deviceName).toBe('Chrome on Linux');

  await page.getByRole('button', { name: 'Undo' }).click();
  await poll(async () => (await other.read('/poem.txt')).toString()).toContain('and tall');
  // Saved elsewhere while the panel is open: it is there without a reload.
  await tablet.put('/poem.txt', 'Quite another poem\n');
  await poll(() => rows.count()).toBe(5);
});

test('who changed what from which device is told, newest first, and as it happens', async () => {
  const { page, other, username } = await world.signUp();
  const tablet = await world.connect(username, 'Tablet');
  await other.put('/Plans/one.txt', '1');
  await tablet.put('/Plans/one.txt', '11');
  const { entryId } = await other.find('/Plans/one.txt');
  await other.ask('PATCH', `/files/${entryId}`, { name: 'first.txt' });
  await page.goto('/activity');
  const list = page
    .getByRole('region', { name: 'What happened, newest first' })
    .or(page.getByLabel('What happened, newest first'));
  await list.getByText('Renamed').first().waitFor();
  const text = (await list.textContent()) ?? '';
  const order = ['Renamed first.txt', 'Changed', 'Added'].map((words) => text.indexOf(words));
  expect(order.every((at) => at >= 0)).toBe(true);
  expect(order).toEqual([...order].sort((one, two) => one - two));
  expect(text).toContain('was one.txt');
  const head = (device: string) => list.getByRole('heading', { name: device });
  expect(await head('Laptop').count()).toBe(2);
  expect(await head('Tablet').count()).toBe(1);

  await tablet.put('/Plans/second.txt', '2');
  await list.getByText('second.txt').waitFor();
  await page.getByLabel('Device').selectOption({ label: 'Tablet' });
  await poll(() => head('Laptop').count()).toBe(0);
  expect(await list.getByText('second.txt').count()).toBe(1);
  await list.getByRole('link', { name: 'second.txt' }).click();
  await page.getByRole('heading', { name: 'second.txt' }).waitFor();
});
