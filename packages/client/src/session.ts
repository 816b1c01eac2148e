import type { Environment } from '@cairn/environment';
import { CairnError, isCairnError } from '@cairn/model';
import type { SessionRecord, SessionStore } from './session-store.ts';
import { sessionEnded, type TokenSource } from './token-source.ts';

/** An access token is renewed this long before it expires. */
const RENEW_BEFORE_MS = 60_000;
/** A token this young is never renewed early: then the two clocks disagree, and the server's word counts. */
const TRUST_FOR_MS = 60_000;

export interface SessionOptions {
  readonly serverUrl: string;
  readonly store: SessionStore;
  readonly environment: Environment;
  /** Exchanges the refresh token; the answer without what the device adds. */
  refresh(
    refreshToken: string,
    signal?: AbortSignal,
  ): Promise<Omit<SessionRecord, 'serverUrl' | 'receivedAt'>>;
}

/**
 * The sign-in of this device. Every process re-reads the stored record after taking the lock, so a refresh token
 * is used once only and the server never mistakes two processes of one device for a thief.
 */
export interface Session extends TokenSource {
  /** The stored record of this server. Throws `not-signed-in`. */
  require(): Promise<SessionRecord>;
}

export function createSession(options: SessionOptions): Session {
  const { store, environment, serverUrl } = options;
  let known: SessionRecord | null = null;
  let renewing: Promise<SessionRecord> | null = null;

  function isFresh(record: SessionRecord): boolean {
    const now = environment.clock.now();
    const age = now - record.receivedAt;
    return now < record.accessTokenExpiresAt - RENEW_BEFORE_MS || (age >= 0 && age < TRUST_FOR_MS);
  }

  async function load(): Promise<SessionRecord> {
    const record = await store.read();
    if (record === null) {
      throw new CairnError(
        'not-signed-in',
        'you are not signed in. Use "cairn login" (or "cairn signup" for a new account)',
      );
    }
    if (record.serverUrl !== serverUrl) {
      throw new CairnError(
        'not-signed-in',
        `you are signed in to ${record.serverUrl}, not to ${serverUrl}. Use "cairn login --server ${serverUrl}", or unset CAIRN_SERVER`,
      );
    }
    known = record;
    return record;
  }

  async function renewLocked(refused: string | null, signal?: AbortSignal): Promise<SessionRecord> {
    const record = await load();
    const usable = refused === null ? isFresh(record) : record.accessToken !== refused;
    if (usable) return record;
    try {
      const answer = await options.refresh(record.refreshToken, signal);
      const renewed: SessionRecord = { ...answer, serverUrl, receivedAt: environment.clock.now() };
      await store.write(renewed);
      known = renewed;
      environment.log.debug('session.renewed', { deviceId: renewed.device.deviceId });
      return renewed;
    } catch (error) {
      if (!isCairnError(error, 'session-revoked', 'not-signed-in', 'token-expired', 'wrong-credentials'))
        throw error;
      throw sessionEnded(serverUrl, error);
    }
  }

  /** @param refused token the server refused, or null to renew by the clock */
  async function renew(refused: string | null, signal?: AbortSignal): Promise<SessionRecord> {
    // One renewal at a time; it is nobody's own, so one caller's abort does not end it for the others.
    renewing ??= store
      .exclusively(() => renewLocked(refused))
      .finally(() => {
        renewing = null;
      });
    const record = await renewing;
    signal?.throwIfAborted();
    return record;
  }

  return {
    require: load,
    async current(signal) {
      const record = known ?? (await load());
      if (isFresh(record)) return record.accessToken;
      return (await renew(null, signal)).accessToken;
    },
    async reload(refused) {
      const record = await load();
      return record.accessToken === refused ? null : record.accessToken;
    },
    async replace(refused, signal) {
      if (known !== null && known.accessToken !== refused) return known.accessToken;
      const record = await renew(refused, signal);
      // A renewal that was under way for another reason may have found the refused token still fresh.
      if (record.accessToken !== refused) return record.accessToken;
      return (await renew(refused, signal)).accessToken;
    },
  };
}
