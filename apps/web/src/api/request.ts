import { CairnError, ERROR_CODES, type ErrorCode, isCairnError } from '@cairn/model';
import { API_PREFIX, HEADER_NAMES, PROTOCOL_VERSION } from '@cairn/protocol';
import { noteReachable, noteUnreachable } from './connection.ts';
import { msUntilRenewal, noteTokenLife } from './token-life.ts';

/** What checks an answer: a zod schema of the protocol. */
export interface AnswerSchema<Answer> {
  safeParse(value: unknown): { success: true; data: Answer } | { success: false; error: unknown };
}

export interface AskOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** Such as signing in: a refusal is the answer, and no reason to refresh the session. */
  readonly anonymous?: boolean;
}

/** What is kept to show the cache without a server. No secret: the session itself is in cookies. */
export const KEPT_ACCOUNT = 'cairn-account';
const REFRESH_LOCK = 'cairn-refresh';
const REQUEST_TIMEOUT_MS = 60_000;

let onSessionEnded: (error: CairnError) => void = () => undefined;

/** Sets who is told when the server does not accept this browser's sign-in any more. */
export function whenSessionEnds(listener: (error: CairnError) => void): void {
  onSessionEnded = listener;
}

/** A path with its parts encoded: apiPath`/files/${entryId}/versions`. */
export function apiPath(strings: TemplateStringsArray, ...parts: readonly (string | number)[]): string {
  return strings.reduce(
    (path, text, index) => path + (index === 0 ? '' : encodeURIComponent(String(parts[index - 1]))) + text,
    '',
  );
}

/** The address of something below `/api/v1`, for links, images and players. */
export function apiUrl(path: string): string {
  return API_PREFIX + path;
}

/**
 * Asks the server and checks the answer's form.
 * @param path below `/api/v1`, starting with `/`; build it with {@link apiPath}
 * @throws CairnError with the server's code and words; `server-unreachable` when there is no answer
 */
export async function ask<Answer>(
  path: string,
  schema: AnswerSchema<Answer>,
  options: AskOptions = {},
): Promise<Answer> {
  const response = await send(path, options);
  let value: unknown;
  try {
    value = await response.json();
  } catch (error) {
    options.signal?.throwIfAborted();
    throw unreachable(error);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new CairnError(
    'protocol-mismatch',
    'the server answered in a form that this page does not know. Reload the page: the server was probably updated',
    { cause: parsed.error },
  );
}

/** Asks the server for something whose answer is of no interest. Throws as {@link ask}. */
export async function tell(path: string, options: AskOptions = {}): Promise<void> {
  const response = await send(path, { method: 'POST', ...options });
  // Reading to the end gives the connection back; what a broken end hides was granted all the same.
  await response.arrayBuffer().catch(() => undefined);
}

/** Fetches bytes, such as a short text to show. Throws as {@link ask}; the body may still break off. */
export function fetchContent(path: string, options: AskOptions = {}): Promise<Response> {
  return send(path, options);
}

async function send(path: string, options: AskOptions): Promise<Response> {
  try {
    return await attempt(path, options);
  } catch (error) {
    if (options.anonymous === true) throw error;
    if (!isCairnError(error, 'token-expired', 'not-signed-in', 'session-revoked')) throw error;
    // Where nobody was signed in before, there is nothing to refresh.
    if (isCairnError(error, 'not-signed-in') && localStorage.getItem(KEPT_ACCOUNT) === null) throw error;
    try {
      await refreshSession();
      return await attempt(path, options);
    } catch (again) {
      if (isCairnError(again, 'token-expired', 'not-signed-in', 'session-revoked')) onSessionEnded(again);
      throw again;
    }
  }
}

async function attempt(path: string, options: AskOptions): Promise<Response> {
  const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  let response: Response;
  try {
    response = await fetch(apiUrl(path), {
      method: options.method ?? 'GET',
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
      headers: {
        accept: 'application/json, application/problem+json',
        [HEADER_NAMES.protocolVersion]: String(PROTOCOL_VERSION),
        'x-cairn-request': 'web',
        ...(options.json === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(options.json === undefined ? {} : { body: JSON.stringify(options.json) }),
      signal: options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]),
    });
  } catch (error) {
    options.signal?.throwIfAborted();
    noteUnreachable();
    throw unreachable(error);
  }
  if (response.ok) {
    noteReachable();
    return response;
  }
  const problem = await readProblem(response);
  if (problem.code === 'server-unreachable') noteUnreachable();
  else noteReachable();
  throw problem;
}

/** The error that an answer stands for. */
async function readProblem(response: Response): Promise<CairnError> {
  try {
    const value: unknown = await response.json();
    if (typeof value === 'object' && value !== null) {
      const { code, detail, title, ...details } = value as Record<string, unknown>;
      const words = [detail, title].find((text) => typeof text === 'string' && text !== '');
      if (typeof code === 'string') {
        const known = Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'internal';
        return new CairnError(known, String(words ?? code), { details: { ...details, code } });
      }
    }
  } catch {
    // Not an answer of Cairn's; the status says what is known.
  }
  if (response.status >= 500) return unreachable(response.status);
  return new CairnError('internal', `the server answered with HTTP ${response.status}`);
}

function unreachable(cause: unknown): CairnError {
  return new CairnError('server-unreachable', 'the server cannot be reached', { cause });
}

let refreshing: Promise<void> | null = null;
let refreshedAt = Number.NEGATIVE_INFINITY;
/** A refresh this young was another request's doing, and is good for this one too. */
const YOUNG_MS = 5_000;

/** Whether another tab, or another request of this one, refreshed while this one waited for its turn. */
function isFresh(): boolean {
  if (performance.now() - refreshedAt < YOUNG_MS) return true;
  return Math.abs(Date.now() - Number(localStorage.getItem(REFRESH_LOCK) ?? 0)) < YOUNG_MS;
}

/**
 * Renews the access token by the refresh cookie; one at a time over all tabs, since a refresh token used twice
 * signs the device out.
 */
export function refreshSession(isEnough: () => boolean = isFresh): Promise<void> {
  refreshing ??= navigator.locks
    .request(REFRESH_LOCK, async () => {
      if (isEnough()) return;
      const response = await attempt('/auth/refresh', { method: 'POST', json: {} });
      refreshedAt = performance.now();
      localStorage.setItem(REFRESH_LOCK, String(Date.now()));
      await noteTokenLife(response);
    })
    .finally(() => {
      refreshing = null;
    });
  return refreshing;
}

/** Renews the cookies before they end, unless another tab did. Throws as {@link ask}. */
export async function renewSession(): Promise<void> {
  try {
    await refreshSession(() => isFresh() || msUntilRenewal() > 0);
  } catch (error) {
    if (isCairnError(error, 'token-expired', 'not-signed-in', 'session-revoked')) onSessionEnded(error);
    throw error;
  }
}

/** Signs in at `/auth/login` or `/auth/register`; the answer sets the cookies. Throws as {@link ask}. */
export async function signIn(path: '/auth/login' | '/auth/register', json: unknown): Promise<void> {
  await noteTokenLife(await attempt(path, { method: 'POST', json }));
}
