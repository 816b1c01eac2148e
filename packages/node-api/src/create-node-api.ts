import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { CairnError, isCairnError } from '@cairn/model';
import { CLUSTER_IDENTITY, ERROR_TABLE, NODE_CIPHERS, NODE_LIMITS } from '@cairn/protocol';
import fastify from 'fastify';
import type { NodeApiOptions } from './node-api-options.ts';
import { deleteRoute } from './routes/delete.ts';
import { drillRoute } from './routes/drill.ts';
import { getRoute } from './routes/get.ts';
import { listRoute } from './routes/list.ts';
import { locateRoute } from './routes/locate.ts';
import { putRoute } from './routes/put.ts';
import { statusRoute } from './routes/status.ts';
import { upkeepRoutes } from './routes/upkeep.ts';

const HEADERS_TIMEOUT_MS = 10_000;
const IDLE_MS = 30_000;
const KEEP_ALIVE_MS = 60_000;

export type NodeApp = ReturnType<typeof createNodeApi>;

/**
 * The surface of one storage node, ready to listen. Nobody who does not have the key gets as far as a request: the
 * connection itself ends (ADR 0013).
 */
export function createNodeApi(options: NodeApiOptions) {
  const { environment, key } = options;
  const app = fastify({
    logger: false,
    bodyLimit: NODE_LIMITS.maxBodyBytes,
    connectionTimeout: IDLE_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: 0,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    https: {
      headersTimeout: HEADERS_TIMEOUT_MS,
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.2',
      ciphers: NODE_CIPHERS,
      dhparam: 'auto',
      pskIdentityHint: 'cairn-storage-node',
      pskCallback(_socket, identity) {
        const bytes = isCluster(identity) ? key() : null;
        return bytes === null ? null : Buffer.from(bytes);
      },
    },
  });
  app.server.on('tlsClientError', (error, socket) => {
    environment.log.warn('storage-node.refused', { address: socket.remoteAddress, error: String(error) });
  });
  // Bodies stay streams; each route reads no more of one than it needs.
  app.addContentTypeParser('application/octet-stream', (_request, payload: IncomingMessage, done) => {
    done(null, payload);
  });
  app.setErrorHandler(async (error, request, reply) => {
    const code = isCairnError(error) ? error.code : 'internal';
    const { status } = ERROR_TABLE[code];
    if (status >= 500 && code !== 'storage-full') {
      environment.log.error('storage-node.request-failed', { path: request.url, error });
    }
    const detail = isCairnError(error) ? error.message : 'the storage node failed; see its log';
    // What is left of a body that nobody reads must not be taken for the next request.
    reply.header('connection', 'close');
    return reply.code(status).send({ code, detail });
  });
  app.setNotFoundHandler(() => {
    throw new CairnError(
      'not-found',
      'a storage node has no such path; use the same version of Cairn on both',
    );
  });
  for (const addRoute of [
    statusRoute,
    putRoute,
    getRoute,
    locateRoute,
    deleteRoute,
    listRoute,
    upkeepRoutes,
    drillRoute,
  ]) {
    addRoute(app, options);
  }
  return app;
}

function isCluster(identity: string): boolean {
  const [given, wanted] = [Buffer.from(identity), Buffer.from(CLUSTER_IDENTITY)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
