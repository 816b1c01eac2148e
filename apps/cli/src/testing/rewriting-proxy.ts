import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RewritingProxy {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * For tests: a server in the middle that may change what JSON answers say. WebSockets do not get through.
 * @param rewrite gets the path and the parsed answer
 */
export async function startRewritingProxy(
  targetUrl: string,
  // biome-ignore lint/suspicious/noExplicitAny: tests change answers of any form
  rewrite: (path: string, answer: any) => unknown,
): Promise<RewritingProxy> {
  const server = createServer(async (request, response) => {
    try {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      const path = request.url ?? '/';
      const answer = await fetch(targetUrl + path, {
        method: request.method ?? 'GET',
        headers: plainHeaders(request.headers),
        ...(pieces.length === 0 ? {} : { body: Buffer.concat(pieces) }),
      });
      const type = answer.headers.get('content-type') ?? '';
      let body = Buffer.from(await answer.arrayBuffer());
      if (type.startsWith('application/json'))
        body = Buffer.from(JSON.stringify(rewrite(path, JSON.parse(body.toString()))));
      response.writeHead(answer.status, { 'content-type': type });
      response.end(body);
    } catch {
      response.destroy();
    }
  });
  return listen(server);
}

/** For tests: something that answers every request with a page, as the portal of a hotel does. */
export async function startPortal(): Promise<RewritingProxy> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end('<h1>Welcome to our hotel</h1>');
  });
  return listen(server);
}

function plainHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const { host, connection, ...rest } = headers;
  return Object.fromEntries(
    Object.entries(rest)
      .filter(([name]) => name !== 'content-length')
      .map(([name, value]) => [name, String(value)]),
  );
}

async function listen(server: Server): Promise<RewritingProxy> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
