import type { Page } from 'playwright-core';

/** What is too wide for the page, or out of it: each a sentence. */
export async function findLayoutProblems(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const problems: string[] = [];
    const { clientWidth, scrollWidth } = document.documentElement;
    if (scrollWidth > clientWidth) problems.push(`the page scrolls sideways: ${scrollWidth} px`);
    const describe = (element: Element) =>
      `<${element.tagName.toLowerCase()}> “${(element.getAttribute('aria-label') ?? element.textContent ?? '').trim().slice(0, 40)}”`;
    // The way to a deep folder and long lines of a text scroll on their own.
    const mayScroll = (element: Element) =>
      element.closest('nav, pre, code, table, [role=region][tabindex]') !== null;
    for (const element of document.querySelectorAll('main, main *, nav, [role=dialog] *')) {
      const { overflowX } = getComputedStyle(element);
      const scrolls = overflowX === 'auto' || overflowX === 'scroll';
      if (scrolls && element.scrollWidth > element.clientWidth + 1 && !mayScroll(element)) {
        problems.push(`${describe(element)} scrolls sideways`);
      }
    }
    for (const element of document.querySelectorAll('button, a[href], input, select, h1, h2, h3, p')) {
      const { left, right, width } = element.getBoundingClientRect();
      const { visibility, position } = getComputedStyle(element);
      // Texts for screen readers only are a pixel wide.
      if (width <= 1 || visibility === 'hidden' || position === 'fixed' || mayScroll(element)) continue;
      if (left < -1 || right > clientWidth + 1) problems.push(`${describe(element)} is cut off at the side`);
    }
    return problems;
  });
}
