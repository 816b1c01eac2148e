import { blockIdOf, contentIdOf, createNodePlatform } from '@cairn/content';
import { createSimulatedEnvironment, type SimulatedEnvironment } from '@cairn/environment';
import { createMemoryFilesystem, type MemoryFilesystem } from '@cairn/filesystem';
import {
  type AnnouncedChunk,
  type AnnouncedCopies,
  type BlockId,
  CairnError,
  type ContentId,
  type CopiedRun,
  createId,
  type EntryId,
  type FileEntry,
  type ManifestPart,
  type TransferId,
} from '@cairn/model';
import type { LocalNode } from '@cairn/planner';
import { createMemoryTreeDisk } from '@cairn/tree-store';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { LocalTree } from '../local-tree.ts';
import type { SpaceConnection } from '../ports.ts';
import { type AheadLimits, ReceivingAhead } from './receive-ahead.ts';
import type { ReceivedFile } from './received-chunks.ts';

const platform = createNodePlatform();
const idOf = <Id extends string>(letter: string): Id => letter.repeat(26) as Id;
const ROOT = createId<EntryId>(new Uint8Array(16));
const FILE = idOf<EntryId>('f');
const MINUTE_MS = 60_000;

let environment: SimulatedEnvironment;
let disk: MemoryFilesystem;
/** What the server has. */
let blocks: Map<BlockId, Uint8Array>;
/** Each read of a block waits for this. */
let gate: () => Promise<void>;
/** Asked before each piece of a block but the first. */
let goOn: () => void;
let leftOut: Set<string>;
let isPaused: boolean;
/** What the device knows of its own files. */
let known: LocalNode[];

beforeEach(() => {
  environment = createSimulatedEnvironment({ seed: 1 });
  disk = createMemoryFilesystem({ environment });
  blocks = new Map();
  gate = async () => undefined;
  goOn = () => undefined;
  leftOut = new Set();
  isPaused = false;
  known = [];
});

/** Pieces of the list, of another length than its chunks. */
const space: Pick<SpaceConnection, 'readContents' | 'listChunks'> = {
  async *listChunks({ manifest }) {
    yield* manifest.parts;
  },
  async *readContents(items, { signal }) {
    for (const { content } of items) {
      let position = 0;
      for (const part of content.manifest.parts) {
        await gate();
        signal?.throwIfAborted();
        const bytes = blocks.get(part.block);
        if (bytes === undefined) throw new CairnError('not-found', 'there is no such block');
        if (bytes.length !== part.sizeBytes) throw new CairnError('block-wrong', 'it has another size');
        for (let start = 0; start < bytes.length; start += 5) {
          if (start > 0) goOn();
          const piece = bytes.subarray(start, start + 5);
          yield { index: 0, position, bytes: piece, last: false };
          position += piece.length;
        }
      }
    }
  },
};

function createAhead(limits: Partial<AheadLimits> = {}): ReceivingAhead {
  const trees = createMemoryTreeDisk(ROOT).open();
  const local = new LocalTree(trees.local, ROOT);
  for (const node of known) local.put(node);
  return new ReceivingAhead(
    {
      filesystem: disk.filesystem,
      space: space as SpaceConnection,
      trees,
      local,
      platform,
      environment,
      isIgnored: (path) => leftOut.has(path),
      isLeftOut: (entryId) => leftOut.has(entryId),
    },
    () => isPaused,
    { keepFreeBytes: 0, ...limits },
  );
}

async function start(limits: Partial<AheadLimits> = {}): Promise<ReceivingAhead> {
  const ahead = createAhead(limits);
  await ahead.start();
  return ahead;
}

function store(text: string, position = 0): AnnouncedChunk {
  const bytes = new TextEncoder().encode(text);
  const block = blockIdOf(platform, 'chunk', bytes);
  blocks.set(block, bytes);
  return { position, block, sizeBytes: bytes.length };
}

function announce(
  ahead: ReceivingAhead,
  chunks: readonly AnnouncedChunk[],
  {
    transfer = 't',
    entryId = FILE,
    sizeBytes = 1000,
    name = 'film',
    copies = undefined as AnnouncedCopies | undefined,
  } = {},
): void {
  const file = { entryId, parentId: ROOT, name, sizeBytes };
  ahead.take({ transferId: idOf<TransferId>(transfer), ...file, chunks, copies });
}

