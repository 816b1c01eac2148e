import type { Environment } from '@cairn/environment';
import { CairnError, isCairnError } from '@cairn/model';
import { API_PREFIX, HEADER_NAMES, MEDIA_TYPES, PROTOCOL_VERSION } from '@cairn/protocol';
import { type AnswerSchema, notCairn, readAnswer, readProblem } from './answers.ts';
import { DEFAULT_RETRY, type RetryPolicy, withRetry } from './retry.ts';
import { bearerCarrier, type TokenCarrier } from './token-carrier.ts';
import { sessionEnded, type TokenSource } from './token-source.ts';
import type { BodyPiece, Transport, TransportRequest, TransportResponse } from './transport.ts';

export interface ApiRequest {
  readonly method: TransportRequest['method'];
  /** Below `/api/v1`, starting with `/`. Build it with {@link apiPath}. */
  readonly path: string;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is; excludes `json`. */
  readonly body?: readonly BodyPiece[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  readonly idleTimeoutMs?: number;
  /** Without a token. */
  readonly anonymous?: boolean;
  /** Doing it twice differs from doing it once: sent on a fresh connection and never repeated. */
  readonly once?: boolean;
  /** See `TransportRequest`. */
  readonly bulk?: boolean;
  readonly retry?: RetryPolicy;
}

export interface Api {
  readonly transport: Transport;
  readonly environment: Environment;
  /** A request whose answer is JSON of this form. Throws CairnError. */
  ask<Answer>(request: ApiRequest, schema: AnswerSchema<Answer>): Promise<Answer>;
  /** A request whose answer is of no interest. */
  tell(request: ApiRequest): Promise<void>;
  /**
   * Runs `read` on the successful answer. When the connection breaks meanwhile, request and `read` are repeated.
   * @param contentType that the answer must have
   */
  stream<Result>(
    request: ApiRequest,
    contentType: string,
    read: (response: TransportResponse) => Promise<Result>,
  ): Promise<Result>;
  /** The policy within the patience that this client was given. */
  bound(policy: RetryPolicy): RetryPolicy;
  /** Calls the listener after every request that the server granted; returns the end of that. */
  onGranted(listener: () => void): () => void;
  /** Headers that authenticate a socket. */
  authorise(signal?: AbortSignal): Promise<Record<string, string>>;
  /** To be called when a socket was refused for its token. */
  renew(headers: Readonly<Record<string, string>>): Promise<void>;
}

/**
 * A path with its parts and query encoded: apiPath`/spaces/${id}/blocks/read`.
 */
export function apiPath(strings: TemplateStringsArray, ...parts: (string | number)[]): string {
  return strings.reduce(
    (path, text, index) => path + (index === 0 ? '' : encodeURIComponent(String(parts[index - 1]))) + text,
    '',
  );
}

/** Requests of the native API over a transport: encodes, authenticates, retries, validates. */
export function createApi(
  transport: Transport,
  environment: Environment,
  tokens: TokenSource | null,
  defaultRetry: RetryPolicy = DEFAULT_RETRY,
  maxAttempts = Number.POSITIVE_INFINITY,
  carrier: TokenCarrier = bearerCarrier,
): Api {
  const listeners = new Set<() => void>();

  function bound(policy: RetryPolicy): RetryPolicy {
    return { ...policy, attempts: Math.min(policy.attempts, maxAttempts) };
  }

  async function send(asked: ApiRequest, token: string | null): Promise<TransportResponse> {
    const headers: Record<string, string> = {
      accept: `${MEDIA_TYPES.json}, ${MEDIA_TYPES.problem}`,
      [HEADER_NAMES.protocolVersion]: String(PROTOCOL_VERSION),
      ...carrier.headersOf(token),
      ...asked.headers,
    };
    let body = asked.body;
    if (asked.json !== undefined) {
      headers['content-type'] = MEDIA_TYPES.json;
      body = [new TextEncoder().encode(JSON.stringify(asked.json))];
    }
    const response = await transport.request({
      method: asked.method,
      path: API_PREFIX + asked.path,
      headers,
      ...(body === undefined ? (asked.method === 'GET' ? {} : { body: [] }) : { body }),
      signal: asked.signal,
      ...(asked.idleTimeoutMs === undefined ? {} : { idleTimeoutMs: asked.idleTimeoutMs }),
      freshConnection: asked.once === true,
      ...(asked.bulk === true ? { bulk: true } : {}),
    });
    if (response.status >= 200 && response.status < 300) {
      for (const listener of listeners) listener();
      return response;
    }
    throw await readProblem(transport.serverUrl, response);
  }

  async function sendAuthorised(asked: ApiRequest): Promise<TransportResponse> {
    if (asked.anonymous === true) return send(asked, null);
    if (tokens === null) throw new CairnError('not-signed-in', 'you are not signed in. Use "cairn login"');
    const token = await tokens.current(asked.signal);
    try {
      return await send(asked, token);
    } catch (error) {
      if (isCairnError(error, 'token-expired')) return send(asked, await tokens.replace(token, asked.signal));
      // Another process of this device may have signed in again meanwhile.
      if (!isCairnError(error, 'session-revoked', 'not-signed-in')) throw error;
      const other = await tokens.reload(token);
      if (other === null) throw sessionEnded(transport.serverUrl, error);
      return send(asked, other);
    }
  }

  function attempt<Result>(
    asked: ApiRequest,
    read: (response: TransportResponse) => Promise<Result>,
  ): Promise<Result> {
    const run = async (): Promise<Result> => read(await sendAuthorised(asked));
    if (asked.once === true) return run();
    return withRetry(environment, bound(asked.retry ?? defaultRetry), asked.signal, run);
  }

  return {
    transport,
    environment,
    bound,
    onGranted(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ask: (asked, schema) => attempt(asked, (response) => readAnswer(transport.serverUrl, response, schema)),
    tell: (asked) =>
      attempt(asked, async (response) => {
        // Reading to the end lets the connection be used again.
        for await (const _piece of response.body);
      }),
    stream: (asked, contentType, read) =>
      attempt(asked, async (response) => {
        const type = response.headers['content-type'] ?? '';
        if (!type.toLowerCase().startsWith(contentType)) {
          response.discard();
          throw notCairn(transport.serverUrl, `it answered with ${type === '' ? 'no content type' : type}`);
        }
        try {
          return await read(response);
        } catch (error) {
          response.discard();
          throw error;
        }
      }),
    async authorise(signal) {
      if (tokens === null) throw new CairnError('not-signed-in', 'you are not signed in. Use "cairn login"');
      return {
        ...carrier.headersOf(await tokens.current(signal)),
        [HEADER_NAMES.protocolVersion]: String(PROTOCOL_VERSION),
      };
    },
    async renew(headers) {
      await tokens?.replace(carrier.tokenOf(headers));
    },
  };
}
