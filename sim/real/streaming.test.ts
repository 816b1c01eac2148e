import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createByteStream } from '@cairn/bench';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createProcessStage, type ProcessDevice, type ProcessStage } from './driver/process-stage.ts';
import type { FakedAnswer } from './fault-proxy/faults.ts';

const MIB = 1024 * 1024;
const SIZE_BYTES = 34 * MIB;
/** All of a file reaches the server, but its version is not committed. */
const NO_COMMIT: FakedAnswer = {
  request: /^POST \/api\/v1\/spaces\/[^/]*\/changesets/,
  status: 503,
  headers: { 'content-type': 'application/problem+json' },
  body: JSON.stringify({
    type: 'about:blank',
    title: 'unavailable',
    status: 503,
    code: 'unavailable',
    detail: 'the test refuses it',
    requestId: 'test',
  }),
};

let stage: ProcessStage;
let a: ProcessDevice;
let b: ProcessDevice;

beforeAll(async () => {
  stage = await createProcessStage();
  a = await stage.addDevice('A', {});
  b = await stage.addDevice('B', {});
  await Promise.all([a.start(), b.start()]);
  await until('both are in sync', async () => (await areInSync()) || null);
}, 120_000);
afterAll(() => stage.close(), 60_000);

/** Waits for an answer other than `null`. */
async function until<Answer>(what: string, ask: () => Promise<Answer | null>): Promise<Answer> {
  const deadline = performance.now() + 150_000;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function areInSync(): Promise<boolean> {
  const states = await Promise.all([a, b].map(async (device) => (await device.status())?.state));
  return states.every((state) => state === 'in-sync');
}

const bytesOf = (name: string) => Buffer.from(createByteStream(name)(SIZE_BYTES));
const temporariesOfB = () => {
  const folder = join(b.folder, '.cairn', 'temporary');
  return existsSync(folder) ? readdirSync(folder) : [];
};

/** What B was seen to show, whole. */
const shown = new Set<string>();

/** What B may show of a file: nothing until it is committed, then all of it. */
async function look(name: string): Promise<void> {
  const isShown = existsSync(join(b.folder, name));
  if (!isShown || shown.has(name)) return;
  const isCommitted = (await stage.view.entries()).some((entry) => entry.name === name);
  expect(isCommitted, `${name} is shown and was never committed`).toBe(true);
  expect(readFileSync(join(b.folder, name)).equals(bytesOf(name)), `${name} is not whole`).toBe(true);
  shown.add(name);
}

/** A sends the file and cannot commit it; resolves when B has a share of it. */
async function sendUntil(name: string, share: number): Promise<number> {
  a.proxy.set({ answers: [NO_COMMIT] });
  a.user.writeFile(name, bytesOf(name));
  return until(`B has ${share} of ${name}`, async () => {
    await look(name);
    const file = (await b.status())?.receivingAhead.find(({ path }) => path === name);
    return file !== undefined && file.receivedBytes >= share * SIZE_BYTES ? file.receivedBytes : null;
  });
}

async function untilShown(name: string): Promise<void> {
  a.proxy.heal();
  await a.refresh();
  await until(`B shows ${name}`, async () => {
    await look(name);
    return existsSync(join(b.folder, name)) && (await areInSync()) ? true : null;
  });
  expect(readFileSync(join(b.folder, name)).equals(bytesOf(name))).toBe(true);
}

test('B has most of a large file before it is committed, and shows it only then [S-7]', async () => {
  const receivedBytes = await sendUntil('film', 0.6);
  expect(existsSync(join(b.folder, 'film'))).toBe(false);
  await untilShown('film');
  expect((await b.status())?.counters.aheadBytes).toBeGreaterThanOrEqual(receivedBytes);
  expect(temporariesOfB()).toEqual([]);
}, 300_000);

test('B is killed in the middle: it begins with nothing, and has the file in the end', async () => {
  await sendUntil('killed-receiver', 0.3);
  await b.kill();
  expect(temporariesOfB()).toEqual(['ahead-0']);
  await b.start();
  await until('the area is empty', async () => (temporariesOfB().length === 0 ? true : null));
  await untilShown('killed-receiver');
  expect(temporariesOfB()).toEqual([]);
}, 300_000);

test('A is killed in the middle: nothing appears, and what was received is gone or used', async () => {
  await sendUntil('killed-sender', 0.3);
  await a.kill();
  const before = await stage.view.sequence();
  await b.refresh();
  await until('B is at rest', async () => ((await b.status())?.state === 'in-sync' ? true : null));
  expect(existsSync(join(b.folder, 'killed-sender'))).toBe(false);
  expect(await stage.view.sequence()).toBe(before);
  await b.stop();
  expect(temporariesOfB()).toEqual([]);
  await b.start();
  await a.start();
  await untilShown('killed-sender');
  expect(temporariesOfB().filter((name) => !name.startsWith('ahead-'))).toEqual([]);
}, 300_000);

/** A cannot commit what it did to a file of that name; resolves when B has put most of it together. */
async function copiesAhead(name: string, write: () => void): Promise<void> {
  const { reusedBytes } = (await b.status())?.counters ?? { reusedBytes: 0 };
  a.proxy.set({ answers: [NO_COMMIT] });
  write();
  const ahead = await until(`B has most of ${name}`, async () => {
    const file = (await b.status())?.receivingAhead.find(({ path }) => path === name);
    return file !== undefined && file.receivedBytes > SIZE_BYTES / 2 ? file.receivedBytes : null;
  });
  // Nothing counts before it is used.
  expect((await b.status())?.counters.reusedBytes).toBe(reusedBytes);
  expect(ahead).toBeGreaterThan(SIZE_BYTES / 2);
}

/** All that B received from the server. */
const downloadedBytes = async () => {
  const { aheadBytes = 0, downloadedBytes: later = 0 } = (await b.status())?.counters ?? {};
  return aheadBytes + later;
};

test('of an edit B puts together what it has, and shows the version before until it is committed', async () => {
  const older = bytesOf('film');
  const newer = Buffer.concat([Buffer.from('#'), older]);
  const before = await downloadedBytes();
  await copiesAhead('film', () => a.user.writeFile('film', newer));
  expect(readFileSync(join(b.folder, 'film')).equals(older)).toBe(true);
  a.proxy.heal();
  await a.refresh();
  await until('B has the edit', async () =>
    readFileSync(join(b.folder, 'film')).equals(newer) && (await areInSync()) ? true : null,
  );
  expect((await downloadedBytes()) - before).toBeLessThan(4 * MIB);
  expect(temporariesOfB()).toEqual([]);
}, 300_000);

test('of a copy B puts together all, and shows it once it is committed', async () => {
  const bytes = readFileSync(join(a.folder, 'film'));
  const before = await downloadedBytes();
  await copiesAhead('copy', () => a.user.writeFile('copy', bytes));
  expect(existsSync(join(b.folder, 'copy'))).toBe(false);
  a.proxy.heal();
  await a.refresh();
  await until('B shows the copy', async () =>
    existsSync(join(b.folder, 'copy')) && (await areInSync()) ? true : null,
  );
  expect(readFileSync(join(b.folder, 'copy')).equals(bytes)).toBe(true);
  expect(await downloadedBytes()).toBe(before);
  expect(temporariesOfB()).toEqual([]);
}, 300_000);
