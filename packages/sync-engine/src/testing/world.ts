import { createMemoryBlockStore } from '@cairn/block-store';
import {
  blockIdOf,
  createNodePlatform,
  cutContent,
  encodeNamedBlock,
  listChunks,
  openBlock,
  type StoredBlock,
} from '@cairn/content';
import { createSystemEnvironment, type Environment } from '@cairn/environment';
import { createMemoryEventBus } from '@cairn/event-bus';
import { createMemoryFilesystem, type MemoryFilesystem } from '@cairn/filesystem';
import { openSqliteMetadataStore } from '@cairn/metadata-store';
import { type BlockId, CairnError, type DeviceId, formatCursor, parseCursor } from '@cairn/model';
import { createAccessServices, createDataServices, ensureEpoch, type Principal } from '@cairn/services';
import { createMemoryTreeDisk, type MemoryTreeDisk } from '@cairn/tree-store';
import { createSyncEngine, type SyncEngine, type SyncEngineOptions } from '../engine.ts';
import type { SpaceConnection, UploadSession } from '../ports.ts';

const platform = createNodePlatform();

/** What a test may do to a device's connection. */
export interface Network {
  offline: boolean;
  /** Blocks that crossed the connection, by direction. */
  sentBlocks: number;
  readBlocks: number;
  commits: number;
}

export interface TestDevice {
  readonly name: string;
  readonly disk: MemoryFilesystem;
  readonly network: Network;
  readonly engine: SyncEngine;
  start(): void;
  /** Stops the engine as a signal would. */
  stop(): Promise<void>;
  /** Stops, forgets what the tree store had not flushed, and starts again. */
  restart(): Promise<void>;
  /** Loses the device's database. */
  loseTrees(): void;
  /** What the user sees: `path → kind:content`. */
  contents(): Map<string, string>;
  readonly failure: unknown;
}

export interface TestWorld {
  readonly environment: Environment;
  addDevice(name: string, options?: Partial<SyncEngineOptions>): Promise<TestDevice>;
  /** Waits until every running device is in sync with the server and with the others. */
  settle(devices: readonly TestDevice[]): Promise<void>;
  /** Waits for a condition, polling; fails with the description after some seconds. */
  until(what: string, condition: () => boolean | Promise<boolean>): Promise<void>;
  readonly data: ReturnType<typeof createDataServices>;
  readonly principal: Principal;
  sequence(): Promise<number>;
  close(): Promise<void>;
}

