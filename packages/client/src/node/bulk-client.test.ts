import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo, type Socket } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { makeCertificate } from '../testing/certificate.ts';
import type { Transport, TransportRequest, TransportResponse } from '../transport.ts';
import { createNodeTransport } from './node-transport.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const READ: TransportRequest = { method: 'GET', path: '/x', bulk: true };

function connectTo(url: string, more: { idleTimeoutMs?: number } = {}): Transport {
  const transport = createNodeTransport({ serverUrl: url, ...more });
  closers.push(() => transport.close());
  return transport;
}

interface RawServer {
  readonly url: string;
  readonly sockets: Socket[];
  /** Bytes of requests that arrived, over all connections. */
  heard(): string;
}

/** Says to each request what `answer` wants, byte for byte. */
async function startRaw(
  answer: (socket: Socket, request: number, text: string) => void,
  host = '127.0.0.1',
): Promise<RawServer> {
  const sockets: Socket[] = [];
  let requests = 0;
  let heard = '';
  const server = net.createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      const text = bytes.toString('latin1');
      heard += text;
      if (text.includes('\r\n\r\n')) answer(socket, ++requests, text);
    });
  });
  server.listen(0, host);
  await once(server, 'listening');
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`, sockets, heard: () => heard };
}

function ok(body: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

async function read({ body }: TransportResponse): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of body) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

function pattern(sizeBytes: number): Buffer {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  for (let index = 0; index < sizeBytes; index += 4) bytes.writeUInt32LE((index * 2654435761) >>> 0, index);
  return bytes;
}

/** A real server of Node that sends the same bytes with a length, in chunks, or until it closes. */
function answerWith(bytes: Buffer): http.RequestListener {
  return (request, response) => {
    request.resume();
    if (request.url === '/length') response.setHeader('content-length', bytes.length);
    if (request.url === '/close') response.setHeader('connection', 'close');
    for (let from = 0, size = 1; from < bytes.length; from += size, size = (size * 7) % 300_007)
      response.write(bytes.subarray(from, from + size));
    response.end();
  };
}

describe('bulk answers', () => {
  it('come whole, with a length and in chunks, one after the other over one connection', async () => {
    const bytes = pattern(5_000_000);
    const server = http.createServer(answerWith(bytes));
    let connections = 0;
    server.on('connection', () => connections++);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closers.push(() => server.close());
    const transport = connectTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    for (const path of ['/length', '/chunks', '/length', '/chunks']) {
      expect((await read(await transport.request({ ...READ, path }))).equals(bytes)).toBe(true);
    }
    expect(connections).toBe(1);
    expect((await read(await transport.request({ ...READ, path: '/close' }))).equals(bytes)).toBe(true);
    expect((await read(await transport.request({ ...READ, path: '/length' }))).equals(bytes)).toBe(true);
    expect(connections).toBe(2);
    expect(transport.receivedBytes).toBeGreaterThan(6 * bytes.length);
  });

  it('wait for who is slow to take them, and a piece stays as it is until the next is asked for', async () => {
    const bytes = pattern(8_000_000);
    const server = http.createServer(answerWith(bytes));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closers.push(() => server.close());
    const transport = connectTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
      idleTimeoutMs: 300,
    });
    const { body } = await transport.request({ ...READ, path: '/length' });
    let position = 0;
    let slow = 0;
    for await (const piece of body) {
      const before = Buffer.from(piece);
      if (slow++ < 2) await new Promise((resolve) => setTimeout(resolve, 700));
      expect(before.equals(piece)).toBe(true);
      expect(before.equals(bytes.subarray(position, position + piece.length))).toBe(true);
      position += piece.length;
    }
    expect(position).toBe(bytes.length);
  });

  it('come over four connections at most; the others wait', async () => {
    const waiting: (() => void)[] = [];
    const raw = await startRaw((socket, request) =>
      waiting.push(() => socket.write(ok(`answer ${request}`))),
    );
    const transport = connectTo(raw.url);
    const answers = Array.from({ length: 10 }, async () => read(await transport.request(READ)));
    const stop = new AbortController();
    const last = transport.request({ ...READ, signal: stop.signal });
    await expect.poll(() => waiting.length).toBe(4);
    stop.abort(new Error('not any more'));
    await expect(last).rejects.toThrow('not any more');
    for (let served = 0; served < 10; served++) {
      await expect.poll(() => waiting.length).toBeGreaterThan(0);
      waiting.shift()?.();
    }
    const texts = (await Promise.all(answers)).map(String);
    expect(new Set(texts).size).toBe(10);
    expect(raw.sockets.length).toBe(4);
  });

  it('are asked for again when a kept connection turns out to be closed, and only then', async () => {
    const raw = await startRaw((socket, request) => {
      if (request === 2) socket.destroy();
      else socket.write(ok(`answer ${request}`));
    });
    const transport = connectTo(raw.url);
    expect(String(await read(await transport.request(READ)))).toBe('answer 1');
    expect(String(await read(await transport.request(READ)))).toBe('answer 3');
    expect(raw.sockets.length).toBe(2);
    const never = await startRaw((socket) => socket.destroy());
    await expect(connectTo(never.url).request(READ)).rejects.toMatchObject({ code: 'server-unreachable' });
    expect(never.sockets.length).toBe(1);
  });

  it('do not come from a server that speaks without being asked', async () => {
    const raw = await startRaw((socket, request) => {
      const more = request === 3 ? `${ok('')}${ok('more')}` : '';
      socket.write(ok(`answer ${request}`) + more);
      if (request === 1) setTimeout(() => socket.write(ok('an answer to nothing')), 20);
    });
    const transport = connectTo(raw.url);
    expect(String(await read(await transport.request(READ)))).toBe('answer 1');
    await expect.poll(() => raw.sockets[0]?.destroyed).toBe(true);
    for (const answer of ['answer 2', 'answer 3', 'answer 4'])
      expect(String(await read(await transport.request(READ)))).toBe(answer);
    expect(raw.sockets.length).toBe(3);
  });

  it.each([
    ['nothing', ''],
    ['half a head', 'HTTP/1.1 200 OK\r\nContent-Le'],
    ['half a body', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345'],
    ['no last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n'],
    ['no end behind the last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n'],
  ])('that end after %s, or stop there, are no answers', async (_name, said) => {
    const cut = await startRaw((socket) => socket.end(said));
    await expect(connectTo(cut.url).request(READ).then(read)).rejects.toMatchObject({
      code: 'server-unreachable',
    });
    const silent = await startRaw((socket) => socket.write(said));
    const transport = connectTo(silent.url, { idleTimeoutMs: 150 });
    await expect(transport.request(READ).then(read)).rejects.toMatchObject({
      code: 'server-unreachable',
      details: { systemCode: 'ETIMEDOUT' },
    });
    await expect.poll(() => silent.sockets[0]?.destroyed).toBe(true);
  });

  it('that are no HTTP are told as such', async () => {
    const raw = await startRaw((socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n'));
    await expect(connectTo(raw.url).request(READ)).rejects.toMatchObject({
      code: 'server-unreachable',
      message: expect.stringContaining('does not speak the expected protocol'),
      details: { systemCode: 'EPROTO' },
    });
    await expect.poll(() => raw.sockets[0]?.destroyed).toBe(true);
  });

  it('are not followed elsewhere', async () => {
    const raw = await startRaw((socket) =>
      socket.write('HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n'),
    );
    const response = await connectTo(raw.url).request(READ);
    expect([response.status, response.headers['location']]).toEqual([302, 'http://192.0.2.1/']);
    expect(raw.sockets.length).toBe(1);
  });

  it('end with the signal, at any time, and so does the connection', async () => {
    const raw = await startRaw((socket, request) => {
      if (request === 2) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345');
    });
    const transport = connectTo(raw.url);
    const early = new AbortController();
    const first = transport.request({ ...READ, signal: early.signal });
    await expect.poll(() => raw.sockets.length).toBe(1);
    early.abort(new Error('first'));
    await expect(first).rejects.toThrow('first');
    const late = new AbortController();
    const second = await transport.request({ ...READ, signal: late.signal });
    const reading = read(second);
    late.abort(new Error('second'));
    await expect(reading).rejects.toThrow('second');
    await expect.poll(() => raw.sockets.map(({ destroyed }) => destroyed)).toEqual([true, true]);
    await expect(transport.request({ ...READ, signal: late.signal })).rejects.toThrow('second');
    expect(raw.sockets.length).toBe(2);
  });

  it('whose rest is not wanted end their connection', async () => {
    const raw = await startRaw((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345'),
    );
    const transport = connectTo(raw.url);
    for await (const _piece of (await transport.request(READ)).body) break;
    (await transport.request(READ)).discard();
    await expect.poll(() => raw.sockets.map(({ destroyed }) => destroyed)).toEqual([true, true]);
  });

  it('belong to requests that say what was asked, and nothing that was smuggled in', async () => {
    const raw = await startRaw((socket) => socket.write(ok('')));
    const transport = connectTo(`${raw.url}/prefix`);
    const body = [Buffer.from('ab'), Buffer.from('cd')];
    await transport.request({ ...READ, method: 'POST', path: '/y?z=1', headers: { accept: 'a/b' }, body });
    const host = raw.url.slice('http://'.length);
    expect(raw.heard()).toBe(
      `POST /prefix/y?z=1 HTTP/1.1\r\nhost: ${host}\r\nuser-agent: cairn\r\naccept: a/b\r\ncontent-length: 4\r\n\r\nabcd`,
    );
    for (const bad of [
      { ...READ, path: '/y HTTP/1.1\r\nx: y' },
      { ...READ, headers: { 'x-y': 'a\r\nb: c' } },
      { ...READ, headers: { 'x\r\nb': 'c' } },
    ])
      await expect(transport.request(bad)).rejects.toThrow('odd characters');
    expect(raw.heard().length).toBeLessThan(200);
  });

  it('come over IPv6', async ({ skip }) => {
    const raw = await startRaw((socket) => socket.write(ok('six')), '::1').catch(() => null);
    if (raw === null) return skip('no IPv6 on this machine');
    expect(String(await read(await connectTo(raw.url).request(READ)))).toBe('six');
    expect(raw.heard()).toContain(`host: ${new URL(raw.url).host}`);
  });
});

describe('bulk answers over TLS', () => {
  async function startSecure(names: readonly string[], addresses: readonly string[], bytes: Buffer) {
    const { key, certificate } = makeCertificate(names, addresses);
    const server = https.createServer({ key, cert: certificate }, answerWith(bytes));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closers.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return { port: (server.address() as AddressInfo).port, certificate };
  }

  function trust(certificate: string): void {
    const before = getCACertificates('default');
    setDefaultCACertificates([certificate]);
    closers.push(() => setDefaultCACertificates(before));
  }

  it('come whole, also to those who are slow', async () => {
    const bytes = pattern(3_000_000);
    const { port, certificate } = await startSecure(['localhost'], ['127.0.0.1'], bytes);
    trust(certificate);
    for (const host of ['localhost', '127.0.0.1']) {
      const transport = connectTo(`https://${host}:${port}`);
      for (const path of ['/length', '/chunks']) {
        const { body } = await transport.request({ ...READ, path });
        let position = 0;
        let count = 0;
        for await (const piece of body) {
          const before = Buffer.from(piece);
          if (count++ % 40 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
          expect(before.equals(piece)).toBe(true);
          expect(before.equals(bytes.subarray(position, position + piece.length))).toBe(true);
          position += piece.length;
        }
        expect(position).toBe(bytes.length);
      }
    }
  });

  it('come from nobody whose certificate is not trusted, or is for another name', async () => {
    const bytes = pattern(100);
    const { port, certificate } = await startSecure(['elsewhere.example'], [], bytes);
    const refused = (url: string) =>
      expect(connectTo(url).request(READ)).rejects.toMatchObject({
        code: 'server-unreachable',
        message: expect.stringContaining('certificate'),
      });
    await refused(`https://127.0.0.1:${port}`);
    trust(certificate);
    await refused(`https://127.0.0.1:${port}`);
    await refused(`https://localhost:${port}`);
  });

  it('come from nobody who does not speak TLS', async () => {
    const plain = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    plain.listen(0, '127.0.0.1');
    await once(plain, 'listening');
    closers.push(() => plain.close());
    const { port } = plain.address() as AddressInfo;
    await expect(connectTo(`https://127.0.0.1:${port}`).request(READ)).rejects.toMatchObject({
      code: 'server-unreachable',
    });
  });
});
