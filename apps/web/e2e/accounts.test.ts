import { describe, expect, test } from 'vitest';
import { createWebWorld, PASSWORD, poll } from './testing/web-world.ts';

const NEXT_PASSWORD = 'another horse in the stable';

describe('settings', () => {
  const world = createWebWorld();

  test('the password is changed: the wrong old one is refused, the new one counts from then on', async () => {
    const { page, username, other, expectProblem } = await world.signUp();
    await page.goto('/settings');
    const change = page.getByRole('button', { name: 'Change password' });
    await change.click();
    await page.getByText('Type your current password.').waitFor();
    expect(await page.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('current');

    await page.getByLabel('Current password', { exact: true }).fill('not the password');
    await page.getByLabel('New password', { exact: true }).fill('short');
    await page.getByLabel('New password again', { exact: true }).fill('shorter');
    await change.click();
    await page.getByText(/Use at least \d+ characters/).waitFor();
    await page.getByText('This is not the same as above.').waitFor();
    await page.getByLabel('New password', { exact: true }).fill(NEXT_PASSWORD);
    await page.getByLabel('New password again', { exact: true }).fill(NEXT_PASSWORD);
    expectProblem(/401.*auth\/password/);
    await change.click();
    await page.getByText('This is not your current password.').waitFor();
    expect(new URL(page.url()).pathname).toBe('/settings');

    await page.getByLabel('Current password', { exact: true }).fill(PASSWORD);
    await change.click();
    await page.getByText('Your password is changed.').waitFor();
    expect(await page.getByLabel('Current password', { exact: true }).inputValue()).toBe('');
    // The others stay signed in, since nothing else was wished.
    await other.ask('GET', '/me');
    await expect(world.connect(username, 'Tablet')).rejects.toThrow(/wrong-credentials/);

    const visitor = await world.visit();
    await visitor.page.goto('/');
    await visitor.page.getByLabel('Username').fill(username);
    await visitor.page.getByLabel('Password', { exact: true }).fill(NEXT_PASSWORD);
    await visitor.page.getByRole('button', { name: 'Log in' }).click();
    await visitor.page.getByText('Bring your first files').waitFor();
  });

  test('all other devices are signed out with a new password, where that is wished', async () => {
    const { page, username, other } = await world.signUp();
    const tablet = await world.connect(username, 'Tablet');
    await page.goto('/settings');
    await page.getByText('Tablet', { exact: true }).first().waitFor();
    await page.getByLabel('Current password', { exact: true }).fill(PASSWORD);
    await page.getByLabel('New password', { exact: true }).fill(NEXT_PASSWORD);
    await page.getByLabel('New password again', { exact: true }).fill(NEXT_PASSWORD);
    await page.getByLabel('Sign out all other devices').check();
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.getByText('all other devices are signed out').waitFor();
    for (const device of [other, tablet]) {
      await expect(device.ask('GET', '/me')).rejects.toThrow(/session-revoked/);
    }
    await page.getByText('2 revoked devices').waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Settings' }).waitFor();
  });

  test('a device is revoked from the list, after a question, and cannot reach anything any more', async () => {
    const { page, username } = await world.signUp();
    const tablet = await world.connect(username, 'Tablet');
    await page.goto('/settings');
    const list = page.getByRole('list', { name: 'Devices' });
    await list.getByText('Tablet', { exact: true }).waitFor();
    expect(await list.getByText('this browser').count()).toBe(1);
    await page.getByRole('button', { name: 'Revoke Tablet' }).click();
    const question = page.getByRole('dialog', { name: 'Revoke “Tablet”?' });
    await question.getByRole('button', { name: 'Cancel' }).click();
    await tablet.ask('GET', '/me');
    await page.getByRole('button', { name: 'Revoke Tablet' }).click();
    await question.getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('“Tablet” is signed out').waitFor();
    await poll(() => list.getByText('Tablet', { exact: true }).count()).toBe(0);
    await page.getByText('1 revoked device', { exact: true }).click();
    await page.getByText(/Revoked \w+ \d+, \d{4}/).waitFor();
    await expect(tablet.ask('GET', '/me')).rejects.toThrow(/session-revoked/);
    // A new sign-in of the same machine is another device.
    await (await world.connect(username, 'Tablet')).ask('GET', '/me');
  });

  test('this browser revokes itself, and is signed out', async () => {
    const { page, context, expectProblem } = await world.signUp();
    expectProblem(/status of 401/);
    await page.goto('/settings');
    await page.getByRole('button', { name: 'Revoke Chrome on Linux' }).click();
    const question = page.getByRole('dialog');
    await question.getByText('This is the browser you are using').waitFor();
    await question.getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('You are logged out').waitFor();
    expect((await context.request.get('/api/v1/me')).status()).toBe(401);
  });

  test('where sign-up is open, a second account is a member, and a taken name is refused', async () => {
    const { username } = await world.signUp();
    const { page, expectProblem } = await world.visit();
    expectProblem(/status of 409/);
    await page.goto('/');
    await page.getByRole('button', { name: 'No account yet? Create one' }).click();
    await page.getByRole('heading', { name: 'Create your account' }).waitFor();
    await page.getByLabel('Username').fill(username.toUpperCase());
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByText(/is taken/).waitFor();
    await page.getByLabel('Username').fill(`${username}-two`);
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByText('Bring your first files').waitFor();
    await page.goto('/settings');
    await page.getByText('Member', { exact: true }).waitFor();
  });
});

describe('sign-up by invitation', () => {
  const CODE = 'code-of-this-test-only';
  const world = createWebWorld({ variables: { CAIRN_SIGNUP: 'invite', CAIRN_SETUP_CODE: CODE } });

  test('the first account needs the set-up code; after it nobody signs up', async () => {
    const { page, context, expectProblem } = await world.visit();
    await page.goto('/');
    await page.getByRole('heading', { name: 'Welcome to Cairn' }).waitFor();
    await page.getByLabel('Username').fill('ann');
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByText('Type the code that the server printed').waitFor();
    expectProblem(/status of 40[13]/);
    await page.getByLabel('Set-up code').fill('a code that is wrong');
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByText(/needs the set-up code/).waitFor();
    await page.getByLabel('Set-up code').fill(CODE);
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByText('Bring your first files').waitFor();
    await page.goto('/settings');
    await page.getByText('Administrator', { exact: true }).waitFor();

    const visitor = await world.visit();
    await visitor.page.goto('/');
    await visitor.page.getByText('New accounts are made by the administrator').waitFor();
    expect(await visitor.page.getByRole('button', { name: /Create/ }).count()).toBe(0);
    // Nor by asking the server past the form, not even with the code.
    const answer = await context.request.post('/api/v1/auth/register', {
      data: { username: 'eve', password: PASSWORD, deviceName: 'x', session: 'cookie', setUpCode: CODE },
      headers: { 'x-cairn-request': 'web' },
    });
    expect([answer.status(), (await answer.json()).code]).toEqual([403, 'sign-up-closed']);
  });
});
