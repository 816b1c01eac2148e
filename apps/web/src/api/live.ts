import { isCairnError, type SpaceId } from '@cairn/model';
import {
  type ChangesResponse,
  CLOSE_CODES,
  changesResponseSchema,
  parseServerEvent,
  snapshotResponseSchema,
} from '@cairn/protocol';
import { noteSocket } from './connection.ts';
import { isOffline, isSignedOut } from './errors.ts';
import { applyJournal, invalidateFolders } from './folder-cache.ts';
import { queryClient, refreshLiveQueries } from './query-client.ts';
import { apiPath, apiUrl, ask, refreshSession } from './request.ts';
import { isLeavingSession } from './session.ts';

const FIRST_RECONNECT_MS = 500;
const LAST_RECONNECT_MS = 30_000;
/** While there is no socket, the server is asked this often. */
const POLL_MS = 15_000;
const LIVE_PAUSE_MS = 400;
/** The server says something every 20 seconds; a connection that is silent for longer is broken without our knowing. */
const SILENCE_MS = 50_000;
const BROKEN = 1006;

/**
 * Follows the space: a hint over the WebSocket, then the journal from where this page is, then the cache. Hints
 * carry no state; losing them makes the page late, never wrong.
 */
export function followSpace(spaceId: SpaceId): () => void {
  let stopped = false;
  let socket: WebSocket | null = null;
  let failures = 0;
  let cursor: string | null = null;
  let isReading = false;
  let isAskedAgain = false;
  let reconnect: ReturnType<typeof setTimeout> | undefined;
  let liveTimer: ReturnType<typeof setTimeout> | undefined;
  let silence: ReturnType<typeof setTimeout> | undefined;
  const abort = new AbortController();

  function refreshLiveSoon(): void {
    clearTimeout(liveTimer);
    liveTimer = setTimeout(refreshLiveQueries, LIVE_PAUSE_MS);
  }

  /** Starts from now: whatever is cached may be older. */
  async function startCursor(): Promise<string> {
    const page = await ask(apiPath`/spaces/${spaceId}/snapshot?limit=1`, snapshotResponseSchema, {
      signal: abort.signal,
    });
    return page.cursor;
  }

  async function readOnce(): Promise<void> {
    if (cursor === null) {
      const isFirst = failures === 0 && queryClient.getQueriesData({ queryKey: ['folder'] }).length === 0;
      cursor = await startCursor();
      if (!isFirst) {
        invalidateFolders();
        refreshLiveSoon();
      }
      return;
    }
    let page: ChangesResponse;
    do {
      page = await ask(apiPath`/sync/changes?spaceId=${spaceId}&cursor=${cursor}`, changesResponseSchema, {
        signal: abort.signal,
      });
      cursor = page.cursor;
      if (page.changes.length > 0) {
        applyJournal(page.changes);
        refreshLiveSoon();
      }
    } while (page.more && !stopped);
  }

  async function read(): Promise<void> {
    isAskedAgain = true;
    if (isReading) return;
    isReading = true;
    try {
      while (isAskedAgain && !stopped) {
        isAskedAgain = false;
        await readOnce();
      }
    } catch (error) {
      // Another history: start from its end, and ask for everything that is shown.
      if (isCairnError(error, 'cursor-unknown')) {
        cursor = null;
        isAskedAgain = true;
      }
    } finally {
      isReading = false;
    }
    if (isAskedAgain && !stopped) setTimeout(() => void read(), FIRST_RECONNECT_MS);
  }

  function connect(): void {
    if (stopped) return;
    const address = new URL(apiUrl('/sync/events'), window.location.href);
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
    const opened = new WebSocket(address);
    socket = opened;
    waitForWord(opened);
    opened.addEventListener('open', () => {
      failures = 0;
      waitForWord(opened);
      noteSocket(true);
      void read();
    });
    opened.addEventListener('message', ({ data }) => {
      waitForWord(opened);
      const event = typeof data === 'string' ? parseServerEvent(data) : null;
      if (event?.type === 'hint' && event.spaceId === spaceId) void read();
      // Asking shows that the sign-in has ended, and why.
      if (event?.type === 'revoked' && !isLeavingSession()) void read();
    });
    opened.addEventListener('close', ({ code }) => lose(opened, code));
  }

  function waitForWord(opened: WebSocket): void {
    if (socket !== opened) return;
    clearTimeout(silence);
    silence = setTimeout(() => lose(opened, BROKEN), SILENCE_MS);
  }

  function lose(opened: WebSocket, code: number): void {
    if (socket !== opened) return;
    socket = null;
    clearTimeout(silence);
    // Of a broken one, no answer to this would come: it is not waited for.
    opened.close();
    noteSocket(false);
    if (!stopped) void afterClose(code);
  }

  async function afterClose(code: number): Promise<void> {
    if (isLeavingSession() && code === CLOSE_CODES.revoked) return;
    failures++;
    if (code === CLOSE_CODES.revoked) void read();
    // A socket that is refused says no reason; most often it is the age of the token.
    else if (code === CLOSE_CODES.tokenExpired || failures === 1) await renew();
    const delayMs = Math.min(LAST_RECONNECT_MS, FIRST_RECONNECT_MS * 2 ** Math.min(failures - 1, 8));
    clearTimeout(reconnect);
    reconnect = setTimeout(connect, delayMs * (0.5 + Math.random()));
  }

  async function renew(): Promise<void> {
    try {
      await ask(apiPath`/spaces/${spaceId}/snapshot?limit=1`, snapshotResponseSchema, {
        signal: abort.signal,
      });
    } catch (error) {
      if (!isOffline(error) && !isSignedOut(error)) await refreshSession().catch(() => undefined);
    }
  }

  function reconnectNow(): void {
    if (socket !== null) return;
    clearTimeout(reconnect);
    failures = 0;
    connect();
  }

  function onVisible(): void {
    if (document.visibilityState === 'visible') reconnectNow();
  }

  const poll = setInterval(() => {
    if (socket === null || socket.readyState !== WebSocket.OPEN) void read();
  }, POLL_MS);
  window.addEventListener('online', reconnectNow);
  document.addEventListener('visibilitychange', onVisible);
  void read();
  connect();
  return () => {
    stopped = true;
    abort.abort();
    clearInterval(poll);
    clearTimeout(reconnect);
    clearTimeout(liveTimer);
    clearTimeout(silence);
    window.removeEventListener('online', reconnectNow);
    document.removeEventListener('visibilitychange', onVisible);
    socket?.close();
    noteSocket(false);
  };
}
