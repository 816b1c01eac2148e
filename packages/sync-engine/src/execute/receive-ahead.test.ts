import { type BlockId, CairnError, type EntryId } from '@cairn/model';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  announce,
  claim,
  createAhead,
  FILE,
  idOf,
  pass,
  renewWorld,
  start,
  store,
  textOf,
  world,
} from '../testing/ahead-world.ts';
import type { ReceivedFile } from './received-chunks.ts';

const MINUTE_MS = 60_000;

beforeEach(renewWorld);

test('what was announced is in the temporary of the download, which another try resumes', async () => {
  const ahead = await start();
  const [one, two] = [store('one '), store('two ', 4)];
  announce(ahead, [one]);
  announce(ahead, [two]);
  await pass();
  expect(world.disk.user.temporaries()).toEqual(['ahead-0']);
  expect(world.disk.user.walk()).toEqual([]);
  expect(ahead.receiving).toEqual([{ path: 'film', receivedBytes: 8, sizeBytes: 1000 }]);
  const received = (await claim(ahead)) as ReceivedFile;
  expect(world.disk.user.temporaries()).toEqual(['download-1']);
  expect(await textOf(received)).toBe('one two ');
  expect([one, two].map((chunk) => received.chunks.has(chunk.position, chunk))).toEqual([true, true]);
  expect(received.chunks.has(0, two)).toBe(false);
  await received.temporary.close();
  expect((await world.disk.filesystem.openTemporary('download-1')).existingBytes).toBe(8);
  // Too late, and asked for again.
  announce(ahead, [two]);
  await pass();
  expect(await claim(ahead)).toBeNull();
});

test('a download that begins waits for what is on its way', async () => {
  const ahead = await start();
  let open = (): void => undefined;
  world.gate = () =>
    new Promise((resolve) => {
      open = resolve;
    });
  const chunk = store('under way');
  announce(ahead, [chunk]);
  await pass();
  const claiming = claim(ahead);
  await pass();
  open();
  expect((await claiming)?.chunks.has(0, chunk)).toBe(true);
});

test('who begins anew goes on with what is the same; the rest is written over', async () => {
  const ahead = await start();
  const [one, two, three] = [store('1111'), store('2222', 4), store('3333', 8)];
  announce(ahead, [one, two, three]);
  await pass();
  world.blocks.delete(one.block);
  const other = store('2#22#2', 4);
  announce(ahead, [one, other], { transfer: 'u' });
  await pass();
  const received = (await claim(ahead)) as ReceivedFile;
  expect(await textOf(received)).toBe('11112#22#233');
  expect(received.chunks.has(0, one)).toBe(true);
  expect(received.chunks.has(4, other)).toBe(true);
  expect(received.chunks.has(4, two) || received.chunks.has(8, three)).toBe(false);
});

test('a chunk of which a part was written over when the connection broke does not count any more', async () => {
  const ahead = await start();
  const before = store('1111111111');
  announce(ahead, [before, store('22', 10)]);
  await pass();
  world.goOn = () => {
    throw new CairnError('unavailable', 'the connection broke');
  };
  announce(ahead, [store('3333333333')], { transfer: 'u' });
  await pass();
  const received = (await claim(ahead)) as ReceivedFile;
  expect(await textOf(received)).toBe('333331111122');
  expect(received.chunks.has(0, before)).toBe(false);
  expect(received.chunks.has(10, store('22', 10))).toBe(true);
});