/** A server (real services on SQLite in memory) and devices (real engines on simulated disks) in one process. */
export async function createTestWorld(): Promise<TestWorld> {
  const environment = createSystemEnvironment();
  const store = await openSqliteMetadataStore({ path: ':memory:', environment });
  const bus = createMemoryEventBus({ log: environment.log });
  await ensureEpoch(store, environment, null);
  const access = createAccessServices({
    store,
    bus,
    environment,
    secret: environment.random.bytes(32),
    signUp: 'open',
    setUpCode: null,
    passwordCost: { memoryKib: 64, passes: 1, lanes: 1 },
  });
  const data = createDataServices({ store, blocks: createMemoryBlockStore(), bus, platform, environment });
  const owner = await access.accounts.register(
    { username: 'ann', password: 'correct horse', deviceName: 'first' },
    { address: 'test' },
  );
  const { spaceId, rootId } = owner;
  const principal: Principal = {
    userId: owner.user.userId,
    deviceId: owner.device.deviceId,
    role: 'administrator',
  };
  const devices: TestDevice[] = [];

  function connect(who: Principal, network: Network): SpaceConnection {
    const check = () => {
      if (network.offline) throw new CairnError('server-unreachable', 'the test took the network away');
    };
    const readBlock = async (id: BlockId): Promise<Uint8Array> => {
      check();
      for await (const block of await data.blocks.readBlocks(who, spaceId, [id])) {
        network.readBlocks++;
        return openBlock(platform, block);
      }
      throw new Error(`no block ${id}`);
    };
    return {
      spaceId,
      rootId,
      async snapshot(after) {
        check();
        const page = await data.spaces.readSnapshot(who, spaceId, after, 1000);
        const cursor = parseCursor(page.cursor);
        if (cursor === null) throw new Error('bad cursor');
        return { entries: page.entries, cursor, next: page.next };
      },
      async changes(cursor, { limit }) {
        check();
        const page = await data.spaces.readChanges(who, spaceId, formatCursor(cursor), limit ?? 1000);
        const next = parseCursor(page.cursor);
        if (next === null) throw new Error('bad cursor');
        return { changes: page.changes, cursor: next, more: page.more };
      },
      async commit(changeset) {
        check();
        network.commits++;
        return data.spaces.commitChangeset(who, spaceId, changeset);
      },
      createUpload(): UploadSession {
        const queued: StoredBlock[] = [];
        return {
          sentBytes: 0,
          skippedBytes: 0,
          add(source, { profile }) {
            return cutContent(platform, source, {
              profile,
              emit: (block) => {
                queued.push(encodeNamedBlock(platform, block.blockId, block.kind, block.plain));
              },
            });
          },
          async flush() {
            check();
            const missing = new Set(
              await data.blocks.findMissingBlocks(who, spaceId, [...new Set(queued.map((b) => b.blockId))]),
            );
            const wanted = queued.splice(0).filter((block) => missing.has(block.blockId));
            network.sentBlocks += wanted.length;
            if (wanted.length > 0) await data.blocks.storeBlocks(who, spaceId, wanted);
          },
          abort: () => undefined,
        };
      },
      async *readContents(items) {
        let index = 0;
        for (const { content } of items) {
          let position = 0;
          if (content.sizeBytes === 0) yield { index, position: 0, bytes: new Uint8Array(0), last: true };
          for await (const part of listChunks(platform, content.manifest, readBlock)) {
            const bytes = await readBlock(part.block);
            if (blockIdOf(platform, bytes) !== part.block) throw new Error('wrong block');
            yield { index, position, bytes, last: position + bytes.length === content.sizeBytes };
            position += bytes.length;
          }
          index++;
        }
      },
      listChunks: (content) => listChunks(platform, content.manifest, readBlock),
      hints(onHint, onState) {
        onState('live');
        onHint(null);
        const unsubscribe = bus.subscribe((event) => {
          if (event.kind === 'space-advanced' && !network.offline) onHint(event.sequence);
        });
        return { close: unsubscribe };
      },
    };
  }

  async function addDevice(name: string, options: Partial<SyncEngineOptions> = {}): Promise<TestDevice> {
    const signedIn = await access.sessions.login(
      { username: 'ann', password: 'correct horse', deviceName: name },
      { address: 'test' },
    );
    const who: Principal = {
      userId: principal.userId,
      deviceId: signedIn.device.deviceId as DeviceId,
      role: 'administrator',
    };
    const disk = createMemoryFilesystem({ environment });
    const network: Network = { offline: false, sentBlocks: 0, readBlocks: 0, commits: 0 };
    const space = connect(who, network);
    let treeDisk: MemoryTreeDisk = createMemoryTreeDisk(rootId);
    let engine: SyncEngine | null = null;
    let abort = new AbortController();
    let running: Promise<void> = Promise.resolve();
    let failure: unknown = null;

    const device: TestDevice = {
      name,
      disk,
      network,
      get engine() {
        if (engine === null) throw new Error(`${name} was never started`);
        return engine;
      },
      get failure() {
        return failure;
      },
      start() {
        abort = new AbortController();
        failure = null;
        engine = createSyncEngine({
          filesystem: disk.filesystem,
          space,
          trees: treeDisk.open(),
          platform,
          environment,
          deviceName: name,
          ...options,
        });
        running = engine.run(abort.signal).catch((error) => {
          failure = error;
        });
      },
      async stop() {
        abort.abort();
        await running;
      },
      async restart() {
        await device.stop();
        disk.restart();
        device.start();
      },
      loseTrees() {
        treeDisk = createMemoryTreeDisk(rootId);
      },
      contents() {
        const found = new Map<string, string>();
        for (const line of disk.user.describe()) found.set(line, line);
        return found;
      },
    };
    devices.push(device);
    return device;
  }

  async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = Date.now() + 20_000;
    while (!(await condition())) {
      if (Date.now() > deadline) {
        const states = devices.map(
          (each) =>
            `${each.name}: ${JSON.stringify(each.engine.status())} ${String(each.failure ?? '')}\n${each.disk.user.describe().join('\n')}`,
        );
        throw new Error(`timed out waiting until ${what}\n${states.join('\n')}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  const sequence = () => data.spaces.currentSequence(principal, spaceId);
  return {
    environment,
    data,
    principal,
    addDevice,
    until,
    sequence,
    async settle(running) {
      await until('all devices are in sync', async () => {
        const now = await sequence();
        const views = running.map((each) => each.disk.user.describe().join('\n'));
        return (
          running.every(({ engine }) => {
            const status = engine.status();
            return status.state === 'in-sync' && status.sequence === now;
          }) && views.every((view) => view === views[0])
        );
      });
    },
    async close() {
      for (const device of devices) await device.stop();
      await store.close();
    },
  };
}
