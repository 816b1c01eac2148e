import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface Peer {
  readonly url: string;
  readonly requests: { method: string; path: string; token: string | null; body: Buffer }[];
  /** Replaces what answers from now on. */
  answer(handler: PeerHandler): void;
  close(): Promise<void>;
}

export type PeerHandler = (
  request: { method: string; path: string; token: string | null; body: Buffer },
  response: http.ServerResponse,
) => void | Promise<void>;

/** For tests: a real HTTP server on a free loopback port that answers whatever the test wants. */
export async function startPeer(first: PeerHandler): Promise<Peer> {
  let handler = first;
  const requests: Peer['requests'] = [];
  const sockets = new Set<Socket>();
  const server = http.createServer(async (incoming, response) => {
    const pieces: Buffer[] = [];
    try {
      for await (const piece of incoming) pieces.push(piece);
    } catch {
      // The client went away in the middle, as some tests want it to.
      return;
    }
    const token = incoming.headers.authorization?.replace('Bearer ', '') ?? null;
    const request = {
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      token,
      body: Buffer.concat(pieces),
    };
    requests.push(request);
    await handler(request, response);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answer(next) {
      handler = next;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function sendJson(
  response: http.ServerResponse,
  status: number,
  value: unknown,
  type = 'application/json',
): void {
  response.writeHead(status, { 'content-type': type });
  response.end(JSON.stringify(value));
}

export function sendProblem(
  response: http.ServerResponse,
  status: number,
  code: string,
  more: object = {},
): void {
  sendJson(
    response,
    status,
    {
      type: `urn:cairn:problem:${code}`,
      title: code,
      status,
      code,
      detail: `because of ${code}`,
      requestId: 'r1',
      ...more,
    },
    'application/problem+json',
  );
}
