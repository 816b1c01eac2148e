import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { createPackBuffers, type PackBody } from './pack-buffers.ts';

const PACK_BYTES = 300_000;
const isShared = ({ bytes }: PackBody): boolean => bytes.buffer instanceof SharedArrayBuffer;

function bodyOf(bytes: Uint8Array, pieceBytes = 64 * 1024): Readable {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) pieces.push(bytes.subarray(at, at + pieceBytes));
  return Readable.from(pieces);
}

it('keeps so many buffers that other threads see, and makes no more of them', async () => {
  const buffers = createPackBuffers(2);
  const packs = [1, 2, 3].map(() => randomBytes(PACK_BYTES));
  for (let round = 0; round < 3; round++) {
    const bodies = await Promise.all(packs.map((bytes) => buffers.collect(bodyOf(bytes), bytes.length)));
    for (const [index, body] of bodies.entries())
      expect(Buffer.compare(body.bytes, packs[index] as Buffer)).toBe(0);
    expect(bodies.filter(isShared)).toHaveLength(2);
    for (const body of bodies) {
      body.release();
      body.release();
    }
  }
});

it('has the buffer again of a body that broke off', async () => {
  const buffers = createPackBuffers(1);
  for (let round = 0; round < 3; round++) {
    const broken = Readable.from(
      (async function* () {
        yield randomBytes(100_000);
        throw new Error('the peer is gone');
      })(),
    );
    await expect(buffers.collect(broken, PACK_BYTES)).rejects.toThrow('the peer is gone');
  }
  const body = await buffers.collect(bodyOf(randomBytes(PACK_BYTES)), PACK_BYTES);
  expect(isShared(body)).toBe(true);
});

it('takes a body whose length nobody stated, and refuses one that is too long as soon as that shows', async () => {
  const buffers = createPackBuffers(1);
  const bytes = randomBytes(1_000_000);
  const body = await buffers.collect(bodyOf(bytes), null);
  expect(Buffer.compare(body.bytes, bytes)).toBe(0);
  let made = 0;
  const endless = Readable.from(
    (function* () {
      for (;;) {
        made++;
        yield Buffer.alloc(1024 * 1024);
      }
    })(),
  );
  await expect(buffers.collect(endless, null)).rejects.toMatchObject({ code: 'too-large' });
  expect(made).toBeLessThan(40);
  expect(endless.destroyed).toBe(true);
});
