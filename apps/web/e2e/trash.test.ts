import { expect, test } from 'vitest';
import { createWebWorld, poll } from './testing/web-world.ts';

const world = createWebWorld();

test('what was deleted anywhere is listed with who, when and how long it stays, and comes back', async () => {
  const { page, other, username } = await world.signUp();
  const tablet = await world.connect(username, 'Tablet');
  await other.put('/Work/plan.txt', 'the plan');
  await other.put('/gone.txt', 'gone');
  await tablet.ask('DELETE', `/files/${(await other.find('/Work/plan.txt')).entryId}`);
  await page.goto('/trash');
  const list = page.getByLabel('What was deleted, newest first');
  await list.getByText('plan.txt', { exact: true }).waitFor();
  expect(await page.getByRole('main').textContent()).toMatch(/is kept here for \d+ days/);
  const text = (await list.textContent()) ?? '';
  expect(text).toMatch(/was in \/Work/);
  expect(text).toMatch(/deleted .* on Tablet/);
  expect(text).toMatch(/kept until \w+ \d/);

  // Deleted on another device while this is open.
  await tablet.ask('DELETE', `/files/${(await other.find('/gone.txt')).entryId}`);
  await list.getByText('gone.txt', { exact: true }).waitFor();

  await page.getByRole('button', { name: 'Restore plan.txt' }).click();
  await page.getByText('plan.txt is back in Work').waitFor();
  expect((await other.read('/Work/plan.txt')).toString()).toBe('the plan');
  await page.getByRole('button', { name: 'Show' }).click();
  await page.getByRole('grid').getByText('plan.txt').waitFor();
});

test('what comes back to a place that is taken gets a name of its own', async () => {
  const { page, other } = await world.signUp();
  await other.put('/plan.txt', 'first');
  await other.ask('DELETE', `/files/${(await other.find('/plan.txt')).entryId}`);
  await other.put('/plan.txt', 'second');
  await page.goto('/trash');
  await page.getByRole('button', { name: 'Restore plan.txt' }).click();
  await page.getByText(/plan\.txt is back as .*, because its old place was taken/).waitFor();
  expect((await other.read('/plan.txt')).toString()).toBe('second');
  expect(await other.names()).toHaveLength(2);
});

test('is deleted for good only after a question, one by one and all at once', async () => {
  const { page, other } = await world.signUp();
  for (const name of ['a', 'b', 'c', 'd']) {
    await other.put(`/${name}.txt`, name);
    await other.ask('DELETE', `/files/${(await other.find(`/${name}.txt`)).entryId}`);
  }
  const trashed = async () => {
    const { items } = (await (await other.ask('GET', '/trash')).json()) as { items: { name: string }[] };
    return items.map(({ name }) => name).sort();
  };
  await page.goto('/trash');
  await page.getByRole('button', { name: 'More for a.txt' }).click();
  await page.getByRole('menuitem', { name: 'Delete for good' }).waitFor();
  // Beside its button, however far down the row is.
  const button = await page.getByRole('button', { name: 'More for a.txt' }).boundingBox();
  const menu = await page.getByRole('menu').boundingBox();
  const below = (button?.y ?? 0) + (button?.height ?? 0);
  expect(Math.abs((menu?.y ?? 0) - below)).toBeLessThan(20);
  await page.getByRole('menuitem', { name: 'Delete for good' }).click();
  const question = page.getByRole('alertdialog').or(page.getByRole('dialog'));
  await question.getByRole('button', { name: 'Cancel' }).click();
  expect(await trashed()).toEqual(['a.txt', 'b.txt', 'c.txt', 'd.txt']);
  await page.getByRole('button', { name: 'More for a.txt' }).click();
  await page.getByRole('menuitem', { name: 'Delete for good' }).click();
  await question.getByRole('button', { name: 'Delete for good' }).click();
  await poll(trashed).toEqual(['b.txt', 'c.txt', 'd.txt']);

  await page.getByLabel('Select b.txt').check();
  await page.getByLabel('Select c.txt').check();
  await page.keyboard.press('Delete');
  await question.getByRole('button', { name: 'Delete for good' }).click();
  await poll(trashed).toEqual(['d.txt']);
  await page.getByText('2 things were deleted for good').waitFor();

  await page.getByRole('button', { name: 'Empty trash' }).click();
  await question.getByRole('button', { name: 'Empty trash' }).click();
  await page.getByText('The trash is empty').waitFor();
  expect(await trashed()).toEqual([]);
});
