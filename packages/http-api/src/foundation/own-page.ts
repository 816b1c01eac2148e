import { CairnError } from '@cairn/model';
import { HEADER_NAMES } from '@cairn/protocol';
import type { FastifyRequest } from 'fastify';

function crossSite(): CairnError {
  return new CairnError(
    'cross-site',
    'a browser sends this from another site, or not from the web app itself: its cookies do not count here. ' +
      'Open the web app at its own address; programs sign in with "Authorization: Bearer …"',
  );
}

/** Whether an `Origin` names this server. The scheme is no part of it: a proxy may have changed that. */
function isOwnOrigin(origin: string, request: FastifyRequest): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host } = new URL(origin);
  if (protocol !== 'http:' && protocol !== 'https:') return false;
  const own = `${protocol}//${request.host}`;
  return URL.canParse(own) && new URL(own).host === host;
}

/**
 * For requests by cookie that do something, and for those that set cookies: only the web app's own pages may make
 * them. A page of another origin can make the browser send cookies, but neither the header nor another `Origin`.
 * @throws CairnError `cross-site`
 */
export function requireOwnPage(request: FastifyRequest): void {
  const { origin } = request.headers;
  const site = request.headers['sec-fetch-site'];
  if (request.headers[HEADER_NAMES.request] !== 'web') throw crossSite();
  if (site !== undefined && site !== 'same-origin') throw crossSite();
  if (origin !== undefined && !isOwnOrigin(origin, request)) throw crossSite();
}

/** The same for a WebSocket, which can carry no header of ours, but always says where it comes from. */
export function requireOwnSocket(request: FastifyRequest): void {
  const { origin } = request.headers;
  if (origin === undefined || !isOwnOrigin(origin, request)) throw crossSite();
}

/**
 * For requests by cookie that only read. What other sites embed says so, and would tell them whether it exists;
 * links that people follow are welcome.
 */
export function refuseEmbedding(request: FastifyRequest): void {
  const site = request.headers['sec-fetch-site'];
  const isForeign = site === 'cross-site' || site === 'same-site';
  if (isForeign && request.headers['sec-fetch-mode'] !== 'navigate') throw crossSite();
}
