import type { Page } from 'playwright-core';
import { poll } from './web-world.ts';

/** The worker is in charge of the page, and has kept every part of the app. */
export async function waitForWorker(page: Page): Promise<void> {
  await poll(() =>
    page.evaluate(async () => {
      const list = (await (await fetch('/assets.json')).json()) as Record<string, { file: string }>;
      const cache = await caches.open('cairn-shell-1');
      const parts = Object.values(list).filter(({ file }) => file.startsWith('assets/'));
      const kept = await Promise.all(parts.map(({ file }) => cache.match(`/${file}`)));
      return navigator.serviceWorker.controller !== null && kept.every((part) => part !== undefined);
    }),
  ).toBe(true);
}
