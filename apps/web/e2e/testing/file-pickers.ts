import type { Page } from 'playwright-core';

/**
 * Makes the browser one without handles, as Firefox and Safari are: Playwright can answer their dialog only, while
 * `showOpenFilePicker` is answered as dismissed as soon as somebody waits for a `filechooser`.
 */
export async function takeFilePickers(page: Page): Promise<void> {
  await page.addInitScript(() => {
    for (const name of ['showOpenFilePicker', 'showDirectoryPicker'])
      Reflect.deleteProperty(globalThis, name);
  });
}

/**
 * Answers the dialog of browsers with handles by a file of the origin's own storage. As the real one, it refuses
 * whoever does not ask out of a click.
 */
export async function answerFilePicker(page: Page, name: string, text: string): Promise<void> {
  await page.addInitScript(
    ([fileName, content]) => {
      Object.assign(globalThis, {
        async showOpenFilePicker() {
          if (!navigator.userActivation.isActive) throw new DOMException('not from a click', 'SecurityError');
          const storage = await navigator.storage.getDirectory();
          const handle = await storage.getFileHandle(fileName, { create: true });
          const writable = await handle.createWritable();
          await writable.write(content);
          await writable.close();
          return [handle];
        },
      });
    },
    [name, text] as const,
  );
}
