import type { Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { waitForWorker } from './testing/service-worker.ts';
import { createWebWorld, poll } from './testing/web-world.ts';

const world = createWebWorld();

afterEach(async () => {
  world.server.signal('SIGCONT');
  await world.server.resume();
});

function connection(page: Page) {
  return page.locator('[data-connection]');
}

async function waitFor(page: Page, state: string): Promise<void> {
  await poll(() => connection(page).getAttribute('data-connection')).toBe(state);
}

test('a server that dies is said to be away, the cache is shown, and what changed meanwhile comes by itself', async () => {
  const { page, context, other, expectProblem } = await world.signUp();
  expectProblem(/net::ERR_|WebSocket/);
  let isCut = false;
  // Only this browser's way to the server, so that others can go on meanwhile.
  await context.routeWebSocket(/sync\/events/, (socket) => {
    if (isCut) void socket.close();
    else socket.connectToServer();
  });
  await context.route('**/api/v1/**', (route) =>
    isCut ? route.abort('connectionrefused') : route.continue(),
  );
  await other.put('/seen/inside.txt', 'inside');
  await other.put('/unseen/secret.txt', 'x');
  await other.put('/old.txt', 'old');
  await page.goto('/');
  const grid = page.getByRole('grid');
  await grid.getByText('seen', { exact: true }).click();
  await grid.getByText('inside.txt').waitFor();
  await page.getByRole('link', { name: 'Files', exact: true }).first().click();
  await grid.getByText('old.txt').waitFor();
  await waitFor(page, 'live');

  await world.server.halt('SIGKILL');
  isCut = true;
  await page.getByText('The server does not answer. What you see is what this browser kept').waitFor();
  await waitFor(page, 'unreachable');
  await grid.getByText('old.txt').waitFor();
  await grid.getByText('seen', { exact: true }).click();
  await grid.getByText('inside.txt').waitFor();
  await page.goBack();
  await grid.getByText('unseen', { exact: true }).click();
  await page.getByText('The server cannot be reached').waitFor();
  await page.goBack();
  await grid.getByText('old.txt').waitFor();

  await world.server.resume();
  await other.put('/new.txt', 'new');
  await other.ask('DELETE', `/files/${(await other.find('/old.txt')).entryId}`);
  expect(await grid.getByText('new.txt').count()).toBe(0);
  isCut = false;
  await waitFor(page, 'live');
  await grid.getByText('new.txt').waitFor();
  await poll(() => grid.getByText('old.txt').count()).toBe(0);
  expect(await page.getByText('The server does not answer').count()).toBe(0);
  // And goes on being told.
  await other.put('/newer.txt', 'newer');
  await grid.getByText('newer.txt').waitFor();
});

test('what is done while the server is away fails with words, and nothing is shown as done', async () => {
  const { page, other, expectProblem } = await world.signUp();
  expectProblem(/net::ERR_|WebSocket/);
  await other.put('/stays.txt', 'stays');
  await page.goto('/');
  await page.getByRole('grid').getByText('stays.txt').waitFor();
  // Menus and dialogs that were never opened must be there too.
  await waitForWorker(page);
  await world.server.halt();
  await waitFor(page, 'unreachable');
  await page.getByRole('grid').focus();
  await page.keyboard.press('Delete');
  await page.getByText(/“stays.txt” failed:/).waitFor();
  await page.getByRole('grid').getByText('stays.txt').waitFor();
  // Not even logging out pretends: the session would still be good.
  await page.getByRole('button', { name: /^Account of/ }).click();
  await page.getByRole('menuitem', { name: 'Log out' }).click();
  await page
    .getByText(/server cannot be reached/i)
    .first()
    .waitFor();
  await page.getByRole('grid').getByText('stays.txt').waitFor();
  await world.server.resume();
  await waitFor(page, 'live');
  expect(await other.names()).toEqual(['stays.txt']);
});

test('a network that is away is told apart from a server that is', async () => {
  const { page, context, other, expectProblem } = await world.signUp();
  expectProblem(/net::ERR_|WebSocket/);
  await other.put('/kept.txt', 'kept');
  let isCut = false;
  await context.routeWebSocket(/sync\/events/, (socket) => {
    if (isCut) void socket.close();
    else {
      const server = socket.connectToServer();
      cut = () => Promise.all([socket.close(), server.close()]);
    }
  });
  let cut: () => Promise<unknown> = async () => undefined;
  await page.goto('/');
  await page.getByRole('grid').getByText('kept.txt').waitFor();
  await waitFor(page, 'live');
  isCut = true;
  await context.setOffline(true);
  await cut();
  await page.getByText('You are offline. What you see is what this browser kept.').waitFor();
  await other.put('/meanwhile.txt', 'x');
  isCut = false;
  await context.setOffline(false);
  await page.getByRole('grid').getByText('meanwhile.txt').waitFor();
  await waitFor(page, 'live');
});

test('a connection that went silent is not called up to date', async () => {
  const { page, other, expectProblem } = await world.signUp();
  expectProblem(/net::ERR_|WebSocket/);
  await other.put('/before.txt', 'x');
  await page.clock.install();
  await page.goto('/');
  await page.getByRole('grid').getByText('before.txt').waitFor();
  await waitFor(page, 'live');
  // The connection stays open, as when a laptop has left the network: only nothing comes any more.
  world.server.signal('SIGSTOP');
  await page.clock.fastForward(60_000);
  await poll(() => connection(page).getAttribute('data-connection')).not.toBe('live');
  world.server.signal('SIGCONT');
  await poll(async () => {
    await page.clock.fastForward(5_000);
    return connection(page).getAttribute('data-connection');
  }).toBe('live');
  await other.put('/after.txt', 'x');
  await page.getByRole('grid').getByText('after.txt').waitFor();
});