/** A file of the device, of these chunks; returns its content's id. */
function putFile(name: string, texts: readonly string[], entryId = FILE): ContentId {
  disk.user.writeFile(name, texts.join(''));
  const parts: ManifestPart[] = texts.map((text) => {
    const bytes = new TextEncoder().encode(text);
    return { block: blockIdOf(platform, 'chunk', bytes), sizeBytes: bytes.length };
  });
  const manifest = { profile: 't32-64k', depth: 0, parts } as const;
  const sizeBytes = texts.join('').length;
  const contentId = contentIdOf(platform, manifest, sizeBytes);
  known.push({
    entryId,
    parentId: ROOT,
    name,
    kind: 'file',
    identity: name,
    fingerprint: name,
    sizeBytes,
    executable: false,
    modifiedAtUs: 0,
    content: { contentId, sizeBytes, manifest },
    target: null,
    state: 'known',
  });
  return contentId;
}

/** Lets everything that waits for nothing but others go on. */
async function pass(): Promise<void> {
  for (let turn = 0; turn < 300; turn++) await Promise.resolve();
  await environment.advance(0);
}

const claim = (ahead: ReceivingAhead, entryId = FILE) => ahead.claim({ entryId } as FileEntry, 'download-1');

async function textOf({ temporary }: ReceivedFile): Promise<string> {
  const into = new Uint8Array(2000);
  return new TextDecoder().decode(into.subarray(0, await temporary.read(into, 0)));
}

test('what was announced is in the temporary of the download, which another try resumes', async () => {
  const ahead = await start();
  const [one, two] = [store('one '), store('two ', 4)];
  announce(ahead, [one]);
  announce(ahead, [two]);
  await pass();
  expect(disk.user.temporaries()).toEqual(['ahead-0']);
  expect(disk.user.walk()).toEqual([]);
  expect(ahead.receiving).toEqual([{ path: 'film', receivedBytes: 8, sizeBytes: 1000 }]);
  const received = (await claim(ahead)) as ReceivedFile;
  expect(disk.user.temporaries()).toEqual(['download-1']);
  expect(await textOf(received)).toBe('one two ');
  expect([one, two].map((chunk) => received.chunks.has(chunk.position, chunk))).toEqual([true, true]);
  expect(received.chunks.has(0, two)).toBe(false);
  await received.temporary.close();
  expect((await disk.filesystem.openTemporary('download-1')).existingBytes).toBe(8);
  // Too late, and asked for again.
  announce(ahead, [two]);
  await pass();
  expect(await claim(ahead)).toBeNull();
});

test('a download that begins waits for what is on its way', async () => {
  const ahead = await start();
  let open = (): void => undefined;
  gate = () =>
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
  blocks.delete(one.block);
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
  goOn = () => {
    throw new CairnError('unavailable', 'the connection broke');
  };
  announce(ahead, [store('3333333333')], { transfer: 'u' });
  await pass();
  const received = (await claim(ahead)) as ReceivedFile;
  expect(await textOf(received)).toBe('333331111122');
  expect(received.chunks.has(0, before)).toBe(false);
  expect(received.chunks.has(10, store('22', 10))).toBe(true);
});

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
    disk.user.writeFile('film', 'one tWo three ');
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
        disk.user.remove('film');
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
    expect(disk.user.temporaries().filter((name) => name.startsWith('ahead-'))).toEqual([]);
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
      environment = createSimulatedEnvironment({ seed: 1 });
      disk = createMemoryFilesystem({ environment });
      known = [];
      const base = putFile('base', older, idOf('b'));
      const ahead = await start();
      const announced: AnnouncedChunk[] = [];
      for (const { transfer, chunks, runs, isEdited, fault, passes } of steps) {
        if (isEdited)
          disk.user.writeFile('base', `${older.join('').slice(0, 10)}#${older.join('').slice(11)}`);
        disk.setFaults((operation) => (operation === 'write' ? fault : null));
        const told = chunks.map(({ position, text, is }) => {
          const chunk = store(text, position);
          if (is === 'absent') return { ...chunk, block: `01${'0'.repeat(64)}` as BlockId };
          return is === 'of another size' ? { ...chunk, sizeBytes: chunk.sizeBytes + 1 } : chunk;
        });
        announced.push(...told, ...runs.flatMap((run) => chunksOf(run, older)));
        announce(ahead, told, { transfer, sizeBytes: 27, copies: { base, runs } });
        if (passes) await pass();
      }
      disk.setFaults(null);
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
      expect(disk.user.temporaries()).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

