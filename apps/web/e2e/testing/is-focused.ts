import type { Locator } from 'playwright-core';

/**
 * Whether it has the focus. After a dialog has gone, wait for this before a key is pressed: the focus comes back in a
 * task of its own, and a busy machine lets a key in between.
 */
export function isFocused(locator: Locator): Promise<boolean> {
  return locator.evaluate((element) => element === document.activeElement).catch(() => false);
}
