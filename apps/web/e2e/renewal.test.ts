import type { BrowserContext, Page, Request } from 'playwright-core';
import { expect, test } from 'vitest';
import { createPng } from './testing/png.ts';
import { createWebWorld, poll } from './testing/web-world.ts';

const world = createWebWorld();

/** What the server says of its access tokens: ten minutes, of which four fifths are used. */
const BEFORE_RENEWAL = '07:50';

function countRenewals(context: BrowserContext): { count: number; atOnce: number } {
  const renewals = { count: 0, atOnce: 0 };
  let running = 0;
  const onRenewal = (act: () => void) => (request: Request) => {
    if (new URL(request.url()).pathname === '/api/v1/auth/refresh') act();
  };
  context.on(
    'request',
    onRenewal(() => {
      running++;
      renewals.atOnce = Math.max(renewals.atOnce, running);
    }),
  );
  context.on(
    'requestfailed',
    onRenewal(() => running--),
  );
  context.on(
    'requestfinished',
    onRenewal(() => {
      running--;
      renewals.count++;
    }),
  );
  return renewals;
}

async function accessCookie(context: BrowserContext): Promise<string | undefined> {
  return (await context.cookies()).find(({ name }) => name === 'cairn_access')?.value;
}

/** All tabs of a browser have one clock. */
async function openFiles(page: Page): Promise<void> {
  await page.goto('/');
  await page.getByText('Bring your first files').waitFor();
}

test('the access cookie is renewed before it ends, by two tabs never at once', async () => {
  const { page, context } = await world.signUp();
  const renewals = countRenewals(context);
  await context.clock.install();
  await openFiles(page);
  // Of a session that began elsewhere nobody knows how old it is.
  await poll(() => renewals.count).toBe(1);
  const second = await context.newPage();
  await openFiles(second);
  const first = await accessCookie(context);

  /** Every tab has had its turn at the lock once it gets it again. */
  const hadTheirTurn = async () => {
    for (const tab of [page, second]) {
      await tab.evaluate(() => navigator.locks.request('cairn-refresh', () => undefined));
    }
  };

  await context.clock.fastForward(BEFORE_RENEWAL);
  await hadTheirTurn();
  expect(await accessCookie(context)).toBe(first);
  expect(renewals.count).toBe(1);

  await context.clock.fastForward('00:30');
  await poll(() => renewals.count).toBeGreaterThan(1);
  await hadTheirTurn();
  expect(await accessCookie(context)).not.toBe(first);
  // One does it for both, unless the other hears of it late: what tabs keep together reaches them when it may.
  expect(renewals.count).toBeLessThan(4);
  expect(renewals.atOnce).toBe(1);
  for (const tab of [page, second]) {
    await tab.reload();
    await tab.getByText('Bring your first files').waitFor();
  }
});

test('after a sleep the access cookie is renewed as soon as the page is seen', async () => {
  const { page, context } = await world.signUp();
  const renewals = countRenewals(context);
  await context.clock.install();
  await openFiles(page);
  await poll(() => renewals.count).toBe(1);
  // The clock went on, but no timer ran.
  await context.clock.setSystemTime(Date.now() + 3 * 60 * 60_000);
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await poll(() => renewals.count).toBe(2);
});

test('a picture that was refused, since the cookie had ended, is loaded again', async () => {
  const { page, other, expectProblem } = await world.signUp();
  await other.put('/dot.png', createPng({ width: 4, height: 4 }));
  expectProblem(/status of 401/);
  let asked = 0;
  await page.route('**/thumbnail?*', (route) => {
    asked++;
    return asked === 1 ? route.fulfill({ status: 401 }) : route.continue();
  });
  await page.goto('/');
  const picture = page.getByRole('grid').locator('[data-entry-id] img');
  await poll(() =>
    picture.evaluateAll((found) => found.map((image) => (image as HTMLImageElement).naturalWidth)),
  ).toEqual([4]);
  expect(asked).toBe(2);
});

test('a renewal that finds the session revoked signs out', async () => {
  const { page, other, context, expectProblem } = await world.signUp();
  const renewals = countRenewals(context);
  await context.clock.install();
  await openFiles(page);
  await poll(() => renewals.count).toBe(1);
  expectProblem(/status of 401/);
  expectProblem(/net::ERR_/);
  expectProblem(/WebSocket/);
  const { devices } = (await (await other.ask('GET', '/devices')).json()) as {
    devices: { deviceId: string }[];
  };
  const browser = devices.find(({ deviceId }) => deviceId !== other.deviceId);
  // Only the renewal can find out.
  await context.route(/\/api\/v1\/(?!auth\/)/, (route) => route.abort());
  await other.ask('DELETE', `/devices/${browser?.deviceId}`);
  await context.clock.fastForward('08:30');
  await page.getByText(/You were signed out/).waitFor();
});
