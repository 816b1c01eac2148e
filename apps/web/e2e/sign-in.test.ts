import { expect, test } from 'vitest';
import { createWebWorld, PASSWORD, poll } from './testing/web-world.ts';

const world = createWebWorld();

test('the first account is created, logged out and logged in again', async () => {
  const { page, expectProblem } = await world.visit();
  await page.goto('/');
  await page.getByRole('heading', { name: 'Welcome to Cairn' }).waitFor();

  await page.getByLabel('Username').fill('ann');
  await page.getByLabel('Password', { exact: true }).fill('short');
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByText(/Use at least \d+ characters/).waitFor();
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByText('Bring your first files').waitFor();
  expect(new URL(page.url()).pathname).toBe('/files');

  // The session is in cookies that no script can read, and survives a reload.
  expect(await page.evaluate(() => document.cookie)).toBe('');
  await page.reload();
  await page.getByText('Bring your first files').waitFor();

  await page.getByRole('button', { name: 'Account of ann' }).click();
  await page.getByRole('menuitem', { name: 'Log out' }).click();
  await page.getByText('You are logged out').waitFor();

  expectProblem(/401.*auth\/login/);
  await page.getByLabel('Username').fill('ann');
  await page.getByLabel('Password', { exact: true }).fill(`${PASSWORD}r`);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('alert').waitFor();
  expect(await page.getByLabel('Username').inputValue()).toBe('ann');

  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByText('Bring your first files').waitFor();
});

test('a session that is revoked elsewhere ends here within seconds, and says so', async () => {
  const { page, other, context, expectProblem } = await world.signUp();
  await other.put('/kept.txt', 'kept');
  await page.goto('/');
  await page.getByText('kept.txt').waitFor();
  const { devices } = (await (await other.ask('GET', '/devices')).json()) as {
    devices: { deviceId: string; name: string }[];
  };
  const browser = devices.find(({ deviceId }) => deviceId !== other.deviceId);
  expectProblem(/status of 401/);
  const before = performance.now();
  await other.ask('DELETE', `/devices/${browser?.deviceId}`);
  await page.getByText(/You were signed out: this browser was revoked/).waitFor();
  expect(performance.now() - before).toBeLessThan(10_000);
  // Nothing of what was seen is left in this browser.
  expect(await page.getByText('kept.txt').count()).toBe(0);
  await poll(async () => (await context.request.get('/api/v1/me')).status()).toBe(401);
});
