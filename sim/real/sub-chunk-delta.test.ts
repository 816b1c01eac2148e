import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createMemorySessionStore } from '@cairn/client';
import { createSystemEnvironment } from '@cairn/environment';
import { type Filesystem, openNodeFilesystem } from '@cairn/filesystem';
import { type RunningServer, startServer } from '@cairn/server';
import { openSqliteTreeStore, type TreeStore } from '@cairn/tree-store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngineProcess } from './driver/engine-process.ts';
import { ACCOUNT, createTestClient, observe } from './driver/http-view.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const PATIENCE_MS = 120_000;
const environment = createSystemEnvironment();

/** Bytes that look random, the same for the same seed. */
function noise(size: number, seed: number): Buffer {
  const words = new Uint32Array(Math.ceil(size / 4));
  let state = Math.imul(seed + 1, 2654435761) | 1;
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return Buffer.from(words.buffer, 0, size);
}

interface Device {
  readonly folder: string;
  /** Bytes on its connections so far, both ways, heads included. */
  wireBytes(): number;
  /** Ends the engine and starts another, which remembers nothing but its database. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** The engine on a real folder, the server over HTTP. */
async function startDevice(work: string, url: string, name: string): Promise<Device> {
  const folder = join(work, name);
  mkdirSync(folder);
  const engine = createEngineProcess();
  let client: Client;
  let opened: { filesystem: Filesystem; trees: TreeStore } | null = null;
  const store = createMemorySessionStore();
  const session = await createTestClient(url, store, 2).account.login({ ...ACCOUNT, deviceName: name });

  async function end(): Promise<void> {
    await engine.end(false);
    await opened?.filesystem.close();
    opened?.trees.close();
    client?.close();
  }

  async function start(): Promise<void> {
    client = createTestClient(url, store, 2);
    const filesystem = await openNodeFilesystem({ root: folder, environment });
    const path = join(work, `state-${name}.sqlite`);
    const trees = openSqliteTreeStore({ path, rootId: session.rootId, environment }).store;
    opened = { filesystem, trees };
    engine.start({ filesystem, trees, space: client.space(session), deviceName: name, environment });
  }

  await start();
  return {
    folder,
    wireBytes: () => client.transport.sentBytes + client.transport.receivedBytes,
    async restart() {
      await end();
      await start();
    },
    close: end,
  };
}

let work: string;
let server: RunningServer;
let one: Device;
let two: Device;

beforeAll(async () => {
  work = realpathSync(mkdtempSync(join(tmpdir(), 'cairn-delta-')));
  server = await startServer({
    data: join(work, 'server'),
    port: 0,
    drainMs: 100,
    passwordCost: { memoryKib: 64, passes: 1, lanes: 1 },
  });
  await observe(server.url);
  one = await startDevice(work, server.url, 'one');
  two = await startDevice(work, server.url, 'two');
});
afterAll(async () => {
  await one?.close();
  await two?.close();
  await server?.stop();
  rmSync(work, { recursive: true, force: true });
});

/** Which file is there now: a new version is placed by renaming. */
function objectAt(device: Device, name: string): number | undefined {
  return statSync(join(device.folder, name), { throwIfNoEntry: false })?.ino;
}

/** Saves the file on the first device, waits until the second has it, and tells what each put on the wire. */
async function sync(name: string, bytes: Buffer): Promise<{ one: number; two: number }> {
  const before = { one: one.wireBytes(), two: two.wireBytes() };
  const object = objectAt(two, name);
  writeFileSync(join(one.folder, name), bytes);
  const end = performance.now() + PATIENCE_MS;
  while (objectAt(two, name) === object) {
    if (performance.now() > end) throw new Error(`${name} did not arrive`);
    await sleep(50);
  }
  expect(readFileSync(join(two.folder, name)).equals(bytes)).toBe(true);
  return { one: one.wireBytes() - before.one, two: two.wireBytes() - before.two };
}

describe('a file that changed a little', () => {
  // More than 256 chunks: a list that is itself cut into blocks.
  const SIZE = 24 * MIB;
  let bytes = noise(SIZE, 1);

  it('costs neither device the size of a chunk, wherever it changed', async () => {
    const first = await sync('large', bytes);
    expect(first.one).toBeGreaterThan(SIZE);
    bytes = Buffer.concat([Buffer.from('!'), bytes]);
    const inserted = await sync('large', bytes);
    bytes = Buffer.from(bytes);
    noise(4 * KIB, 2).copy(bytes, SIZE / 2);
    const overwritten = await sync('large', bytes);
    // A chunk has 64 KiB, the block that lists it about 15.
    for (const [wire, most] of [
      [inserted, 16 * KIB],
      [overwritten, 20 * KIB],
    ] as const) {
      expect(wire.one).toBeLessThan(most);
      expect(wire.two).toBeLessThan(most);
    }
  });

  it('costs little more than what was appended', async () => {
    bytes = Buffer.concat([bytes, noise(MIB, 3)]);
    const appended = await sync('large', bytes);
    expect(appended.one).toBeLessThan(1.1 * MIB);
    expect(appended.two).toBeLessThan(1.1 * MIB);
  });

  it('costs its list of chunks, too, after a restart of both', async () => {
    await one.restart();
    await two.restart();
    bytes = Buffer.concat([bytes.subarray(0, 5 * MIB), Buffer.from('!'), bytes.subarray(5 * MIB)]);
    const inserted = await sync('large', bytes);
    expect(inserted.one).toBeLessThan(64 * KIB);
    expect(inserted.two).toBeLessThan(64 * KIB);
  });

  it('is sent whole where nothing of it is left', async () => {
    const other = noise(3 * MIB, 4);
    await sync('other', other);
    const changed = noise(3 * MIB, 5);
    const wire = await sync('other', changed);
    expect(wire.one).toBeGreaterThan(3 * MIB);
    expect(wire.two).toBeGreaterThan(3 * MIB);
    expect(wire.one).toBeLessThan(3.2 * MIB);
    expect(wire.two).toBeLessThan(3.2 * MIB);
  });

  it('may be as small as a chunk', async () => {
    const letter = noise(60 * KIB, 6);
    await sync('letter', letter);
    letter[30_000] = (letter[30_000] ?? 0) ^ 1;
    const wire = await sync('letter', letter);
    expect(wire.one).toBeLessThan(16 * KIB);
    expect(wire.two).toBeLessThan(16 * KIB);
  });

  it('of text grows by compressed lines', async () => {
    const line = (index: number) => `${index} ${noise(12, index).toString('hex')} and then some words\n`;
    const text = Array.from({ length: 20_000 }, (_, index) => line(index)).join('');
    await sync('log', Buffer.from(text));
    const wire = await sync('log', Buffer.from(text + line(20_001)));
    expect(wire.one).toBeLessThan(24 * KIB);
    expect(wire.two).toBeLessThan(24 * KIB);
  });

  it('is counted by the server', async () => {
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    for (const direction of ['in', 'out']) {
      const count = new RegExp(`^cairn_deltas_total\\{direction="${direction}"\\} (\\d+)$`, 'm').exec(
        metrics,
      )?.[1];
      expect(Number(count)).toBeGreaterThanOrEqual(5);
    }
  });
});
