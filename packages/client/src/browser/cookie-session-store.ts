import type { SessionRecord, SessionStore } from '../session-store.ts';

/** The same in every tab and worker of this server's pages. */
export const REFRESH_LOCK = 'cairn-refresh';

/**
 * What a page or worker knows of its sign-in: in memory, since the tokens are cookies. A lock over all tabs and
 * workers has one of them renew the cookies at a time.
 */
export function createCookieSessionStore(): SessionStore {
  let kept: SessionRecord | null = null;
  return {
    read: async () => kept,
    write: async (record) => {
      kept = record;
    },
    remove: async () => {
      kept = null;
    },
    exclusively: (work, signal) =>
      navigator.locks.request(REFRESH_LOCK, signal === undefined ? {} : { signal }, work),
  };
}
