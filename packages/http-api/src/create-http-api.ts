import { createId } from '@cairn/model';
import { PROTOCOL_LIMITS } from '@cairn/protocol';
import { createReadBuffers } from '@cairn/services';
import cookies from '@fastify/cookie';
import rateLimit from '@fastify/rate-limit';
import websocket from '@fastify/websocket';
import fastify, { type FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { authenticateRequests } from './foundation/authentication.ts';
import { limitBodyTime, parseJsonBodies } from './foundation/bodies.ts';
import { documentRoutes } from './foundation/documentation.ts';
import { createGate } from './foundation/gate.ts';
import { createHintBoard } from './foundation/hint-board.ts';
import { observeRequests } from './foundation/observation.ts';
import { createPackBuffers } from './foundation/pack-buffers.ts';
import { answerWithProblems } from './foundation/problems.ts';

import type { RouteContext } from './foundation/route-context.ts';
import { recordRoutes } from './foundation/route-list.ts';
import { addSecurityHeaders } from './foundation/security-headers.ts';
import type { HttpApiOptions } from './http-api-options.ts';
import { ALL_ROUTES } from './routes/all-routes.ts';
import { serveWebApp } from './web/serve-web-app.ts';

const MAX_EVENT_MESSAGE_BYTES = 4096;
const HEADERS_TIMEOUT_MS = 15_000;
const KEEP_ALIVE_MS = 65_000;
/** Two devices that send at full speed have two packs each under way. */
const KEPT_PACK_BUFFERS = 4;
/** Two devices that receive at full speed. */
const KEPT_READ_BYTES = 16 * 1024 * 1024;

/**
 * The HTTP surface of one server process, ready to listen. Closing it ends long polls and sockets at once and
 * waits for the other requests.
 */
export async function createHttpApi(options: HttpApiOptions): Promise<FastifyInstance> {
  const { environment, config, bus } = options;
  const { limits } = config;
  const stop = new AbortController();
  const context: RouteContext = {
    ...options,
    hints: createHintBoard(bus),
    packGate: createGate(limits.concurrentPacks, limits.waitingPacks),
    smallPackGate: createGate(limits.concurrentSmallPacks, limits.waitingPacks),
    packBuffers: createPackBuffers(KEPT_PACK_BUFFERS),
    deltaGate: createGate(limits.concurrentPacks, limits.waitingPacks),
    readBuffers: createReadBuffers(KEPT_READ_BYTES),
    stopping: stop.signal,
  };
  const app = fastify({
    logger: false,
    bodyLimit: PROTOCOL_LIMITS.maxJsonBytes,
    connectionTimeout: limits.idleConnectionMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Whole files come in one request; what is held in memory has a time limit of its own.
    requestTimeout: 0,
    http: { headersTimeout: HEADERS_TIMEOUT_MS },
    forceCloseConnections: 'idle',
    trustProxy: config.trustedProxies.length > 0 ? [...config.trustedProxies] : false,
    requestIdHeader: false,
    genReqId: () => createId(environment.random.bytes(16)),
    exposeHeadRoutes: false,
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);

  recordRoutes(app);
  observeRequests(app, context);
  answerWithProblems(app, context);
  await addSecurityHeaders(app);
  await app.register(rateLimit, { global: false });
  await app.register(websocket, {
    options: { maxPayload: MAX_EVENT_MESSAGE_BYTES, perMessageDeflate: false },
    preClose(done) {
      // Says goodbye in our own words before the plugin would close without any.
      stop.abort();
      app.websocketServer.close();
      done();
    },
  });
  await app.register(cookies);
  parseJsonBodies(app);
  authenticateRequests(app, context);
  limitBodyTime(app, context);
  await documentRoutes(app, context);
  await app.register(async (scope) => {
    for (const addRoute of ALL_ROUTES) addRoute(scope.withTypeProvider<ZodTypeProvider>(), context);
  });
  await serveWebApp(app, context);
  app.addHook('onClose', async () => context.hints.close());
  await app.ready();
  return app;
}
