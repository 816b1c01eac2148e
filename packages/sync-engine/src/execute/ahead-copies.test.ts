import { blockIdOf, contentIdOf } from '@cairn/content';
import type { AnnouncedChunk, BlockId, CopiedRun } from '@cairn/model';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  announce,
  claim,
  idOf,
  pass,
  platform,
  putFile,
  renewWorld,
  start,
  store,
  textOf,
  world,
} from '../testing/ahead-world.ts';
import type { ReceivedFile } from './received-chunks.ts';

beforeEach(renewWorld);

/** The chunks that a run covers. */
function chunksOf(run: CopiedRun, texts: readonly string[]): AnnouncedChunk[] {
  const chunks: AnnouncedChunk[] = [];
  let start = 0;
  for (const text of texts) {
    const position = run.position + start - run.basePosition;
    if (start >= run.basePosition && start + text.length <= run.basePosition + run.sizeBytes)
      chunks.push({
        position,
        block: blockIdOf(platform, 'chunk', new TextEncoder().encode(text)),
        sizeBytes: text.length,
      });
    start += text.length;
  }
  return chunks;
}

describe('what another content on this disk has', () => {
  const texts = ['one ', 'two ', 'three '];
  const all = { position: 5, basePosition: 0, sizeBytes: 14 };

  test('is copied from there, and nothing of it is read from the server', async () => {
    const base = putFile('film', texts);
    const ahead = await start();
    announce(ahead, [store('zero ')], { copies: { base, runs: [all] } });
    await pass();
    expect(ahead.receiving[0]?.receivedBytes).toBe(19);
    const received = (await claim(ahead)) as ReceivedFile;
    expect(await textOf(received)).toBe('zero one two three ');
    for (const chunk of chunksOf(all, texts)) {
      expect(received.chunks.has(chunk.position, chunk)).toBe(true);
      expect(received.chunks.isCopied(chunk.position)).toBe(true);
    }
    expect(received.chunks.isCopied(0)).toBe(false);
  });

  test('may be that of another file, of the same size', async () => {
    const base = putFile('original', texts, idOf('o'));
    const ahead = await start();
    announce(ahead, [], { sizeBytes: 14, copies: { base, runs: [{ ...all, position: 0 }] } });
    await pass();
    expect(await textOf((await claim(ahead)) as ReceivedFile)).toBe('one two three ');
  });

  test('counts only where it is still what it was: the rest is fetched when the file is committed', async () => {
    const base = putFile('film', texts);
    world.disk.user.writeFile('film', 'one tWo three ');
    const ahead = await start();
    announce(ahead, [], { copies: { base, runs: [all] } });
    await pass();
    const received = (await claim(ahead)) as ReceivedFile;
    expect(chunksOf(all, texts).map((chunk) => received.chunks.has(chunk.position, chunk))).toEqual([
      true,
      false,
      true,
    ]);
  });

  test.each([
    ['is nowhere here', () => contentIdOf(platform, { profile: 't32-64k', depth: 0, parts: [] }, 0)],
    [
      'is not there any more',
      () => {
        const base = putFile('film', texts);
        world.disk.user.remove('film');
        return base;
      },
    ],
  ])('is left out where it %s', async (_what, arrange) => {
    const base = arrange();
    const ahead = await start();
    announce(ahead, [], { copies: { base, runs: [all] } });
    announce(ahead, [store('zero ')]);
    await pass();
    expect(ahead.receiving[0]?.receivedBytes).toBe(5);
  });

  test('is not copied on when the file is committed: the download goes on with it', async () => {
    const base = putFile('film', texts);
    const ahead = await start();
    announce(ahead, [store('zero ')], { copies: { base, runs: [all] } });
    const claiming = claim(ahead);
    await pass();
    const received = await claiming;
    expect(received?.chunks.sizeBytes ?? 0).toBeLessThan(19);
    await pass();
    expect(world.disk.user.temporaries().filter((name) => name.startsWith('ahead-'))).toEqual([]);
  });

  test('is as bounded as what is fetched, and so is where it would lie', async () => {
    const base = putFile('film', texts);
    const ahead = await start({ maxBytes: 20 });
    announce(ahead, [], { copies: { base, runs: [all, { ...all, position: 100 }] } });
    announce(ahead, [], { copies: { base, runs: [{ ...all, position: 990 }] } });
    await pass();
    expect(ahead.receiving[0]?.receivedBytes).toBe(14);
  });
});

test('whatever is announced, and whatever fails: what counts as received is there', async () => {
  const texts = ['a', 'bb', 'ccc', 'dddd', 'eeeeeeeeeeeee'];
  const chunkArbitrary = fc.record({
    position: fc.integer({ min: 0, max: 40 }),
    text: fc.constantFrom(...texts),
    is: fc.constantFrom('right', 'right', 'right', 'absent', 'of another size'),
  });
  const older = ['eeeeeeeeeeeee', 'bb', 'a', 'ccc', 'a', 'dddd'];
  const runArbitrary = fc.record({
    position: fc.integer({ min: 0, max: 40 }),
    basePosition: fc.constantFrom(0, 13, 15, 16, 19, 20, 24, 1),
    sizeBytes: fc.integer({ min: 0, max: 30 }),
  });
  const stepArbitrary = fc.record({
    transfer: fc.constantFrom('t', 'u'),
    chunks: fc.array(chunkArbitrary, { maxLength: 5 }),
    runs: fc.array(runArbitrary, { maxLength: 3 }),
    isEdited: fc.constantFrom(false, false, false, true),
    fault: fc.constantFrom(null, null, null, 'EIO', 'ENOSPC'),
    passes: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(stepArbitrary, { maxLength: 8 }), async (steps) => {
      renewWorld();
      const base = putFile('base', older);
      const ahead = await start();
      const announced: AnnouncedChunk[] = [];
      for (const { transfer, chunks, runs, isEdited, fault, passes } of steps) {
        if (isEdited)
          world.disk.user.writeFile('base', `${older.join('').slice(0, 10)}#${older.join('').slice(11)}`);
        world.disk.setFaults((operation) => (operation === 'write' ? fault : null));
        const told = chunks.map(({ position, text, is }) => {
          const chunk = store(text, position);
          if (is === 'absent') return { ...chunk, block: `01${'0'.repeat(64)}` as BlockId };
          return is === 'of another size' ? { ...chunk, sizeBytes: chunk.sizeBytes + 1 } : chunk;
        });
        announced.push(...told, ...runs.flatMap((run) => chunksOf(run, older)));
        announce(ahead, told, { transfer, sizeBytes: 60, copies: { base, runs } });
        if (passes) await pass();
      }
      world.disk.setFaults(null);
      const received = await claim(ahead);
      if (received !== null) {
        const bytes = new Uint8Array(100);
        const length = await received.temporary.read(bytes, 0);
        // Whatever was begun is cut off where the file ends before it.
        expect(received.writtenBytes).toBeGreaterThanOrEqual(length);
        for (const chunk of announced) {
          if (!received.chunks.has(chunk.position, chunk)) continue;
          const there = bytes.subarray(chunk.position, chunk.position + chunk.sizeBytes);
          expect(blockIdOf(platform, 'chunk', there)).toBe(chunk.block);
        }
        await received.temporary.discard();
      }
      await ahead.finish();
      expect(world.disk.user.temporaries()).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
