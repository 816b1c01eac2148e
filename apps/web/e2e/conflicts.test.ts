import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { OtherDevice } from './testing/other-device.ts';
import { connectCommandLine } from './testing/synced-device.ts';
import { createWebWorld, type Person, poll } from './testing/web-world.ts';

const world = createWebWorld();

/** A file that a computer changed while it was away, and another device meanwhile. */
async function makeConflict({ username, other }: Person): Promise<void> {
  await other.put('/plan.txt', 'the plan\nof spring\n');
  const computer = await connectCommandLine(world.server.url, username, 'Workstation');
  const file = join(computer.folder, 'plan.txt');
  computer.startSync();
  await poll(() => readFile(file, 'utf8').catch(() => '')).toContain('of spring');
  await computer.stopSync();
  await writeFile(file, 'the plan\nof the workstation\n');
  await other.put('/plan.txt', 'the plan\nof the laptop\n');
  computer.startSync();
  await poll(async () => (await other.names()).length).toBe(2);
  await computer.stopSync();
}

async function contents(other: OtherDevice): Promise<readonly string[]> {
  const names = await other.names();
  return (await Promise.all(names.map((name) => other.read(`/${name}`)))).map(String).sort();
}

function card(page: Page) {
  return page.getByRole('article', { name: 'plan.txt' });
}

test('both sides of a real conflict are listed, compared, and the copy is kept, and that is undone', async () => {
  const person = await world.signUp();
  const { page, other } = person;
  await page.goto('/conflicts');
  await page.getByText('No conflicts').waitFor();
  await makeConflict(person);
  await card(page).waitFor();
  expect(await card(page).textContent()).toMatch(/Original.*Saved .* on Laptop/);
  expect(await card(page).textContent()).toMatch(/Conflict copy.*Saved .* on Workstation/);
  // The copy bears the name that the device has on the server.
  expect((await other.names())[0]).toMatch(/^plan \(Workstation's Conflict Copy /);
  await card(page).getByRole('button', { name: 'Compare line by line' }).click();
  await card(page).getByText('of the workstation').waitFor();
  await card(page).getByText('of the laptop').waitFor();

  await card(page).getByRole('button', { name: 'Keep the copy' }).click();
  await page.getByText('No conflicts').waitFor();
  expect(await other.names()).toEqual(['plan.txt']);
  expect((await other.read('/plan.txt')).toString()).toContain('of the workstation');
  await page.getByRole('button', { name: 'Undo' }).click();
  await card(page).waitFor();
  expect(await contents(other)).toEqual(['the plan\nof the laptop\n', 'the plan\nof the workstation\n']);

  await card(page).getByRole('button', { name: 'Keep both' }).click();
  await page.getByText('No conflicts').waitFor();
  expect(await contents(other)).toHaveLength(2);
});

test('the copy is marked among the files, and the original is kept', async () => {
  const person = await world.signUp();
  const { page, other } = person;
  await makeConflict(person);
  await page.goto('/');
  await page.getByRole('grid').getByText('Conflict copy', { exact: true }).waitFor();
  await page.goto('/conflicts');
  await card(page).getByRole('button', { name: 'Keep the original' }).click();
  await page.getByText('No conflicts').waitFor();
  expect(await contents(other)).toEqual(['the plan\nof the laptop\n']);
});
