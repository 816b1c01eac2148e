import type { Environment } from '@cairn/environment';
import { isCairnError } from '@cairn/model';
import type { MeResponse } from '@cairn/protocol';
import { notCairn } from './answers.ts';
import type { Session } from './session.ts';
import type { SessionRecord, SessionStore } from './session-store.ts';
import { sessionEnded } from './token-source.ts';

export interface CookieSessionOptions {
  readonly serverUrl: string;
  readonly store: SessionStore;
  readonly environment: Environment;
  /** Has the server change the refresh cookie for new cookies. */
  refresh(): Promise<unknown>;
  /** Who is signed in, asked with the access cookie as it is. */
  me(): Promise<MeResponse>;
}

/**
 * A sign-in whose tokens are cookies. What stands for a token here is how often it was renewed, which is enough to
 * tell a refused one from its successor. All tabs and workers share the cookies: one renews them at a time, and
 * whoever had to wait for another one looks first whether that sufficed.
 */
export function createCookieSession(options: CookieSessionOptions): Session {
  const { store, serverUrl, environment } = options;
  let generation = 0;
  let renewing: Promise<void> | null = null;

  async function isAccepted(): Promise<boolean> {
    try {
      await options.me();
      return true;
    } catch (error) {
      if (isCairnError(error, 'token-expired', 'not-signed-in', 'session-revoked')) return false;
      throw error;
    }
  }

  async function renew(askedAtMs: number): Promise<void> {
    const hasWaited = environment.clock.monotonicMs() - askedAtMs > LOCK_TAKES_MS;
    if (hasWaited && (await isAccepted())) return;
    try {
      await options.refresh();
    } catch (error) {
      if (!isCairnError(error, 'session-revoked', 'not-signed-in', 'token-expired')) throw error;
      throw sessionEnded(serverUrl, error);
    }
  }

  async function replace(refused: string, signal?: AbortSignal): Promise<string> {
    if (String(generation) === refused) {
      const askedAtMs = environment.clock.monotonicMs();
      renewing ??= store
        .exclusively(() => renew(askedAtMs))
        .then(() => {
          generation++;
        })
        .finally(() => {
          renewing = null;
        });
      await renewing;
      signal?.throwIfAborted();
    }
    return String(generation);
  }

  return {
    current: async () => String(generation),
    replace,
    async reload(refused) {
      try {
        // The access cookie may be gone while the refresh cookie is there.
        return await replace(refused);
      } catch (error) {
        if (isCairnError(error, 'session-revoked', 'not-signed-in', 'token-expired')) return null;
        throw error;
      }
    },
    async require() {
      const kept = await store.read();
      if (kept !== null) return kept;
      const record = recordOf(serverUrl, await options.me().catch(retryRenewed), environment.clock.now());
      await store.write(record);
      return record;
    },
  };

  async function retryRenewed(error: unknown): Promise<MeResponse> {
    if (!isCairnError(error, 'token-expired', 'not-signed-in')) throw error;
    await replace(String(generation));
    return options.me();
  }
}

/** A lock that nobody holds is had sooner than this. */
const LOCK_TAKES_MS = 20;

function recordOf(serverUrl: string, me: MeResponse, now: number): SessionRecord {
  const personal = me.spaces.find(({ kind }) => kind === 'personal');
  if (personal === undefined) throw notCairn(serverUrl, 'the account has no personal space');
  return {
    serverUrl,
    user: me.user,
    device: me.device,
    spaceId: personal.spaceId,
    rootId: personal.rootId,
    accessToken: '',
    accessTokenExpiresAt: 0,
    receivedAt: now,
    refreshToken: '',
  };
}
