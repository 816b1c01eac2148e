import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { SocketHandlers, TransportSocket } from '../transport.ts';

export interface NodeSocketOptions {
  readonly serverUrl: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly handlers: SocketHandlers;
  readonly connectTimeoutMs: number;
  onSocket(socket: Socket): void;
}

/** Hints are small; more than this is no message of ours. */
const MAX_MESSAGE_BYTES = 64 * 1024;

/** Opens a WebSocket (`ws`, because it takes an Authorization header and shows pings). */
export function openNodeSocket(options: NodeSocketOptions): TransportSocket {
  const { handlers } = options;
  let status: number | null = null;
  let closed = false;
  const socket = new WebSocket(options.serverUrl.replace(/^http/, 'ws') + options.path, {
    headers: { ...options.headers },
    handshakeTimeout: options.connectTimeoutMs,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    followRedirects: false,
  });
  function finish(code: number | null): void {
    if (closed) return;
    closed = true;
    handlers.onClose({ status, code });
  }
  socket.on('upgrade', (response) => options.onSocket(response.socket));
  socket.on('open', () => {
    if (!closed) handlers.onOpen();
  });
  socket.on('message', (data, isBinary) => {
    if (closed) return;
    handlers.onActivity();
    if (!isBinary) handlers.onMessage(data.toString());
  });
  socket.on('ping', () => {
    if (!closed) handlers.onActivity();
  });
  socket.on('unexpected-response', (request, response) => {
    status = response.statusCode ?? null;
    request.destroy();
    finish(null);
  });
  // 'close' follows every error and is where it is reported.
  socket.on('error', () => undefined);
  socket.on('close', (code) => finish(code));
  return {
    close() {
      finish(null);
      socket.terminate();
    },
  };
}
