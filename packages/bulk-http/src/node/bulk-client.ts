import type { Socket } from 'node:net';
import { writeRequestHead } from '../head-lines.ts';
import type { ResponseHead } from '../response-parser.ts';
import {
  type BulkConnection,
  type BulkExchange,
  type BulkTarget,
  openBulkConnection,
} from './bulk-connection.ts';

/** Shorter than servers' keeping alive, so that a request rarely meets a connection that is being closed. */
const KEPT_MS = 30_000;

export interface BulkClientOptions {
  readonly target: BulkTarget;
  /** At most so many connections; 2-4 saturate a link. Who comes when all are busy waits. */
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
  onSocket?(socket: Socket): void;
}

export interface BulkResponse extends ResponseHead {
  /** Each piece is overwritten once the next is asked for. Must be read to its end, filled from, or discarded. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Copies what comes next of the body; resolves with how many bytes, fewer than `into` holds only at the end. */
  fill(into: Uint8Array): Promise<number>;
  /** Nothing more of it is wanted. */
  discard(): void;
}

export interface BulkRequest {
  readonly method: string;
  /** With the prefix of the server's address. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: readonly Uint8Array[];
  readonly signal: AbortSignal | undefined;
  readonly idleTimeoutMs: number;
  /** Whether it may be sent twice; yes unless told. */
  readonly mayRepeat?: boolean;
}

export interface BulkClient {
  /**
   * A request that may be sent twice and meets a kept connection which the server has just closed goes out again on
   * another. Rejects with the signal's reason, or an error of the network with its code.
   */
  request(request: BulkRequest): Promise<BulkResponse>;
  close(): void;
}

interface Kept {
  readonly connection: BulkConnection;
  readonly timer: NodeJS.Timeout;
}

/** Downloads that are large: HTTP/1.1 over few connections that receive without new memory for each read. */
export function createBulkClient(options: BulkClientOptions): BulkClient {
  const kept: Kept[] = [];
  const open = new Set<BulkConnection>();
  const waiting: (() => void)[] = [];

  function connect(): BulkConnection {
    const connection = openBulkConnection(options.target, options.connectTimeoutMs, () => keep(connection));
    open.add(connection);
    options.onSocket?.(connection.socket);
    connection.socket.once('close', () => {
      open.delete(connection);
      const at = kept.findIndex((each) => each.connection === connection);
      if (at >= 0) clearTimeout(kept.splice(at, 1)[0]?.timer);
      waiting.shift()?.();
    });
    return connection;
  }

  function keep(connection: BulkConnection): void {
    const timer = setTimeout(() => connection.destroy(new Error('it was not used for a while')), KEPT_MS);
    timer.unref();
    connection.socket.unref();
    kept.push({ connection, timer });
    waiting.shift()?.();
  }

  function takeKept(): BulkConnection | null {
    for (let last = kept.pop(); last !== undefined; last = kept.pop()) {
      clearTimeout(last.timer);
      if (!last.connection.isIdle) continue;
      last.connection.socket.ref();
      return last.connection;
    }
    return null;
  }

  async function acquire(
    signal: AbortSignal | undefined,
  ): Promise<{ connection: BulkConnection; isFresh: boolean }> {
    for (;;) {
      signal?.throwIfAborted();
      const used = takeKept();
      if (used !== null) return { connection: used, isFresh: false };
      if (open.size < options.maxConnections) return { connection: connect(), isFresh: true };
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          signal?.removeEventListener('abort', leave);
          resolve();
        };
        const leave = (): void => {
          const at = waiting.indexOf(wake);
          if (at >= 0) waiting.splice(at, 1);
          resolve();
        };
        waiting.push(wake);
        signal?.addEventListener('abort', leave, { once: true });
      });
    }
  }

  async function send(
    asked: BulkRequest,
    connection: BulkConnection,
  ): Promise<{ exchange: BulkExchange; stopListening: () => void }> {
    const { signal } = asked;
    const onAbort = (): void => connection.destroy(signal?.reason);
    const stopListening = (): void => signal?.removeEventListener('abort', onAbort);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const head = writeRequestHead(asked.method, asked.path, asked.headers);
      const request = { head, body: asked.body, bodiless: asked.method === 'HEAD' };
      return { exchange: await connection.exchange(request, asked.idleTimeoutMs), stopListening };
    } catch (error) {
      stopListening();
      connection.destroy(error as Error);
      throw error;
    }
  }

  return {
    async request(asked) {
      for (;;) {
        const { connection, isFresh } = await acquire(asked.signal);
        try {
          const { exchange, stopListening } = await send(asked, connection);
          return respond(connection, exchange, stopListening);
        } catch (error) {
          const isStale =
            asked.mayRepeat !== false &&
            !isFresh &&
            !connection.wasAnswered &&
            asked.signal?.aborted !== true;
          if (!isStale || (error as { code?: unknown }).code === 'ETIMEDOUT') throw error;
        }
      }
    },
    close() {
      for (const connection of [...open]) connection.destroy(new Error('the client was closed'));
    },
  };
}

function respond(
  connection: BulkConnection,
  { head, next, fill }: BulkExchange,
  stopListening: () => void,
): BulkResponse {
  let ended = false;

  function end(): void {
    stopListening();
    if (!ended) connection.destroy(new Error('the rest was not wanted'));
    ended = true;
  }

  async function* readBody(): AsyncGenerator<Uint8Array> {
    try {
      for (let piece = await next(); piece !== null; piece = await next()) yield piece;
      ended = true;
    } finally {
      end();
    }
  }

  return {
    ...head,
    body: readBody(),
    async fill(into) {
      const filled = await fill(into);
      if (filled < into.length) {
        ended = true;
        end();
      }
      return filled;
    },
    discard: end,
  };
}
