import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createByteStream } from '@cairn/bench';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createProcessStage, type ProcessDevice, type ProcessStage } from './driver/process-stage.ts';

const MIB = 1024 * 1024;
const SIZE_BYTES = 34 * MIB;
/** Of each of a sender's connections. */
const SLOW = { bytesPerSecond: MIB };

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

/** A begins to send the file; resolves when B has a share of it. */
async function sendUntil(name: string, share: number): Promise<number> {
  a.proxy.set(SLOW);
  a.proxy.breakAll('close');
  a.user.writeFile(name, bytesOf(name));
  return untilReceived(name, share);
}

async function untilReceived(name: string, share: number): Promise<number> {
  return until(`B has ${share} of ${name}`, async () => {
    await look(name);
    if (shown.has(name)) throw new Error(`${name} came before the test saw it coming`);
    const file = (await b.status())?.receivingAhead.find(({ path }) => path === name);
    return file !== undefined && file.receivedBytes >= share * SIZE_BYTES ? file.receivedBytes : null;
  });
}

async function untilShown(name: string): Promise<void> {
  a.proxy.heal();
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
  await untilReceived('killed-receiver', 0.1);
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
