import { once } from 'node:events';
import http from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { createRequestReader } from './request-reader.ts';

const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Says back what it hears, and counts what that was. */
async function startEcho(): Promise<{ port: number; heardBytes: () => number; server: Server }> {
  let heard = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('data', (bytes: Buffer) => {
      heard += bytes.length;
      socket.write(bytes);
    });
    socket.on('end', () => socket.end());
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => void server.close());
  return { port: (server.address() as AddressInfo).port, heardBytes: () => heard, server };
}

async function startProxy(port: number, seed = 'test'): Promise<FaultProxy> {
  const proxy = await startFaultProxy(port, seed);
  closers.push(() => proxy.close());
  return proxy;
}

interface Heard {
  readonly bytes: Buffer;
  readonly end: 'end' | 'error' | 'open';
  readonly durationMs: number;
}

/** Sends bytes, and listens until `enough` have come back, or the connection ends, or nothing has come for a while. */
function talk(port: number, said: Buffer, enough = said.length, patienceMs = 2000): Promise<Heard> {
  const startMs = performance.now();
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    const socket: Socket = connect(port, '127.0.0.1', () => socket.write(said));
    const finish = (end: Heard['end']) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ bytes: Buffer.concat(pieces), end, durationMs: performance.now() - startMs });
    };
    const timer = setTimeout(() => finish('open'), patienceMs);
    socket.on('data', (bytes: Buffer) => {
      pieces.push(bytes);
      if (Buffer.concat(pieces).length >= enough) finish('open');
    });
    socket.on('end', () => finish('end'));
    socket.on('error', () => finish('error'));
  });
}

const bytes = (length: number) => Buffer.from(Array.from({ length }, (_, index) => (index * 31) & 0xff));

describe('bytes', () => {
  it('pass unchanged without faults', async () => {
    const proxy = await startProxy((await startEcho()).port);
    const said = bytes(300_000);
    expect((await talk(proxy.port, said)).bytes.equals(said)).toBe(true);
    expect(proxy.counts).toMatchObject({ connections: 1, cut: 0, swallowedBytes: 0 });
  });

  it('come late, in order', async () => {
    const proxy = await startProxy((await startEcho()).port);
    proxy.set({ latencyMs: 60, jitterMs: 40 });
    const said = bytes(200_000);
    const heard = await talk(proxy.port, said);
    expect(heard.bytes.equals(said)).toBe(true);
    expect(heard.durationMs).toBeGreaterThan(115);
  });

  it('come slowly', async () => {
    const proxy = await startProxy((await startEcho()).port);
    proxy.set({ bytesPerSecond: 200_000 });
    const heard = await talk(proxy.port, bytes(60_000));
    expect(heard.bytes.length).toBe(60_000);
    expect(heard.durationMs).toBeGreaterThan(290);
  });

  it('come in drops', async () => {
    const proxy = await startProxy((await startEcho()).port);
    proxy.set({ dribble: { bytes: 3, pauseMs: 1 } });
    const said = bytes(100);
    expect((await talk(proxy.port, said)).bytes.equals(said)).toBe(true);
  });

  it.each([
    { direction: 'down', arrive: 1000 },
    { direction: 'up', arrive: 1000 },
  ] as const)('are cut after so many, going $direction', async ({ direction, arrive }) => {
    const echo = await startEcho();
    const proxy = await startProxy(echo.port);
    proxy.set({ cutAfter: { direction, bytes: arrive } });
    const heard = await talk(proxy.port, bytes(5000));
    expect(heard.end).not.toBe('open');
    if (direction === 'down') expect(heard.bytes.length).toBe(arrive);
    else await expect.poll(() => echo.heardBytes()).toBe(arrive);
    expect(proxy.counts.cut).toBe(1);
    proxy.heal();
    expect((await talk(proxy.port, bytes(5000))).bytes.length).toBe(5000);
  });

  it('are swallowed without a word, and that connection never comes back', async () => {
    const proxy = await startProxy((await startEcho()).port);
    const socket = connect(proxy.port, '127.0.0.1');
    closers.push(() => void socket.destroy());
    let heard = 0;
    let hasEnded = false;
    socket.on('data', (piece: Buffer) => {
      heard += piece.length;
    });
    socket.on('close', () => {
      hasEnded = true;
    });
    socket.write('one');
    await expect.poll(() => heard).toBe(3);
    proxy.set({ halfOpen: 'both' });
    socket.write('two');
    await expect.poll(() => proxy.counts.swallowedBytes).toBe(3);
    proxy.heal();
    socket.write('three');
    await expect.poll(() => proxy.counts.swallowedBytes).toBe(8);
    expect({ heard, hasEnded }).toEqual({ heard: 3, hasEnded: false });
    expect((await talk(proxy.port, bytes(10))).bytes.length).toBe(10);
  });

  it('meet a reset, a refusal, and a break of everything that is open', async () => {
    const proxy = await startProxy((await startEcho()).port);
    proxy.set({ resetChance: 1 });
    expect((await talk(proxy.port, bytes(10))).end).toBe('error');
    proxy.heal();
    proxy.set({ refuse: true });
    expect((await talk(proxy.port, bytes(10))).end).not.toBe('open');
    proxy.heal();
    const waiting = talk(proxy.port, bytes(10), 1000, 5000);
    await expect.poll(() => proxy.openConnections).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    proxy.breakAll('reset');
    expect((await waiting).end).toBe('error');
  });

  it('meet the same chances again with the same seed', async () => {
    const { port } = await startEcho();
    const fates = async (seed: string) => {
      const proxy = await startProxy(port, seed);
      proxy.set({ cutChance: 0.3 });
      const found: string[] = [];
      for (let run = 0; run < 12; run++) found.push((await talk(proxy.port, bytes(5))).end);
      return found.join(' ');
    };
    const first = await fates('x');
    expect(await fates('x')).toBe(first);
    expect(first).toContain('open');
    expect(first).toMatch(/end|error/);
  });
});

