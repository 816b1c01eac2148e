import { randomBytes } from 'node:crypto';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type BulkClient, type BulkRequest, createBulkClient } from './bulk-client.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Served {
  readonly client: BulkClient;
  /** Of the connections that requests came over. */
  readonly ports: (number | undefined)[];
}

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Served> {
  const ports: (number | undefined)[] = [];
  const server = http.createServer((request, response) => {
    ports.push(request.socket.remotePort);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = createBulkClient({
    target: { secure: false, host: '127.0.0.1', port },
    maxConnections: 2,
    connectTimeoutMs: 5000,
  });
  closers.push(() => {
    client.close();
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { client, ports };
}

function post(body: readonly Uint8Array[], idleTimeoutMs = 10_000): BulkRequest {
  const length = body.reduce((sum, piece) => sum + piece.length, 0);
  const headers = { host: 'x', 'content-length': String(length) };
  return { method: 'POST', path: '/', headers, body, signal: undefined, idleTimeoutMs };
}

async function fillAll(
  fill: (into: Uint8Array) => Promise<number>,
  lengths: readonly number[],
): Promise<Buffer[]> {
  const parts: Buffer[] = [];
  for (const length of lengths) {
    const into = Buffer.alloc(length);
    parts.push(into.subarray(0, await fill(into)));
  }
  return parts;
}

describe('bodies of any length', () => {
  it('arrive as they were, and answers are copied to where they are wanted, in lengths of any kind', async () => {
    const { client, ports } = await serve((request, response) => request.pipe(response));
    const body = [randomBytes(3), randomBytes(1_500_000), randomBytes(40), randomBytes(200_000)];
    const sent = Buffer.concat(body);
    for (let round = 0; round < 2; round++) {
      const response = await client.request(post(body));
      const lengths = [1, 46, 700_001, 0, 16_384, sent.length];
      const parts = await fillAll(response.fill, lengths);
      expect(parts.map((part) => part.length)).toEqual([
        ...lengths.slice(0, -1),
        sent.length - lengths.slice(0, -1).reduce((sum, length) => sum + length, 0),
      ]);
      expect(Buffer.concat(parts).equals(sent)).toBe(true);
      expect(await response.fill(Buffer.alloc(5))).toBe(0);
    }
    // Both over one connection: the end of the first was seen.
    expect(new Set(ports).size).toBe(1);
  });

  it('are not sent on when the answer is there before their end, and the connection is not used again', async () => {
    let isRefusing = true;
    const { client, ports } = await serve((request, response) => {
      if (isRefusing) response.writeHead(413, { 'content-length': 4 }).end('full');
      else request.pipe(response);
    });
    const body = Array.from({ length: 64 }, () => randomBytes(1024 * 1024));
    const refused = await client.request(post(body));
    expect(refused.status).toBe(413);
    expect((await fillAll(refused.fill, [10])).map(String)).toEqual(['full']);
    isRefusing = false;
    const answered = await client.request(post([randomBytes(10)]));
    expect(await answered.fill(Buffer.alloc(20))).toBe(10);
    expect(new Set(ports).size).toBe(2);
  });

  it('that nobody takes are given up', async () => {
    const { client } = await serve((request) => request.pause());
    const body = Array.from({ length: 64 }, () => randomBytes(1024 * 1024));
    await expect(client.request(post(body, 200))).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  });

  it('are an error when the answer is cut off while it is copied', async () => {
    const { client } = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('half', () => response.destroy());
    });
    const response = await client.request(post([]));
    await expect(response.fill(Buffer.alloc(100))).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
});
