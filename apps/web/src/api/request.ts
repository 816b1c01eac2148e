import {
  type AnswerSchema,
  type ApiRequest,
  cookieCarrier,
  createApi,
  createBrowserEnvironment,
  createBrowserTransport,
  REFRESH_LOCK,
  readAnswer,
  type TransportResponse,
} from '@cairn/client/browser';
import { type CairnError, isCairnError } from '@cairn/model';
import { API_PREFIX, MEDIA_TYPES, signedInByCookieSchema } from '@cairn/protocol';
import { noteReachable, noteUnreachable } from './connection.ts';
import { tellAnswers } from './tell-answers.ts';
import { msUntilRenewal, noteTokenLife } from './token-life.ts';

export { apiPath } from '@cairn/client/browser';

export interface AskOptions {
  readonly method?: ApiRequest['method'];
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** Whoever asks need not be signed in. */
  readonly anonymous?: boolean;
}

/** What is kept to show the cache without a server. No secret: the session itself is in cookies. */
export const KEPT_ACCOUNT = 'cairn-account';
/** Each question is asked once here: screens ask again by rules of their own, and say so meanwhile. */
const ONE_ATTEMPT = 1;

const transport = tellAnswers(createBrowserTransport(), (hasAnswer) =>
  hasAnswer ? noteReachable() : noteUnreachable(),
);
const api = createApi(
  transport,
  createBrowserEnvironment(),
  {
    // The browser adds the token; what is told apart here is only whether it was renewed since.
    current: async () => String(renewals),
    async replace() {
      await refreshSession();
      return String(renewals);
    },
    async reload() {
      // Where nobody was signed in before, there is nothing to refresh.
      if (localStorage.getItem(KEPT_ACCOUNT) === null) return null;
      try {
        await refreshSession();
        return String(renewals);
      } catch (error) {
        if (isEnd(error)) return null;
        throw error;
      }
    },
  },
  undefined,
  ONE_ATTEMPT,
  cookieCarrier,
);

let onSessionEnded: (error: CairnError) => void = () => undefined;

/** Sets who is told when the server does not accept this browser's sign-in any more. */
export function whenSessionEnds(listener: (error: CairnError) => void): void {
  onSessionEnded = listener;
}

/** The address of something below `/api/v1`, for links, images and players. */
export function apiUrl(path: string): string {
  return API_PREFIX + path;
}

function isEnd(error: unknown): error is CairnError {
  return isCairnError(error, 'token-expired', 'not-signed-in', 'session-revoked');
}

async function tellEnd<Answer>(asked: Promise<Answer>): Promise<Answer> {
  try {
    return await asked;
  } catch (error) {
    if (isEnd(error)) onSessionEnded(error);
    throw error;
  }
}

/**
 * Asks the server and checks the answer's form.
 * @param path below `/api/v1`, starting with `/`; build it with {@link apiPath}
 * @param schema a zod schema of the protocol
 * @throws CairnError with the server's code and words; `server-unreachable` when there is no answer
 */
export function ask<Answer>(
  path: string,
  schema: AnswerSchema<Answer>,
  { method = 'GET', ...options }: AskOptions = {},
): Promise<Answer> {
  return tellEnd(api.ask({ method, path, ...options }, schema));
}

/** Asks the server for something whose answer is of no interest. Throws as {@link ask}. */
export function tell(path: string, { method = 'POST', ...options }: AskOptions = {}): Promise<void> {
  return tellEnd(api.tell({ method, path, ...options }));
}

/** Runs `read` on the bytes of an answer, such as a short text to show. Throws as {@link ask}. */
export function readContent<Result>(
  path: string,
  signal: AbortSignal,
  read: (response: TransportResponse) => Promise<Result>,
): Promise<Result> {
  return tellEnd(api.stream({ method: 'GET', path, signal }, '', read));
}

let renewals = 0;
let refreshing: Promise<void> | null = null;
let refreshedAt = Number.NEGATIVE_INFINITY;
/** A refresh this young was another request's doing, and is good for this one too. */
const YOUNG_MS = 5_000;

/** Whether another tab, or another request of this one, refreshed while this one waited for its turn. */
function isFresh(): boolean {
  if (performance.now() - refreshedAt < YOUNG_MS) return true;
  return Math.abs(Date.now() - Number(localStorage.getItem(REFRESH_LOCK) ?? 0)) < YOUNG_MS;
}

/** Asks for new cookies. @throws CairnError as {@link ask} */
function takeCookies(path: string, json: unknown): Promise<void> {
  const asked = { method: 'POST', path, json, anonymous: true, once: true } as const;
  return api.stream(asked, MEDIA_TYPES.json, async (response) => {
    const { accessTokenExpiresAt } = await readAnswer(transport.serverUrl, response, signedInByCookieSchema);
    noteTokenLife(accessTokenExpiresAt, response.headers['date']);
  });
}

/**
 * Renews the access token by the refresh cookie; one at a time over all tabs, since a refresh token used twice
 * signs the device out.
 */
export function refreshSession(isEnough: () => boolean = isFresh): Promise<void> {
  refreshing ??= navigator.locks
    .request(REFRESH_LOCK, async () => {
      if (!isEnough()) {
        await takeCookies('/auth/refresh', {});
        refreshedAt = performance.now();
        localStorage.setItem(REFRESH_LOCK, String(Date.now()));
      }
      renewals++;
    })
    .finally(() => {
      refreshing = null;
    });
  return refreshing;
}

/** Renews the cookies before they end, unless another tab did. Throws as {@link ask}. */
export function renewSession(): Promise<void> {
  return tellEnd(refreshSession(() => isFresh() || msUntilRenewal() > 0));
}

/** Signs in at `/auth/login` or `/auth/register`; the answer sets the cookies. Throws as {@link ask}. */
export function signIn(path: '/auth/login' | '/auth/register', json: unknown): Promise<void> {
  return takeCookies(path, json);
}
