/// <reference lib="webworker" />
/**
 * Keeps the app itself (never an answer of the API, which belongs to somebody) so that it starts without a
 * network. The page is asked of the server first; hashed assets never change and come from here.
 */

declare const self: ServiceWorkerGlobalScope;

const CACHE = 'cairn-shell-1';
const PAGE = '/';
/** Lists all parts of the app, also those that a page loads only when they are wanted. */
const PARTS = '/assets.json';
/** The page is waited for this long before the kept one is shown. */
const PAGE_PATIENCE_MS = 4_000;
const ASSETS = /^\/assets\//;
const MAX_ASSETS = 400;

/** Where a browser has it, it takes what matches from where it is told, without starting or asking this worker. */
interface RoutingEvent extends ExtendableEvent {
  addRoutes?(rules: {
    readonly condition: { readonly urlPattern: { readonly pathname: string } };
    readonly source: 'network';
  }): Promise<void>;
}

self.addEventListener('install', (event: RoutingEvent) => {
  // Without it, this worker would be asked about each request only to say that it has no part in it.
  const routes = event.addRoutes?.({ condition: { urlPattern: { pathname: '/api/*' } }, source: 'network' });
  // One that refuses the rule asks for each request, as those do that have none.
  event.waitUntil(
    Promise.allSettled([routes])
      .then(keepShell)
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      const names = await caches.keys();
      await Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
      await self.clients.claim();
    })(),
  );
});

self.addEventListener('message', (event) => {
  // Nothing personal is kept here; what was kept of a page that was signed in goes all the same.
  if (event.data === 'signed-out') event.waitUntil(caches.delete(CACHE).then(keepShell));
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (ASSETS.test(url.pathname)) event.respondWith(readAsset(request));
  else if (request.mode === 'navigate' && isPage(url.pathname)) event.respondWith(readPage(event));
});

/** Whether an address is the app's own; downloads and the API's documentation are not. */
function isPage(path: string): boolean {
  return !/^\/(api|docs|health|metrics|assets)(\/|$)/.test(path);
}

async function keepShell(): Promise<void> {
  const cache = await caches.open(CACHE);
  const page = await fetch(PAGE, { cache: 'no-cache' });
  if (!page.ok) return;
  await cache.put(PAGE, page.clone());
  await keepParts(cache, await page.text());
}

/** Without all its parts, a page that was started could not go on when the server is away. */
async function keepParts(cache: Cache, page: string): Promise<void> {
  const list = await fetch(PARTS, { cache: 'no-cache' }).then(
    (answer) => (answer.ok ? answer.text() : ''),
    () => '',
  );
  const assets = new Set(
    [...`${page} ${list}`.matchAll(/"\/?(assets\/[^"]+)"/g)].map((match) => `/${match[1]}`),
  );
  await Promise.allSettled(
    [...assets].map(async (asset) => {
      if ((await cache.match(asset)) === undefined) await cache.add(asset);
    }),
  );
  await forgetOldest(cache);
}

async function readAsset(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request.url);
  if (kept !== undefined) return kept;
  const answer = await fetch(request);
  if (answer.status === 200) {
    await cache.put(request.url, answer.clone());
    await forgetOldest(cache);
  }
  return answer;
}

async function readPage(event: FetchEvent): Promise<Response> {
  const { request } = event;
  const cache = await caches.open(CACHE);
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(PAGE_PATIENCE_MS) });
    const isHtml = answer.headers.get('content-type')?.startsWith('text/html') === true;
    if (answer.status === 200 && isHtml) event.waitUntil(keepPage(cache, answer.clone()));
    if (answer.status < 500) return answer;
    return (await cache.match(PAGE)) ?? answer;
  } catch (error) {
    const kept = await cache.match(PAGE);
    if (kept !== undefined) return kept;
    throw error;
  }
}

async function keepPage(cache: Cache, answer: Response): Promise<void> {
  const before = await (await cache.match(PAGE))?.text();
  const page = await answer.clone().text();
  if (page === before) return;
  await cache.put(PAGE, answer);
  await keepParts(cache, page);
}

/** Versions of the app come and go; what is hashed stays unless somebody clears up. */
async function forgetOldest(cache: Cache): Promise<void> {
  const kept = await cache.keys();
  const excess = kept.filter(({ url }) => ASSETS.test(new URL(url).pathname)).slice(0, -MAX_ASSETS);
  await Promise.all(excess.map((request) => cache.delete(request)));
}