describe('everything goes', () => {
  test('when nothing was heard for long', async () => {
    const ahead = await start();
    announce(ahead, [store('one ')]);
    await pass();
    await world.environment.advance(9 * MINUTE_MS);
    announce(ahead, [store('two ', 4)]);
    await pass();
    await world.environment.advance(9 * MINUTE_MS);
    expect(world.disk.user.temporaries()).toEqual(['ahead-0']);
    await world.environment.advance(2 * MINUTE_MS);
    await pass();
    expect(world.disk.user.temporaries()).toEqual([]);
    expect(await claim(ahead)).toBeNull();
  });

  test('when the engine stops, and what a process before left when it starts', async () => {
    const first = await start();
    announce(first, [store('one ')]);
    await pass();
    // Killed: another process finds it.
    world.disk.restart();
    const other = await world.disk.filesystem.openTemporary('download-7');
    await other.close();
    const second = await start();
    expect(world.disk.user.temporaries()).toEqual(['download-7']);
    announce(second, [store('one ')]);
    await pass();
    expect(world.disk.user.temporaries()).toEqual(['download-7', 'ahead-0']);
    await second.finish();
    expect(world.disk.user.temporaries()).toEqual(['download-7']);
    announce(second, [store('one ')], { transfer: 'u' });
    await pass();
    expect(world.disk.user.temporaries()).toEqual(['download-7']);
  });

  test('when a block cannot be read: it is not there, or not for this account', async () => {
    const ahead = await start();
    announce(ahead, [store('one ')]);
    await pass();
    announce(ahead, [{ position: 4, block: `01${'0'.repeat(64)}` as BlockId, sizeBytes: 4 }]);
    await pass();
    expect(world.disk.user.temporaries()).toEqual([]);
  });

  test('when the disk is full, or would be nearly so, and does not come back soon', async () => {
    world.disk.setCapacity(300);
    const ahead = await start({ keepFreeBytes: 100 });
    announce(ahead, [store('x'.repeat(100))]);
    await pass();
    expect(world.disk.user.temporaries()).toEqual(['ahead-0']);
    announce(ahead, [store('y'.repeat(101), 100)]);
    await pass();
    expect(world.disk.user.temporaries()).toEqual([]);
    announce(ahead, [store('one ')], { transfer: 'u' });
    await pass();
    expect(world.disk.user.temporaries()).toEqual([]);
    await world.environment.advance(11 * MINUTE_MS);
    announce(ahead, [store('one ')], { transfer: 'v' });
    await pass();
    expect(world.disk.user.temporaries()).toEqual(['ahead-0']);
    ahead.yieldRoom();
    await pass();
    expect(world.disk.user.temporaries()).toEqual([]);
  });

  test('when its place is left out here', async () => {
    const ahead = await start();
    announce(ahead, [store('one ')]);
    await pass();
    world.leftOut.add('film');
    announce(ahead, [store('two ', 4)]);
    await pass();
    expect(world.disk.user.temporaries()).toEqual([]);
  });
});

describe('nothing is received', () => {
  test.each([
    ['of an entry that is left out', () => world.leftOut.add(FILE)],
    ['at a path that is left out', () => world.leftOut.add('film')],
    [
      'while sync is paused',
      () => {
        world.isPaused = true;
      },
    ],
  ])('%s', async (_what, arrange) => {
    arrange();
    const ahead = await start();
    announce(ahead, [store('one ')]);
    await pass();
    expect(world.disk.user.temporaries()).toEqual([]);
  });

  test('where it was turned off, before the start, and of what is beyond the end of its file', async () => {
    const off = await start({ maxBytes: 0 });
    announce(off, [store('one ')]);
    const early = createAhead();
    announce(early, [store('one ')]);
    const ahead = await start();
    announce(ahead, [store('one ', 997)]);
    await pass();
    expect(world.disk.user.temporaries()).toEqual([]);
  });

  test('beyond the bound of all files together', async () => {
    const ahead = await start({ maxBytes: 10 });
    announce(ahead, [store('1234567'), store('890', 7), store('#', 10)]);
    await pass();
    announce(ahead, [store('#', 10)]);
    announce(ahead, [store('#')], { entryId: idOf('g'), transfer: 'g' });
    await pass();
    expect(ahead.receiving).toEqual([{ path: 'film', receivedBytes: 10, sizeBytes: 1000 }]);
  });

  test('of a fifth file, before one of four has been silent for a while', async () => {
    const ahead = await start();
    const entries = ['a', 'b', 'c', 'd', 'e'].map((letter) => idOf<EntryId>(letter));
    const tell = async (index: number, transfer = 'abcde'.charAt(index)) => {
      announce(ahead, [store('one ')], { entryId: entries[index] as EntryId, transfer, name: `${index}` });
      await pass();
    };
    for (let index = 0; index < 5; index++) await tell(index);
    expect(ahead.receiving.map(({ path }) => path)).toEqual(['0', '1', '2', '3']);
    await world.environment.advance(2 * MINUTE_MS);
    await tell(0);
    // The first may find the place of the one that goes still taken.
    await tell(4);
    await tell(4);
    expect(ahead.receiving.map(({ path }) => path)).toEqual(['0', '2', '3', '4']);
    expect(world.disk.user.temporaries().length).toBe(4);
  });
});

test('the connection that breaks costs what was under way only', async () => {
  const ahead = await start();
  announce(ahead, [store('one ')]);
  await pass();
  world.gate = async () => {
    throw new CairnError('server-unreachable', 'it broke');
  };
  announce(ahead, [store('two ', 4), store('three ', 8)]);
  await pass();
  world.gate = async () => undefined;
  announce(ahead, [store('four ', 14)]);
  await pass();
  expect(ahead.receiving).toEqual([{ path: 'film', receivedBytes: 9, sizeBytes: 1000 }]);
});