describe('everything goes', () => {
  test('when nothing was heard for long', async () => {
    const ahead = await start();
    announce(ahead, [store('one ')]);
    await pass();
    await environment.advance(9 * MINUTE_MS);
    announce(ahead, [store('two ', 4)]);
    await pass();
    await environment.advance(9 * MINUTE_MS);
    expect(disk.user.temporaries()).toEqual(['ahead-0']);
    await environment.advance(2 * MINUTE_MS);
    await pass();
    expect(disk.user.temporaries()).toEqual([]);
    expect(await claim(ahead)).toBeNull();
  });

  test('when the engine stops, and what a process before left when it starts', async () => {
    const first = await start();
    announce(first, [store('one ')]);
    await pass();
    // Killed: another process finds it.
    disk.restart();
    const other = await disk.filesystem.openTemporary('download-7');
    await other.close();
    const second = await start();
    expect(disk.user.temporaries()).toEqual(['download-7']);
    announce(second, [store('one ')]);
    await pass();
    expect(disk.user.temporaries()).toEqual(['download-7', 'ahead-0']);
    await second.finish();
    expect(disk.user.temporaries()).toEqual(['download-7']);
    announce(second, [store('one ')], { transfer: 'u' });
    await pass();
    expect(disk.user.temporaries()).toEqual(['download-7']);
  });

  test('when a block cannot be read: it is not there, or not for this account', async () => {
    const ahead = await start();
    announce(ahead, [store('one ')]);
    await pass();
    announce(ahead, [{ position: 4, block: `01${'0'.repeat(64)}` as BlockId, sizeBytes: 4 }]);
    await pass();
    expect(disk.user.temporaries()).toEqual([]);
  });

  test('when the disk is full, or would be nearly so, and does not come back soon', async () => {
    disk.setCapacity(300);
    const ahead = await start({ keepFreeBytes: 100 });
    announce(ahead, [store('x'.repeat(100))]);
    await pass();
    expect(disk.user.temporaries()).toEqual(['ahead-0']);
    announce(ahead, [store('y'.repeat(101), 100)]);
    await pass();
    expect(disk.user.temporaries()).toEqual([]);
    announce(ahead, [store('one ')], { transfer: 'u' });
    await pass();
    expect(disk.user.temporaries()).toEqual([]);
    await environment.advance(11 * MINUTE_MS);
    announce(ahead, [store('one ')], { transfer: 'v' });
    await pass();
    expect(disk.user.temporaries()).toEqual(['ahead-0']);
    ahead.yieldRoom();
    await pass();
    expect(disk.user.temporaries()).toEqual([]);
  });

  test('when its place is left out here', async () => {
    const ahead = await start();
    announce(ahead, [store('one ')]);
    await pass();
    leftOut.add('film');
    announce(ahead, [store('two ', 4)]);
    await pass();
    expect(disk.user.temporaries()).toEqual([]);
  });
});

describe('nothing is received', () => {
  test.each([
    ['of an entry that is left out', () => leftOut.add(FILE)],
    ['at a path that is left out', () => leftOut.add('film')],
    [
      'while sync is paused',
      () => {
        isPaused = true;
      },
    ],
  ])('%s', async (_what, arrange) => {
    arrange();
    const ahead = await start();
    announce(ahead, [store('one ')]);
    await pass();
    expect(disk.user.temporaries()).toEqual([]);
  });

  test('where it was turned off, before the start, and of what is beyond the end of its file', async () => {
    const off = await start({ maxBytes: 0 });
    announce(off, [store('one ')]);
    const early = createAhead();
    announce(early, [store('one ')]);
    const ahead = await start();
    announce(ahead, [store('one ', 997)]);
    await pass();
    expect(disk.user.temporaries()).toEqual([]);
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
    await environment.advance(2 * MINUTE_MS);
    await tell(0);
    // The first may find the place of the one that goes still taken.
    await tell(4);
    await tell(4);
    expect(ahead.receiving.map(({ path }) => path)).toEqual(['0', '2', '3', '4']);
    expect(disk.user.temporaries().length).toBe(4);
  });
});

test('the connection that breaks costs what was under way only', async () => {
  const ahead = await start();
  announce(ahead, [store('one ')]);
  await pass();
  gate = async () => {
    throw new CairnError('server-unreachable', 'it broke');
  };
  announce(ahead, [store('two ', 4), store('three ', 8)]);
  await pass();
  gate = async () => undefined;
  announce(ahead, [store('four ', 14)]);
  await pass();
  expect(ahead.receiving).toEqual([{ path: 'film', receivedBytes: 9, sizeBytes: 1000 }]);
});
