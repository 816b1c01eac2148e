import { CairnError } from '@cairn/model';
import { HEADER_NAMES, PROTOCOL_VERSION } from '@cairn/protocol';
import type { Principal } from '@cairn/services';
import type { FastifyRequest } from 'fastify';
import { addressKey, isLoopback } from './addresses.ts';
import { refuseEmbedding, requireOwnPage, requireOwnSocket } from './own-page.ts';
import type { App, RouteContext } from './route-context.ts';
import { accessCookie } from './session-cookies.ts';

/** Who may use a route. Whatever is not named is for people who are signed in. */
export type RouteAccess = 'anonymous' | 'sign-in' | 'operator' | 'signed-in';

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: RouteAccess;
    /** The body is not held in memory, so it may take as long as it takes. */
    streamsBody?: boolean;
  }
  interface FastifyRequest {
    principal: Principal | null;
    /** The token came in the web app's cookie: what reads it is a browser. */
    isByCookie: boolean;
  }
}

const MINUTE_MS = 60_000;
/** On loopback everybody shares one address: limits by address only stop runaway programs there. */
const LOOPBACK_FACTOR = 100;
const BEARER = /^Bearer ([A-Za-z0-9._~+/=-]{1,2048})$/i;

/** For whom the request is made; only for routes of people who are signed in. */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal === null) throw new Error('this route does not authenticate');
  return request.principal;
}

/** A cookie counts only where no token is sent, and only for the web app's own pages. */
function tokenOf(request: FastifyRequest): string {
  const header = request.headers.authorization;
  const cookie = accessCookie(request);
  if (header === undefined && cookie !== undefined) {
    request.isByCookie = true;
    if (request.headers.upgrade !== undefined) requireOwnSocket(request);
    else if (request.method === 'GET' || request.method === 'HEAD') refuseEmbedding(request);
    else requireOwnPage(request);
    return cookie;
  }
  if (header === undefined) {
    throw new CairnError(
      'not-signed-in',
      'this needs an access token; sign in and send "Authorization: Bearer …"',
    );
  }
  const token = BEARER.exec(header)?.[1];
  if (token === undefined) {
    throw new CairnError(
      'not-signed-in',
      'the Authorization header is not "Bearer" and a token; sign in again',
    );
  }
  return token;
}

/** Percent signs that are no UTF-8 would be taken as they stand, and name something else than was meant. */
function checkQuery(request: FastifyRequest): void {
  const start = request.url.indexOf('?');
  if (start < 0) return;
  try {
    decodeURIComponent(request.url.slice(start + 1));
  } catch (error) {
    throw new CairnError('bad-request', 'the query is not percent-encoded UTF-8; encode it again', {
      cause: error,
    });
  }
}

function checkProtocol(request: FastifyRequest): void {
  const stated = request.headers[HEADER_NAMES.protocolVersion];
  if (stated === undefined || stated === String(PROTOCOL_VERSION)) return;
  throw new CairnError(
    'protocol-mismatch',
    `this server speaks protocol ${PROTOCOL_VERSION}; update the older of client and server`,
  );
}

/** A scraper on the same machine, not somebody who comes through a proxy on it. */
function isLocalOperator(request: FastifyRequest): boolean {
  const { headers } = request;
  return (
    isLoopback(request.ip) && headers['x-forwarded-for'] === undefined && headers.forwarded === undefined
  );
}

/** Authenticates each request before its body is read, and counts requests by device or by address. */
export function authenticateRequests(app: App, context: RouteContext): void {
  const { access, config } = context;
  const { limits } = config;

  function createLimit(max: number, keyOf: (request: FastifyRequest) => string) {
    const limit = app.createRateLimit({
      max,
      timeWindow: MINUTE_MS,
      keyGenerator: keyOf,
      cache: 10_000,
    } as never);
    return async (request: FastifyRequest): Promise<void> => {
      const state = await limit(request);
      if (state.isAllowed || !state.isExceeded) return;
      throw new CairnError(
        'too-many-attempts',
        `too many requests; wait ${state.ttlInSeconds} seconds and try again`,
        { details: { retryAfterMs: state.ttl } },
      );
    };
  }

  function createAddressLimit(name: string, max: number) {
    const keyOf = (request: FastifyRequest) => `${name} ${addressKey(request.ip)}`;
    const remote = createLimit(max, keyOf);
    const loopback = createLimit(max * LOOPBACK_FACTOR, keyOf);
    return (request: FastifyRequest) => (isLoopback(request.ip) ? loopback(request) : remote(request));
  }

  const limitDevice = createLimit(
    limits.deviceRequests,
    (request) => `device ${request.principal?.deviceId ?? ''}`,
  );
  const limitAnonymous = createAddressLimit('anonymous', limits.anonymousRequests);
  const limitSignIn = createAddressLimit('sign-in', limits.signInRequests);

  async function authenticate(request: FastifyRequest): Promise<void> {
    try {
      const { principal } = await access.sessions.authenticate(tokenOf(request));
      request.principal = principal;
    } catch (error) {
      await limitAnonymous(request);
      throw error;
    }
    await limitDevice(request);
  }

  app.decorateRequest('principal', null);
  app.decorateRequest('isByCookie', false);
  app.addHook('onRequest', async (request) => {
    if (request.is404) return limitAnonymous(request);
    checkProtocol(request);
    checkQuery(request);
    const kind = request.routeOptions.config.access ?? 'signed-in';
    if (kind === 'anonymous') return limitAnonymous(request);
    if (kind === 'sign-in') return limitSignIn(request);
    if (kind === 'operator' && isLocalOperator(request)) return;
    await authenticate(request);
    if (kind === 'operator' && principalOf(request).role !== 'administrator') {
      throw new CairnError('not-found', 'there is nothing at this address; /docs lists what there is');
    }
  });
}
