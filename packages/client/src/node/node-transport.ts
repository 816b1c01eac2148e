import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { createBulkClient } from '@cairn/bulk-http';
import type { CairnError } from '@cairn/model';
import { areInMemory, bytesOf } from '../body-pieces.ts';
import type { Transport, TransportRequest, TransportResponse } from '../transport.ts';
import { openNodeSocket } from './node-socket.ts';
import { unreachable } from './unreachable.ts';

export interface NodeTransportOptions {
  /** As {@link parseServerUrl} returns it. */
  readonly serverUrl: string;
  /** Connections at most; 2-4 with a pack each saturate a link. */
  readonly maxConnections?: number;
  readonly connectTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  readonly userAgent?: string;
}

const require = createRequire(import.meta.url);
// Whoever imports these as modules has all made that they export, a WebSocket and the whole of `fetch` behind it: 45 ms and
// 6 MB at the start of every command and daemon.
const http: typeof import('node:http') = require('node:http');
const https: typeof import('node:https') = require('node:https');

/** Of downloads, beside the others. */
const MAX_BULK_CONNECTIONS = 4;

/**
 * The transport on node:http and node:https with kept-alive connections, and on a client of our own for bulk (`fetch` copies
 * bodies and is several times dearer; what is measured is in docs/adr/0023).
 */
export function createNodeTransport(options: NodeTransportOptions): Transport {
  const { serverUrl } = options;
  const base = new URL(serverUrl);
  const prefix = base.pathname.replace(/\/+$/, '');
  const secure = base.protocol === 'https:';
  const agentOptions = {
    keepAlive: true,
    // Shorter than servers' usual 5 s and more, so a request rarely meets a connection that is being closed.
    timeout: 60_000,
    maxSockets: options.maxConnections ?? 6,
    maxFreeSockets: options.maxConnections ?? 6,
    noDelay: true,
  };
  const agent = secure ? new https.Agent(agentOptions) : new http.Agent(agentOptions);
  const connectTimeoutMs = options.connectTimeoutMs ?? 10_000;
  // A peer that vanished without a word is noticed within a minute, the pause before the next try included.
  const idleTimeoutMs = options.idleTimeoutMs ?? 45_000;
  const counted = createSocketCounter();
  const host = base.hostname.replace(/^\[|\]$/g, '');
  const port = base.port === '' ? (secure ? 443 : 80) : Number(base.port);
  const bulk = createBulkClient({
    target: { secure, host, port },
    maxConnections: Math.min(MAX_BULK_CONNECTIONS, options.maxConnections ?? MAX_BULK_CONNECTIONS),
    connectTimeoutMs,
    onSocket: counted.add,
  });

  async function receiveBulk(asked: TransportRequest): Promise<TransportResponse> {
    const { signal } = asked;
    const fail = (error: unknown): unknown =>
      signal?.aborted ? signal.reason : unreachable(serverUrl, error);
    const body = await bytesOf(asked.body ?? []);
    try {
      const response = await bulk.request({
        method: asked.method,
        path: prefix + asked.path,
        headers: {
          host: base.host,
          'user-agent': options.userAgent ?? 'cairn',
          ...asked.headers,
          ...(asked.body === undefined ? {} : { 'content-length': String(sum(body)) }),
        },
        body,
        signal,
        idleTimeoutMs: asked.idleTimeoutMs ?? idleTimeoutMs,
      });
      const { status, headers, discard } = response;
      return { status, headers, discard, body: failAs(response.body, fail) };
    } catch (error) {
      throw fail(error);
    }
  }

  function request(asked: TransportRequest): Promise<TransportResponse> {
    if (asked.bulk === true) return receiveBulk(asked);
    const { body = [] } = asked;
    return areInMemory(body) ? send(asked, body) : bytesOf(body).then((read) => send(asked, read));
  }

  function send(asked: TransportRequest, body: readonly Uint8Array[]): Promise<TransportResponse> {
    const { signal } = asked;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const headers: Record<string, string | number> = {
        'user-agent': options.userAgent ?? 'cairn',
        ...asked.headers,
      };
      if (asked.body !== undefined) {
        headers['content-length'] = sum(body);
      }
      const outgoing = (secure ? https : http).request({
        host,
        port,
        method: asked.method,
        path: prefix + asked.path,
        headers,
        agent: asked.freshConnection === true ? false : agent,
      });
      const onAbort = (): void => {
        outgoing.destroy(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      const fail = (error: unknown): CairnError | unknown =>
        signal?.aborted ? signal.reason : unreachable(serverUrl, error);
      let settled = false;

      outgoing.on('socket', (socket) => {
        counted.add(socket);
        limitConnecting(socket, secure, connectTimeoutMs, () =>
          outgoing.destroy(Object.assign(new Error('connecting took too long'), { code: 'ETIMEDOUT' })),
        );
      });
      outgoing.setTimeout(asked.idleTimeoutMs ?? idleTimeoutMs, () =>
        outgoing.destroy(Object.assign(new Error('the server stopped answering'), { code: 'ETIMEDOUT' })),
      );
      outgoing.on('error', (error) => {
        signal?.removeEventListener('abort', onAbort);
        if (settled) return;
        settled = true;
        reject(fail(error));
      });
      outgoing.on('response', (incoming) => {
        settled = true;
        incoming.once('close', () => signal?.removeEventListener('abort', onAbort));
        // A break after the head is thrown by the body's iterator; without a reader it must not be fatal.
        incoming.on('error', () => undefined);
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers as Record<string, string | undefined>,
          body: readBody(incoming, fail),
          discard: () => incoming.destroy(),
        });
      });
      // Small bodies go out with the head in one write.
      if (body.length > 0) outgoing.cork();
      for (const piece of body) outgoing.write(piece);
      outgoing.end();
    });
  }

  return {
    serverUrl,
    request,
    openSocket: (path, headers, handlers) =>
      openNodeSocket({ serverUrl, path, headers, handlers, connectTimeoutMs, onSocket: counted.add }),
    get sentBytes() {
      return counted.sentBytes();
    },
    get receivedBytes() {
      return counted.receivedBytes();
    },
    close() {
      agent.destroy();
      bulk.close();
      counted.destroyAll();
    },
  };
}