describe('requests', () => {
  async function startWeb() {
    const seen: string[] = [];
    const server = http.createServer(async (request, response) => {
      let length = 0;
      for await (const piece of request) length += (piece as Buffer).length;
      seen.push(`${request.method} ${request.url} ${length}`);
      response.end(`answer to ${request.url}`);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closers.push(
      () => server.closeAllConnections(),
      () => void server.close(),
    );
    return { port: (server.address() as AddressInfo).port, seen };
  }

  it('are sent a second time, whole', async () => {
    const web = await startWeb();
    const proxy = await startProxy(web.port);
    proxy.set({ duplicateChance: 1, duplicateWithinMs: 30 });
    const answer = await fetch(`${proxy.url}/a`, { method: 'POST', body: bytes(70_000) });
    expect(await answer.text()).toBe('answer to /a');
    await expect.poll(() => web.seen).toEqual(['POST /a 70000', 'POST /a 70000']);
    expect(proxy.counts.duplicated).toBe(1);
  });

  it('are answered by the proxy where that was asked for, and by the server elsewhere', async () => {
    const web = await startWeb();
    const proxy = await startProxy(web.port);
    proxy.set({
      answers: [{ request: /^GET \/portal/, status: 200, body: '<h1>Welcome</h1>', times: 1 }],
    });
    const portal = await fetch(`${proxy.url}/portal`);
    expect([portal.status, portal.headers.get('content-type'), await portal.text()]).toEqual([
      200,
      'text/html',
      '<h1>Welcome</h1>',
    ]);
    expect(await (await fetch(`${proxy.url}/portal`)).text()).toBe('answer to /portal');
    expect(await (await fetch(`${proxy.url}/other`)).text()).toBe('answer to /other');
    expect(web.seen).toEqual(['GET /portal 0', 'GET /other 0']);
  });

  it('get answers that are shorter than they say, or none though the server has done it', async () => {
    const web = await startWeb();
    const proxy = await startProxy(web.port);
    proxy.set({ answers: [{ status: 200, body: '{"changes":[', bodyBytes: 4 }] });
    await expect(fetch(`${proxy.url}/x`).then((answer) => answer.text())).rejects.toThrow();
    expect(web.seen).toEqual([]);
    proxy.heal();
    proxy.set({ loseAnswers: { request: /^POST/, times: 1 } });
    await expect(fetch(`${proxy.url}/y`, { method: 'POST', body: 'b' })).rejects.toThrow();
    expect(web.seen).toEqual(['POST /y 1']);
    expect(await (await fetch(`${proxy.url}/y`, { method: 'POST', body: 'b' })).text()).toBe('answer to /y');
  });
});

describe('the reader of requests', () => {
  it('finds the same requests however the bytes come', () => {
    const text =
      'POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\nHost: x\r\n\r\n' +
      'PUT /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n' +
      'GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\x81\x02hi';
    for (const size of [1, 2, 3, 7, 50, 1000]) {
      const reader = createRequestReader();
      const lines: string[] = [];
      let passed = '';
      let ends = 0;
      for (let at = 0; at < text.length; at += size) {
        for (const piece of reader.read(Buffer.from(text.slice(at, at + size), 'latin1'))) {
          if (piece.isFirst) lines.push(piece.line);
          if (piece.isLast) ends++;
          passed += piece.bytes.toString('latin1');
        }
      }
      expect(lines).toEqual(['POST /a', 'GET /b', 'PUT /c', 'GET /ws']);
      expect(ends).toBe(3);
      expect(passed).toBe(text);
    }
  });
});
