import { hash, randomBytes } from 'node:crypto';
import type { BlockId } from '@cairn/model';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { blockIdOf, encodeNamedBlock, openBlockAside } from '../block-encoding.ts';
import { type ByteSource, cutContent } from '../cut-content.ts';
import { allocateBytes, type ContentPlatform } from '../platform.ts';
import { createHashThreads, type HashThreads, type HashThreadsOptions } from './hash-threads.ts';
import { createNodePlatform } from './node-platform.ts';

const KIB = 1024;
const opened: HashThreads[] = [];

function start(options: HashThreadsOptions = {}): HashThreads {
  const threads = createHashThreads({ warmUpBytes: 0, ...options });
  opened.push(threads);
  return threads;
}

afterEach(async () => {
  for (const threads of opened.splice(0)) await threads.close();
});

function share(bytes: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}

const sha256 = (bytes: Uint8Array): Uint8Array => Uint8Array.from(hash('sha256', bytes, 'buffer'));

describe('threads that hash', () => {
  it('give what is hashed here, however much is asked at once', async () => {
    const threads = start({ count: 2 });
    const memory = share(randomBytes(2048 * KIB));
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            offset: fc.integer({ min: 0, max: 1024 * KIB }),
            length: fc.integer({ min: 64 * KIB, max: 1024 * KIB }),
          }),
          { minLength: 1, maxLength: 12 },
        ),
        async (ranges) => {
          const views = ranges.map(({ offset, length }) => memory.subarray(offset, offset + length));
          const digests = await Promise.all(views.map((view) => threads.digest(view)));
          expect(digests).toEqual(views.map(sha256));
        },
      ),
      { numRuns: 25 },
    );
    expect(threads.running).toBe(2);
  });

  it('leave to the caller what other threads cannot see, what is small, and the first bytes', () => {
    const threads = start({ warmUpBytes: 100 * KIB });
    expect(threads.digest(randomBytes(1024 * KIB))).toBeNull();
    expect(threads.digest(share(randomBytes(64 * KIB - 1)))).toBeNull();
    const shared = share(randomBytes(100 * KIB));
    expect(threads.digest(shared)).toBeNull();
    expect(threads.running).toBe(0);
    expect(threads.digest(shared)).not.toBeNull();
    expect(threads.running).toBe(1);
  });

  it('end when they have nothing to do, and are there again when they have', async () => {
    const threads = start({ idleMs: 30 });
    const bytes = share(randomBytes(64 * KIB));
    for (let round = 0; round < 2; round++) {
      expect(await threads.digest(bytes)).toEqual(sha256(bytes));
      await vi.waitFor(() => expect(threads.running).toBe(0));
    }
  });

  it('answer what they were asked when they are closed meanwhile', async () => {
    const program = "require('node:worker_threads').parentPort.on('message', () => {});";
    const threads = start({ count: 1, program });
    const bytes = share(randomBytes(64 * KIB));
    const digest = threads.digest(bytes);
    await threads.close();
    expect(Uint8Array.from((await digest) as Uint8Array)).toEqual(sha256(bytes));
  });

  it.each([
    ['fail', 'throw new Error("no thread today")'],
    ['end', 'process.exit(1)'],
  ])('that %s leave no question without its answer, and are not asked again', async (_how, deed) => {
    const program = `require('node:worker_threads').parentPort.once('message', () => { ${deed}; });`;
    const threads = start({ count: 2, program });
    const blocks = Array.from({ length: 6 }, () => share(randomBytes(64 * KIB)));
    const digests = await Promise.all(blocks.map((bytes) => threads.digest(bytes)));
    expect(digests.map((digest) => digest && Uint8Array.from(digest))).toEqual(blocks.map(sha256));
    expect(threads.digest(blocks[0] as Uint8Array)).toBeNull();
  });
});

describe('contents that are hashed in threads', () => {
  const here = createNodePlatform();

  function readFrom(bytes: Uint8Array): ByteSource {
    return {
      async read(into, position) {
        const part = bytes.subarray(position, position + into.length);
        into.set(part);
        return part.length;
      },
    };
  }

  async function cut(
    platform: ContentPlatform,
    bytes: Uint8Array,
    profile: 't32-64k' | 't32-256k' | 't32-1m',
  ) {
    const blocks: [id: BlockId, position: number | undefined][] = [];
    const content = await cutContent(platform, readFrom(bytes), {
      profile,
      // Whoever takes the blocks may be slow, and each is still what its id says then.
      async emit({ blockId, kind, plain, position }) {
        blocks.push([blockId, position]);
        await new Promise(setImmediate);
        if (kind === 'chunk') expect(blockId.endsWith(Buffer.from(sha256(plain)).toString('hex'))).toBe(true);
      },
    });
    return { content, blocks };
  }

  it('are the same blocks in the same order', async () => {
    const threaded = createNodePlatform(start({ count: 2 }));
    const bytes = randomBytes(24 * 1024 * KIB);
    // A hole, and what is there twice.
    bytes.fill(0, 5_000_000, 12_000_000);
    bytes.copyWithin(14_000_000, 1_000_000, 4_500_000);
    for (const profile of ['t32-64k', 't32-256k', 't32-1m'] as const) {
      for (const sizeBytes of [0, 1, 700_000, 9_000_001, bytes.length]) {
        const part = bytes.subarray(0, sizeBytes);
        expect(await cut(threaded, part, profile)).toEqual(await cut(here, part, profile));
      }
    }
  });

  it('emit nothing any more once the caller heard of an error, whoever made it', async () => {
    const threaded = createNodePlatform(start({ count: 2 }));
    const bytes = randomBytes(20 * 1024 * KIB);
    const good = readFrom(bytes);
    const reading: ByteSource = {
      read: (into, position) =>
        position > 9_000_000 ? Promise.reject(new Error('the disk failed')) : good.read(into, position),
    };
    let emitted = 0;
    const slowly = async () => {
      emitted++;
      await new Promise(setImmediate);
    };
    const profile = 't32-1m';
    await expect(cutContent(threaded, reading, { profile, emit: slowly })).rejects.toThrow('the disk failed');
    const emittedThen = emitted;
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(emitted).toBe(emittedThen);

    const refusing = cutContent(threaded, good, {
      profile,
      emit: () => Promise.reject(new Error('not wanted')),
    });
    await expect(refusing).rejects.toThrow('not wanted');

    const stop = new AbortController();
    const stopped = cutContent(threaded, good, {
      profile,
      signal: stop.signal,
      emit: () => stop.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('are checked there, too: a block with other bytes than its id names is refused', async () => {
    const threads = start({ count: 1 });
    const threaded = createNodePlatform(threads);
    const plain = allocateBytes(threaded, 512 * KIB);
    plain.set(randomBytes(plain.length));
    const blockId = blockIdOf(here, 'chunk', plain);
    const block = encodeNamedBlock(threaded, blockId, 'chunk', plain, { keep: true });
    expect(await openBlockAside(threaded, block)).toBe(plain);
    plain[1000] = (plain[1000] as number) ^ 1;
    await expect(Promise.resolve(openBlockAside(threaded, block))).rejects.toMatchObject({
      code: 'block-wrong',
    });
    expect(threads.running).toBe(1);
  });
});
