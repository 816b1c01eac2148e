import { expect, test } from 'vitest';
import { random } from './testing/test-folder.ts';
import { createWebWorld, poll } from './testing/web-world.ts';

const world = createWebWorld();
const MIB = 1024 ** 2;

// The first account of a server is its administrator, so the order of these tests matters.
test('an administrator sees the storage, the devices and what stands behind', async () => {
  const { page, other, username } = await world.signUp();
  await world.connect(username, 'Tablet');
  const bytes = random(2 * MIB);
  await other.put('/one.bin', bytes);
  await other.put('/same.bin', bytes);
  await other.put('/trashed.bin', random(MIB));
  await other.ask('DELETE', `/files/${(await other.find('/trashed.bin')).entryId}`);
  await page.goto('/status');
  await page.getByText('Everything works').waitFor();
  await page.getByText('Database works').waitFor();
  await page.getByText('Blocks works').waitFor();
  await page.getByText('2 files').waitFor();
  await page.getByText('Figures as a table').click();
  const figures = page.getByRole('table').first();
  const figure = (name: string) => figures.getByRole('row', { name: new RegExp(`^${name}`) }).textContent();
  await poll(() => figure('Files')).toMatch(/4\.0 MiB/);
  expect(await figure('Trash')).toMatch(/1\.0 MiB/);
  expect(await figure('Saved by storing equal content once')).toMatch(/2\.0 MiB/);

  const devices = page.getByRole('list', { name: 'Your devices' });
  await poll(() => devices.getByRole('listitem').count()).toBe(3);
  expect(await devices.getByRole('listitem').first().textContent()).toMatch(
    /Chrome on Linux · This browser.*here now/,
  );
  await devices.getByText('Laptop').waitFor();
  await devices.getByText('Tablet').waitFor();

  await page.getByRole('heading', { name: 'Capacity over time' }).waitFor();
  await page.getByRole('heading', { name: 'Storage nodes' }).waitFor();
  await page.getByRole('button', { name: 'Whole server' }).click();
  await page.getByText('What people have').waitFor();
});

test('others see their own part only', async () => {
  const { page, other } = await world.signUp();
  await other.put('/one.bin', random(1000));
  await page.goto('/status');
  await page.getByText('1 file').waitFor();
  await page.getByRole('list', { name: 'Your devices' }).getByText('Laptop').waitFor();
  expect(await page.getByText('Capacity over time').count()).toBe(0);
  expect(await page.getByText('Storage nodes').count()).toBe(0);
  expect(await page.getByRole('button', { name: 'Whole server' }).count()).toBe(0);
});
