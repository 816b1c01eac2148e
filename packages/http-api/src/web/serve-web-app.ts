import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import serveFiles from '@fastify/static';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App, RouteContext } from '../foundation/route-context.ts';
import { renderPage } from '../page/page.ts';
import { WEB_APP_POLICY, WEB_APP_REPORTING } from './web-app-policy.ts';

const PAGE = 'index.html';
const ASSETS = '/assets/';
/** What is not the app's to answer: a wrong address there is a problem, not a page. */
const NOT_THE_APP = /^\/(api|docs|health|metrics|assets)(\/|$)/;
/** A file beside the page, such as the manifest, an icon or the service worker. */
const TOP_FILE = /^\/[A-Za-z0-9][A-Za-z0-9._-]*\.(js|json|webmanifest|svg|png|ico|txt|woff2)$/;

/** Named by their content, so what was fetched once is right for ever. */
const FOR_EVER = 'public, max-age=31536000, immutable';
const ASK_AGAIN = 'no-cache';

/**
 * The web app at `/` and at the addresses of its views: the page is asked for anew each time, the hashed assets are
 * kept for ever. Everything of it, scripts of workers too, comes with the app's policy. Without a built app there is
 * a plain start page that says how to build it.
 */
export async function serveWebApp(app: App, context: RouteContext): Promise<void> {
  const { webApp, version } = context.config;

  function showStartPage(reply: FastifyReply): FastifyReply {
    return reply.type('text/html; charset=utf-8').send(renderPage(version, webApp !== null));
  }
  // The plugin wants its folder to be there; one that is built later is served from the next start on.
  if (webApp === null || !existsSync(webApp)) {
    app.get('/', { config: { access: 'anonymous' }, schema: { hide: true } }, async (_request, reply) =>
      showStartPage(reply),
    );
    return;
  }

  await app.register(serveFiles, {
    root: webApp,
    serve: false,
    preCompressed: true,
    cacheControl: false,
    dotfiles: 'deny',
    index: false,
  });

  function send(reply: FastifyReply, file: string, cacheControl: string): FastifyReply {
    reply.header('content-security-policy', WEB_APP_POLICY);
    reply.header('reporting-endpoints', WEB_APP_REPORTING);
    reply.header('cache-control', cacheControl);
    return reply.sendFile(file);
  }

  async function isFile(path: string): Promise<boolean> {
    const found = await stat(join(webApp as string, path)).catch(() => null);
    return found?.isFile() === true;
  }

  async function answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
    const path = request.url.split('?', 1)[0] as string;
    if (path.startsWith(ASSETS) && /^[A-Za-z0-9._-]+$/.test(path.slice(ASSETS.length))) {
      if (await isFile(path)) return send(reply, path.slice(1), FOR_EVER);
    } else if (TOP_FILE.test(path) && (await isFile(path))) {
      return send(reply, path.slice(1), ASK_AGAIN);
    }
    if (path !== '/' && (NOT_THE_APP.test(path) || !wantsPage(request))) {
      reply.callNotFound();
      return undefined;
    }
    return (await isFile(PAGE)) ? send(reply, PAGE, ASK_AGAIN) : showStartPage(reply);
  }

  for (const url of ['/', '/*']) {
    app.route({
      method: ['GET', 'HEAD'],
      url,
      config: { access: 'anonymous' },
      schema: { hide: true },
      handler: async (request, reply) => answer(request, reply),
    });
  }
}

/** Whether a person is about to see the answer, as opposed to a program or an image that is missing. */
function wantsPage(request: FastifyRequest): boolean {
  return (request.headers.accept ?? '').includes('text/html');
}
