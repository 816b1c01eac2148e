import { once } from 'node:events';
import http from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { createReadBuffers } from '@cairn/services';
import fastify from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { BorrowedPieces } from './borrowed-pieces.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const SIZE = 300_000;

/** Every group lies in the same memory; the last one that was asked for is `state.asked`. */
function createSource(groups: number, failAt = Number.POSITIVE_INFINITY) {
  const memory = new Uint8Array(SIZE);
  const state = { asked: 0, returned: false };
  async function* read(): AsyncGenerator<readonly Uint8Array[]> {
    try {
      for (let group = 1; group <= groups; group++) {
        state.asked = group;
        if (group === failAt) throw new Error('the disk failed');
        memory.fill(group & 0xff);
        yield [memory.subarray(0, 10), memory.subarray(10)];
      }
    } finally {
      state.returned = true;
    }
  }
  return { read, state };
}

async function serve(body: () => BorrowedPieces): Promise<number> {
  const app = fastify({ logger: false });
  app.get('/', (_request, reply) => reply.header('x-kept', 'yes').send(body()));
  await app.listen({ port: 0, host: '127.0.0.1' });
  closers.push(() => app.close());
  return (app.server.address() as AddressInfo).port;
}

describe('pieces in memory that is used again', () => {
  it('arrive as they were, also with those who are slow to take them', async () => {
    const { read, state } = createSource(60);
    const port = await serve(() => new BorrowedPieces(read()));
    const request = http.get({ port, host: '127.0.0.1' });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    expect([response.statusCode, response.headers['x-kept']]).toEqual([200, 'yes']);
    let position = 0;
    for await (const piece of response as AsyncIterable<Buffer>) {
      if (position === 0) await new Promise((resolve) => setTimeout(resolve, 200));
      for (let from = 0; from < piece.length; ) {
        const group = Math.floor((position + from) / SIZE) + 1;
        const to = Math.min(piece.length, group * SIZE - position);
        expect(Buffer.compare(piece.subarray(from, to), Buffer.alloc(to - from, group))).toBe(0);
        from = to;
      }
      position += piece.length;
    }
    expect(position).toBe(60 * SIZE);
    expect(state.returned).toBe(true);
  });

  it('are not asked for faster than they are taken, nor once the peer is gone', async () => {
    const { read, state } = createSource(100_000);
    const port = await serve(() => new BorrowedPieces(read()));
    const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'));
    socket.once('data', () => socket.pause());
    let before = -1;
    await expect
      .poll(
        () => {
          const isStill = state.asked === before;
          before = state.asked;
          return isStill;
        },
        { interval: 200, timeout: 10_000 },
      )
      .toBe(true);
    expect(state.asked).toBeLessThan(1000);
    expect(state.returned).toBe(false);
    socket.destroy();
    await expect.poll(() => state.returned).toBe(true);
    expect(state.asked).toBeLessThan(1000);
  });

  it('break off the answer when they fail in the middle, and make it an error before', async () => {
    const broken = await serve(() => new BorrowedPieces(createSource(10, 5).read()));
    const response = await fetch(`http://127.0.0.1:${broken}/`);
    await expect(response.arrayBuffer()).rejects.toThrow();
    const refused = await serve(() => new BorrowedPieces(createSource(10, 1).read()));
    expect((await fetch(`http://127.0.0.1:${refused}/`)).status).toBe(500);
  });
});

describe('memory that downloads are read into', () => {
  it('is used again, of two sizes, and kept within a bound', () => {
    const buffers = createReadBuffers(5 * 1024 * 1024);
    expect(buffers.take(1000)).toBeNull();
    expect(buffers.take(10 * 1024 * 1024)).toBeNull();
    const taken = [100_000, 1_000_000, 1_000_000, 3_000_000].map((size) => buffers.take(size) as Uint8Array);
    expect(taken.map(({ length }) => length)).toEqual([100_000, 1_000_000, 1_000_000, 3_000_000]);
    expect(new Set(taken.map(({ buffer }) => buffer)).size).toBe(4);
    for (const memory of taken) buffers.give(memory);
    // The large one came last and is beyond the bound.
    expect(taken.slice(0, 3).map(({ buffer }) => buffer)).toContain(buffers.take(1_000_000)?.buffer);
    expect(buffers.take(3_000_000)?.buffer).not.toBe(taken[3]?.buffer);
  });
});
