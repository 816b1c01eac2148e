import { compareTexts, type TextComparison } from './compare-texts.ts';

/** Shorter texts are compared at once: that takes less than starting a worker. */
const AT_ONCE_CHARACTERS = 8 * 1024;

/** Compares two texts without holding up the page; the worker ends with the answer or the signal. */
export function compareApart(older: string, newer: string, signal: AbortSignal): Promise<TextComparison> {
  if (older.length + newer.length <= AT_ONCE_CHARACTERS) return Promise.resolve(compareTexts(older, newer));
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./compare-worker.ts', import.meta.url), { type: 'module' });
    const end = (): void => {
      worker.terminate();
      signal.removeEventListener('abort', onAbort);
    };
    const onAbort = (): void => {
      end();
      reject(signal.reason);
    };
    worker.addEventListener('message', (event: MessageEvent<TextComparison>) => {
      end();
      resolve(event.data);
    });
    worker.addEventListener('error', (event) => {
      end();
      reject(new Error(event.message));
    });
    signal.addEventListener('abort', onAbort);
    worker.postMessage({ older, newer });
  });
}
