import type { PlainBlock } from '@cairn/content';
import { createSystemEnvironment } from '@cairn/environment';
import {
  type AnnouncedFile,
  type BlockId,
  CairnError,
  type ContentId,
  type EntryId,
  type SpaceId,
} from '@cairn/model';
import { beforeEach, expect, it } from 'vitest';
import { type Announcer, createAnnouncer } from './announcer.ts';
import type { Api, ApiRequest } from './api.ts';

const id = (letter: string) => letter.repeat(26);
const FILE: AnnouncedFile = {
  entryId: id('e') as EntryId,
  parentId: id('p') as EntryId,
  name: 'film',
  sizeBytes: 1000,
};

const BASE = `02${'b'.repeat(64)}` as ContentId;

let told: number[][];
let transfers: Set<string>;
let toldCopies: { runs: readonly { sizeBytes: number }[] }[];
/** Answers the requests that wait, oldest first. */
let answers: ((error?: CairnError) => void)[];
let announcer: Announcer;
let announce: (sizeBytes: number) => Announcer;

beforeEach(() => {
  told = [];
  toldCopies = [];
  transfers = new Set();
  answers = [];
  const api = {
    environment: createSystemEnvironment(),
    tell: ({ path, json }: ApiRequest) => {
      expect(path).toBe(`/spaces/${id('s')}/announcements`);
      const { transferId, chunks, copies, ...file } = json as {
        transferId: string;
        chunks: { position: number }[];
        copies?: { runs: readonly { sizeBytes: number }[] };
        sizeBytes: number;
      };
      expect(file).toEqual({ ...FILE, sizeBytes: file.sizeBytes });
      transfers.add(transferId);
      told.push(chunks.map(({ position }) => position));
      if (copies !== undefined) toldCopies.push(copies);
      return new Promise<void>((resolve, reject) => {
        answers.push((error) => (error === undefined ? resolve() : reject(error)));
      });
    },
  } as unknown as Api;
  announce = (sizeBytes) =>
    createAnnouncer(api, id('s') as SpaceId, { ...FILE, sizeBytes }, new AbortController().signal);
  announcer = announce(FILE.sizeBytes);
});

const block = (index: number): BlockId => `01${String(index).padStart(64, '0')}` as BlockId;
function cut(index: number, blockId = block(index)): void {
  const chunk: PlainBlock = {
    blockId,
    kind: 'chunk',
    plain: new Uint8Array(10),
    position: index * 10,
  };
  announcer.cut(chunk);
}
async function answer(error?: CairnError): Promise<void> {
  answers.shift()?.(error);
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}

it('tells of chunks in the order of their file, once all before them are on the server', async () => {
  for (let index = 0; index < 4; index++) cut(index);
  announcer.stored([block(1), block(2)]);
  expect(told).toEqual([]);
  announcer.stored([block(0)]);
  expect(told).toEqual([[0, 10, 20]]);
  announcer.stored([block(3)]);
  // One request at a time.
  expect(told.length).toBe(1);
  await answer();
  expect(told).toEqual([[0, 10, 20], [30]]);
  expect(transfers.size).toBe(1);
});

it('tells of a block each time it is in the file, but not of manifest blocks', async () => {
  cut(0);
  announcer.stored([block(0)]);
  await answer();
  cut(1, block(0));
  await answer();
  announcer.cut({ blockId: block(7), kind: 'manifest', plain: new Uint8Array(5) });
  announcer.stored([block(7)]);
  expect(told).toEqual([[0], [10]]);
});

it('keeps to the bounds of one announcement, and of what waits', async () => {
  for (let index = 0; index < 20_000; index++) cut(index);
  announcer.stored(Array.from({ length: 20_000 }, (_, index) => block(index)).slice(-8192));
  while (answers.length > 0) await answer();
  expect(told.flat().length).toBe(8192);
  expect(told.flat().at(-1)).toBe(199_990);
  expect(Math.max(...told.map(({ length }) => length))).toBe(256);
});

it('goes on after a broken connection, without what was lost; never again with a server that refuses', async () => {
  for (let index = 0; index < 3; index++) cut(index);
  announcer.stored([block(0)]);
  await answer(new CairnError('server-unreachable', 'it broke'));
  announcer.stored([block(1)]);
  expect(told).toEqual([[0], [10]]);
  await answer(new CairnError('not-found', 'an older server'));
  announcer.stored([block(2)]);
  expect(told.length).toBe(2);
});

it('tells nothing more when the file has come to its end', async () => {
  for (let index = 0; index < 3; index++) cut(index);
  announcer.stored([block(0)]);
  announcer.stored([block(1)]);
  announcer.end();
  await answer();
  announcer.stored([block(2)]);
  expect(told).toEqual([[0]]);
});

it('of an edit tells nothing before much of it is new, and then all', async () => {
  announcer.expectEdit(BASE, []);
  const large = (index: number): void =>
    announcer.cut({
      blockId: block(index),
      kind: 'chunk',
      plain: new Uint8Array(1024 * 1024),
      position: index * 1024 * 1024,
    });
  for (let index = 0; index < 20; index++) large(index);
  announcer.stored(Array.from({ length: 15 }, (_, index) => block(index)));
  expect(told).toEqual([]);
  announcer.stored([block(15)]);
  expect(told[0]?.length).toBe(16);
  await answer();
  announcer.stored([block(16)]);
  expect(told[1]?.length).toBe(1);
});

it('tells where a file has what the others have, in steps of a part of it', async () => {
  const older = Array.from({ length: 100 }, (_, index) => ({ block: block(index), sizeBytes: 10 }));
  announcer.expectEdit(BASE, older);
  const copied = (index: number, position: number): void =>
    announcer.copied({ blockId: block(index), kind: 'chunk', plain: new Uint8Array(10), position });
  announcer.copied({ blockId: block(7), kind: 'manifest', plain: new Uint8Array(500) });
  for (let index = 0; index < 12; index++) copied(index, index * 10);
  expect(toldCopies).toEqual([]);
  copied(12, 120);
  expect(toldCopies).toEqual([{ base: BASE, runs: [{ position: 0, basePosition: 0, sizeBytes: 130 }] }]);
  expect(told).toEqual([[]]);
  // While that is on its way.
  for (let index = 13; index < 20; index++) copied(index, index * 10);
  for (let index = 30; index < 50; index++) copied(index, index * 10 - 95);
  expect(toldCopies.length).toBe(1);
  await answer();
  expect(toldCopies[1]).toEqual({
    base: BASE,
    runs: [
      { position: 130, basePosition: 130, sizeBytes: 70 },
      { position: 205, basePosition: 300, sizeBytes: 200 },
    ],
  });
  await answer();
  announcer.end();
  for (let index = 50; index < 100; index++) copied(index, index * 10);
  expect(toldCopies.length).toBe(2);
});

it('tells of copies soon at first, then in larger steps', async () => {
  const [count, sizeBytes] = [1024, 1024 * 1024];
  const plain = new Uint8Array(sizeBytes);
  const large = announce(count * sizeBytes);
  large.expectEdit(
    BASE,
    Array.from({ length: count }, (_, index) => ({ block: block(index), sizeBytes })),
  );
  for (let index = 0; index < count; index++) {
    large.copied({ blockId: block(index), kind: 'chunk', plain, position: index * sizeBytes });
    await answer();
  }
  const steps = toldCopies.map(({ runs }) => runs.reduce((sum, run) => sum + run.sizeBytes, 0) / sizeBytes);
  expect(steps.slice(0, 5)).toEqual([8, 16, 32, 64, 64]);
  expect(new Set(steps.slice(3))).toEqual(new Set([64]));
});