async function* readBody(
  incoming: IncomingMessage,
  fail: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of incoming) yield piece as Uint8Array;
  } catch (error) {
    throw fail(error);
  }
  if (!incoming.complete)
    throw fail(Object.assign(new Error('the answer was cut short'), { code: 'ECONNRESET' }));
}

async function* failAs(
  body: AsyncIterable<Uint8Array>,
  fail: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw fail(error);
  }
}

function sum(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((total, piece) => total + piece.length, 0);
}

function limitConnecting(socket: Socket, secure: boolean, timeoutMs: number, onTimeout: () => void): void {
  if (!socket.connecting) return;
  const timer = setTimeout(onTimeout, timeoutMs);
  const stop = (): void => clearTimeout(timer);
  socket.once(secure ? 'secureConnect' : 'connect', stop);
  socket.once('close', stop);
}

interface SocketCounter {
  add(socket: Socket): void;
  sentBytes(): number;
  receivedBytes(): number;
  destroyAll(): void;
}

function createSocketCounter(): SocketCounter {
  const open = new Set<Socket>();
  let closedSent = 0;
  let closedReceived = 0;
  return {
    add(socket) {
      if (open.has(socket)) return;
      open.add(socket);
      socket.once('close', () => {
        open.delete(socket);
        closedSent += socket.bytesWritten;
        closedReceived += socket.bytesRead;
      });
    },
    sentBytes: () => [...open].reduce((total, socket) => total + socket.bytesWritten, closedSent),
    receivedBytes: () => [...open].reduce((total, socket) => total + socket.bytesRead, closedReceived),
    destroyAll() {
      for (const socket of open) socket.destroy();
    },
  };
}
