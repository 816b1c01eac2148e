import type { SocketHandlers, TransportSocket } from '../transport.ts';

/**
 * Opens a WebSocket of the browser. It can send no headers (the session is a cookie), tells no status when it is
 * refused, and hides pings: the server says a word instead now and then.
 */
export function openBrowserSocket(
  serverUrl: string,
  path: string,
  handlers: SocketHandlers,
): TransportSocket {
  const socket = new WebSocket(serverUrl.replace(/^http/, 'ws') + path);
  let closed = false;
  function finish(code: number | null): void {
    if (closed) return;
    closed = true;
    handlers.onClose({ status: null, code });
  }
  socket.addEventListener('open', () => {
    if (!closed) handlers.onOpen();
  });
  socket.addEventListener('message', ({ data }) => {
    if (closed) return;
    handlers.onActivity();
    if (typeof data === 'string') handlers.onMessage(data);
  });
  // An error is always followed by `close`.
  socket.addEventListener('close', ({ code }) => finish(code));
  return {
    close() {
      finish(null);
      socket.close();
    },
  };
}
