import type { BrowserContext, Request } from 'playwright-core';

/** How many bytes of bodies a browser sent. */
export interface SentBytes {
  readonly bytes: number;
  /** Begins again at nothing, once all requests so far are counted. */
  restart(): Promise<void>;
  /** Resolves when every request that has ended is counted. */
  settled(): Promise<void>;
}

/**
 * Counts what pages and their workers send. The length comes from the header that really went out: DevTools tell
 * nothing of bodies made of a `Blob`, which is what most packs are.
 */
export function countSentBytes(context: BrowserContext, pattern = /./): SentBytes {
  let bytes = 0;
  const pending = new Set<Promise<void>>();
  function count(request: Request): void {
    if (!pattern.test(request.url()) || request.method() === 'GET') return;
    const counted = request
      .allHeaders()
      // Of a page that is gone there is nothing to be told.
      .catch(() => request.headers())
      .then((headers) => {
        bytes += Number(headers['content-length'] ?? request.postDataBuffer()?.length ?? 0);
        pending.delete(counted);
      });
    pending.add(counted);
  }
  context.on('requestfinished', count);
  context.on('requestfailed', count);
  async function settled(): Promise<void> {
    while (pending.size > 0) await Promise.all(pending);
  }
  return {
    get bytes() {
      return bytes;
    },
    async restart() {
      await settled();
      bytes = 0;
    },
    settled,
  };
}
