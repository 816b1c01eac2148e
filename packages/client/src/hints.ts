import type { Environment } from '@cairn/environment';
import type { Announcement, SpaceId } from '@cairn/model';
import { isCairnError } from '@cairn/model';
import { API_PREFIX, CLOSE_CODES, parseServerEvent } from '@cairn/protocol';
import type { Api } from './api.ts';
import type { TransportSocket } from './transport.ts';

const SILENCE_LIMIT_MS = 45_000;
const FIRST_RECONNECT_MS = 500;
/** Where other requests get through, a socket is tried again this soon. */
const NUDGED_RECONNECT_MS = 1_000;
/** After so many in a row without success the sockets themselves are the trouble, not the network. */
const MAX_NUDGES = 5;
const LAST_RECONNECT_MS = 30_000;
const FIRST_POLL_MS = 5_000;
const LAST_POLL_MS = 30_000;

export interface HintHandlers {
  /** The space has reached this sequence; null: ask the server, whatever it is. */
  onHint(sequence: number | null): void;
  onState(state: 'live' | 'polling'): void;
  /** Another device of the account is sending a large file into the space. */
  onAnnouncement?(announcement: Announcement): void;
}

/**
 * Tells when it is worth asking for changes: over a WebSocket while there is one, otherwise every now and then.
 * Losing every hint makes sync late, never wrong. A revoked sign-in shows as `session-revoked` at the question
 * that a last null hint brings about.
 */
export function followHints(api: Api, spaceId: SpaceId, handlers: HintHandlers): { close(): void } {
  const { environment } = api;
  let closed = false;
  let socket: TransportSocket | null = null;
  let failures = 0;
  let state: 'live' | 'polling' | null = null;
  let cancelReconnect = (): void => undefined;
  let reconnectAtMs = 0;
  let nudges = 0;
  let wasRefused = false;
  let cancelSilence = (): void => undefined;
  let cancelPoll = (): void => undefined;

  function setState(next: 'live' | 'polling'): void {
    if (state === next) return;
    state = next;
    if (next === 'polling') poll(FIRST_POLL_MS);
    else cancelPoll();
    handlers.onState(next);
  }

  function watchSilence(): void {
    cancelSilence();
    cancelSilence = environment.timers.schedule(SILENCE_LIMIT_MS, () => {
      environment.log.debug('hints.silent', { spaceId });
      socket?.close();
    });
  }

  function poll(delayMs: number): void {
    cancelPoll();
    cancelPoll = environment.timers.schedule(jittered(environment, delayMs), () => {
      handlers.onHint(null);
      poll(Math.min(LAST_POLL_MS, delayMs * 1.5));
    });
  }

  function onClosed(
    status: number | null,
    code: number | null,
    headers: Readonly<Record<string, string>>,
  ): void {
    cancelSilence();
    socket = null;
    if (closed) return;
    // An answer instead of a socket: whatever is in between does not take sockets.
    wasRefused = status !== null || code === CLOSE_CODES.revoked;
    setState('polling');
    environment.log.debug('hints.closed', { spaceId, status, code });
    if (code === CLOSE_CODES.revoked) {
      handlers.onHint(null);
      failures = Math.max(failures, 6);
    }
    failures++;
    if (status === 401 || code === CLOSE_CODES.tokenExpired) {
      // What is wrong with the sign-in shows at the next question; here it only means another try later.
      api.renew(headers).catch((error: unknown) => logFailure(error));
    }
    const delayMs = Math.min(LAST_RECONNECT_MS, FIRST_RECONNECT_MS * 2 ** Math.min(failures - 1, 10));
    reconnectIn(jittered(environment, delayMs));
  }

  function reconnectIn(delayMs: number): void {
    cancelReconnect();
    reconnectAtMs = environment.clock.monotonicMs() + delayMs;
    cancelReconnect = environment.timers.schedule(delayMs, connect);
  }

  /** The network is back: a long pause that an outage brought about is cut short. */
  function nudge(): void {
    if (closed || socket !== null || wasRefused || nudges >= MAX_NUDGES) return;
    if (reconnectAtMs - environment.clock.monotonicMs() <= NUDGED_RECONNECT_MS) return;
    nudges++;
    reconnectIn(NUDGED_RECONNECT_MS);
  }

  function logFailure(error: unknown): void {
    environment.log.debug('hints.failed', { code: isCairnError(error) ? error.code : 'internal' });
  }

  async function open(): Promise<void> {
    const headers = await api.authorise();
    if (closed) return;
    socket = api.transport.openSocket(`${API_PREFIX}/sync/events`, headers, {
      onOpen() {
        failures = 0;
        nudges = 0;
        watchSilence();
        setState('live');
        handlers.onHint(null);
      },
      onActivity: watchSilence,
      onMessage(text) {
        const event = parseServerEvent(text);
        if (event?.type === 'hint' && event.spaceId === spaceId) handlers.onHint(event.sequence);
        if (event?.type === 'announcement' && event.spaceId === spaceId)
          handlers.onAnnouncement?.(event.announcement);
        if (event?.type === 'revoked') handlers.onHint(null);
      },
      onClose: ({ status, code }) => onClosed(status, code, headers),
    });
  }

  function connect(): void {
    if (closed) return;
    open().catch((error: unknown) => {
      logFailure(error);
      onClosed(null, null, {});
    });
  }

  const stopListening = api.onGranted(nudge);
  connect();
  return {
    close() {
      closed = true;
      stopListening();
      cancelReconnect();
      cancelSilence();
      cancelPoll();
      socket?.close();
      socket = null;
    },
  };
}

function jittered(environment: Environment, delayMs: number): number {
  return delayMs * (0.5 + environment.random.fraction());
}
