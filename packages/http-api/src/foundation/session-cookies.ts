import type { SignedIn, SignedInByCookie } from '@cairn/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';

const ACCESS_COOKIE = 'cairn_access';
const REFRESH_COOKIE = 'cairn_refresh';
const REFRESH_PATH = '/api/v1/auth';
/** As long as a refresh token is good. What an access token says about its end is what counts. */
const COOKIE_LIFETIME_S = 180 * 24 * 60 * 60;

function optionsOf(request: FastifyRequest, path: string) {
  // Behind a proxy, `protocol` is what a trusted one says.
  return { path, httpOnly: true, sameSite: 'strict', secure: request.protocol === 'https' } as const;
}

/** The access token of the web app's session, if the browser sent one. */
export function accessCookie(request: FastifyRequest): string | undefined {
  return request.cookies[ACCESS_COOKIE];
}

/** Sent to the routes below `/api/v1/auth` only. */
export function refreshCookie(request: FastifyRequest): string | undefined {
  return request.cookies[REFRESH_COOKIE];
}

/** Moves the tokens from the answer into cookies that no script can read. */
export function putTokensInCookies(
  request: FastifyRequest,
  reply: FastifyReply,
  signedIn: SignedIn,
): SignedInByCookie {
  const { accessToken, refreshToken, ...rest } = signedIn;
  reply.setCookie(ACCESS_COOKIE, accessToken, { ...optionsOf(request, '/'), maxAge: COOKIE_LIFETIME_S });
  reply.setCookie(REFRESH_COOKIE, refreshToken, {
    ...optionsOf(request, REFRESH_PATH),
    maxAge: COOKIE_LIFETIME_S,
  });
  return rest;
}

/** Has the browser forget its session. */
export function clearSessionCookies(request: FastifyRequest, reply: FastifyReply): void {
  reply.clearCookie(ACCESS_COOKIE, optionsOf(request, '/'));
  reply.clearCookie(REFRESH_COOKIE, optionsOf(request, REFRESH_PATH));
}
