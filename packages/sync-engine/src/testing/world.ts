import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
import {
  createMemoryFilesystem,
  type MemoryFilesystem,
  type MemoryFilesystemOptions,
  withAhead,
} from '@cairn/filesystem';
import { openSqliteMetadataStore } from '@cairn/metadata-store';
import {
  type BlockId,
  CairnError,
  createId,
  type DeviceId,
  formatCursor,
  parseCursor,
  type SpaceId,
} from '@cairn/model';
import { createAccessServices, createDataServices, ensureEpoch, type Principal } from '@cairn/services';
import { createMemoryTreeDisk, type MemoryTreeDisk, type TreeStore } from '@cairn/tree-store';
import { createSyncEngine } from '../engine.ts';
import type { SyncEngine, SyncEngineOptions } from '../engine-types.ts';
import type { SpaceConnection, UploadSession } from '../ports.ts';
import { announceStored, tellAnnounced } from './announce-stored.ts';

const platform = createNodePlatform();

/** What a test may do to a device's connection. */
export interface Network {
  offline: boolean;
  /** Hints do not arrive. */
  hintsDropped: boolean;
  /** That many commits from now on happen, but their answers are lost. */
  lostAnswers: number;
  /** That many answers arrive before any is lost. */
  answersBeforeLost: number;
  /** With the next lost answer the network goes away. */
  offlineAfterLostAnswer: boolean;
  /** That many commits from now on are told that the server lacks their blocks. */
  missingBlocks: number;
  /** Blocks that crossed the connection, by direction. */
  sentBlocks: number;
  readBlocks: number;
  /** Journal rows that were read. */
  readRows: number;
  commits: number;
  /** Each request waits for this first; `null`: none does. */
  gate: ((request: 'commit' | 'other') => Promise<void>) | null;
}

export interface TestDevice {
  readonly name: string;
  readonly disk: MemoryFilesystem;
  readonly network: Network;
  readonly engine: SyncEngine;
  start(): void;
  /** Stops the engine as a signal would. */
  stop(): Promise<void>;
  /** Ends the process as kill -9 does: nothing more reaches disk or tree store, what was not flushed is forgotten. */
  kill(): Promise<void>;
  /** As `kill`, and the disk loses what was not made durable. */
  cutPower(): Promise<void>;
  /** `kill`, then `start`. */
  restart(): Promise<void>;
  readonly running: boolean;
  readonly wasStarted: boolean;
  /** Loses the device's database. */
  loseTrees(): void;
  /** Copies what was flushed to the device's database, as a backup of it does. */
  keepTrees(): void;
  /** Puts the last copy back. The device must be stopped. */
  restoreTrees(): void;
  /** What the running engine knows. */
  readonly trees: TreeStore;
  readonly failure: unknown;
}

export interface TestDeviceOptions {
  readonly disk?: Partial<MemoryFilesystemOptions>;
}

export interface TestWorld {
  readonly environment: Environment;
  addDevice(name: string, options?: Partial<SyncEngineOptions> & TestDeviceOptions): Promise<TestDevice>;
  /** Waits until every running device is in sync with the server and with the others. */
  settle(devices: readonly TestDevice[]): Promise<void>;
  /** Waits for a condition, polling; fails with the description after some seconds. */
  until(what: string, condition: () => boolean | Promise<boolean>): Promise<void>;
  readonly data: ReturnType<typeof createDataServices>;
  readonly spaceId: SpaceId;
  readonly principal: Principal;
  sequence(): Promise<number>;
  /** Gives the server another epoch, as after its database was replaced. */
  renewEpoch(): Promise<void>;
  /** Copies the server's database. */
  backUp(): Promise<void>;
  /** Puts the last copy back: later commits are gone, the epoch is new. Devices must be offline meanwhile. */
  restoreBackup(options?: { readonly keepsEpoch: boolean }): Promise<void>;
  close(): Promise<void>;
}

export interface TestWorldOptions {
  /** The system's when not given. */
  readonly environment?: Environment;
  /** Every call to the server takes up to this long. */
  readonly latencyMs?: number;
  /** Whether `backUp` and `restoreBackup` will be called. */
  readonly backUps?: boolean;
}

/** A server (real services on SQLite in memory) and devices (real engines on simulated disks) in one process. */
export async function createTestWorld(options: TestWorldOptions = {}): Promise<TestWorld> {
  const environment = options.environment ?? createSystemEnvironment();
  // A real file is durable, so slow: only where its copies are asked for, and in memory where there is such a disk.
  const folder =
    options.backUps === true
      ? mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'cairn-engine-'))
      : null;
  const databasePath = folder === null ? ':memory:' : join(folder, 'metadata.db');
  // Time may be simulated: nothing may happen beside this thread.
  const open = () => openSqliteMetadataStore({ path: databasePath, environment, flushes: 'each' });
  let store = await open();
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
  const blocks = createMemoryBlockStore();
  let data = createDataServices({ store, blocks, bus, platform, environment });
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
    const check = async (request: 'commit' | 'other' = 'other') => {
      await network.gate?.(request);
      if (options.latencyMs !== undefined)
        await environment.timers.sleep(environment.random.fraction() * options.latencyMs);
      if (network.offline) throw new CairnError('server-unreachable', 'the test took the network away');
    };
    const readBlock = async (id: BlockId): Promise<Uint8Array> => {
      await check();
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
        await check();
        const page = await data.spaces.readSnapshot(who, spaceId, after, 1000);
        const cursor = parseCursor(page.cursor);
        if (cursor === null) throw new Error('bad cursor');
        return { entries: page.entries, cursor, next: page.next };
      },
      async changes(cursor, { limit }) {
        await check();
        const page = await data.spaces.readChanges(who, spaceId, formatCursor(cursor), limit ?? 1000);
        const next = parseCursor(page.cursor);
        if (next === null) throw new Error('bad cursor');
        network.readRows += page.changes.length;
        return { changes: page.changes, cursor: next, more: page.more };
      },
      async commit(changeset) {
        await check('commit');
        if (network.missingBlocks > 0) {
          network.missingBlocks--;
          throw new CairnError('blocks-missing', 'the test took the blocks away', {
            details: { blocks: [] },
          });
        }
        network.commits++;
        const result = await data.spaces.commitChangeset(who, spaceId, changeset);
        if (network.lostAnswers > 0 && network.answersBeforeLost > 0) {
          network.answersBeforeLost--;
        } else if (network.lostAnswers > 0) {
          network.lostAnswers--;
          if (network.offlineAfterLostAnswer) network.offline = true;
          network.offlineAfterLostAnswer = false;
          throw new CairnError('server-unreachable', 'the test took the answer away');
        }
        return result;
      },
      createUpload({ announces } = {}): UploadSession {
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
            await check();
            const missing = new Set(
              await data.blocks.findMissingBlocks(who, spaceId, [...new Set(queued.map((b) => b.blockId))]),
            );
            const all = queued.splice(0);
            const wanted = all.filter((block) => missing.has(block.blockId));
            network.sentBlocks += wanted.length;
            if (wanted.length > 0) await data.blocks.storeBlocks(who, spaceId, wanted);
            await announceStored(data, who, spaceId, announces, all);
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
            if (blockIdOf(platform, 'chunk', bytes) !== part.block) throw new Error('wrong block');
            yield { index, position, bytes, last: position + bytes.length === content.sizeBytes };
            position += bytes.length;
          }
          index++;
        }
      },
      listChunks: (content) => listChunks(platform, content.manifest, readBlock),
      giveMemoryBack: () => undefined,
      hints(onHint, onState, onAnnouncement) {
        onState('live');
        onHint(null);
        const unsubscribe = bus.subscribe((event) => {
          if (network.offline || network.hintsDropped) return;
          if (event.kind === 'space-advanced') onHint(event.sequence);
          tellAnnounced(who, event, onAnnouncement);
        });
        return { close: unsubscribe };
      },
    };
  }

  async function addDevice(
    name: string,
    { disk: diskOptions, ...options }: Partial<SyncEngineOptions> & TestDeviceOptions = {},
  ): Promise<TestDevice> {
    const signedIn = await access.sessions.login(
      { username: 'ann', password: 'correct horse', deviceName: name },
      { address: 'test' },
    );
    const who: Principal = {
      userId: principal.userId,
      deviceId: signedIn.device.deviceId as DeviceId,
      role: 'administrator',
    };
    const disk = createMemoryFilesystem({ environment, ...diskOptions });
    const network: Network = {
      offline: false,
      hintsDropped: false,
      lostAnswers: 0,
      answersBeforeLost: 0,
      offlineAfterLostAnswer: false,
      missingBlocks: 0,
      sentBlocks: 0,
      readBlocks: 0,
      readRows: 0,
      commits: 0,
      gate: null,
    };
    const space = connect(who, network);
    let treeDisk: MemoryTreeDisk = createMemoryTreeDisk(rootId);
    let keptTrees: MemoryTreeDisk | null = null;
    let engine: SyncEngine | null = null;
    let trees: TreeStore | null = null;
    let abort = new AbortController();
    let running: Promise<void> = Promise.resolve();
    let failure: unknown = null;
    let process = { alive: false };

    async function end(restartDisk: () => void): Promise<void> {
      process.alive = false;
      restartDisk();
      abort.abort();
      await running;
    }

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
      get running() {
        return process.alive;
      },
      get wasStarted() {
        return engine !== null;
      },
      start() {
        abort = new AbortController();
        failure = null;
        const own = { alive: true };
        process = own;
        const store = treeDisk.open();
        trees = store;
        const flush = store.flush;
        store.flush = () => {
          if (own.alive) flush();
        };
        const flushValues = store.flushValues;
        store.flushValues = () => {
          if (own.alive) flushValues();
        };
        engine = createSyncEngine({
          filesystem: withAhead(disk.filesystem, environment.timers),
          space,
          trees: store,
          platform,
          environment,
          deviceName: name,
          ...options,
        });
        running = engine.run(abort.signal).catch((error) => {
          failure = error;
          own.alive = false;
        });
      },
      async stop() {
        abort.abort();
        await running;
        process.alive = false;
      },
      kill: () => end(() => disk.restart()),
      cutPower: () => end(() => disk.crash()),
      async restart() {
        await device.kill();
        device.start();
      },
      loseTrees() {
        treeDisk = createMemoryTreeDisk(rootId);
      },
      keepTrees() {
        keptTrees = treeDisk.copy();
      },
      restoreTrees() {
        if (keptTrees === null) throw new Error('no copy was kept');
        treeDisk = keptTrees.copy();
      },
      get trees() {
        if (trees === null) throw new Error(`${name} was never started`);
        return trees;
      },
    };
    devices.push(device);
    return device;
  }

  async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = Date.now() + 20_000;
    while (!(await condition())) {
      if (Date.now() > deadline) {
        const states = devices
          .filter(({ wasStarted }) => wasStarted)
          .map(
            (each) =>
              `${each.name}: ${JSON.stringify(each.engine.status())} ${String(each.failure ?? '')}\n${each.disk.user.describe().join('\n')}`,
          );
        throw new Error(`timed out waiting until ${what}\n${states.join('\n')}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async function reopen(whileClosed: () => void): Promise<void> {
    await store.close();
    whileClosed();
    store = await open();
    data = createDataServices({ store, blocks, bus, platform, environment });
  }

  const sequence = () => data.spaces.currentSequence(principal, spaceId);
  return {
    environment,
    get data() {
      return data;
    },
    spaceId,
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
    async renewEpoch() {
      await ensureEpoch(store, environment, createId(environment.random.bytes(16)));
    },
    async backUp() {
      await reopen(() => copyFileSync(databasePath, `${databasePath}.copy`));
    },
    async restoreBackup({ keepsEpoch } = { keepsEpoch: false }) {
      await reopen(() => copyFileSync(`${databasePath}.copy`, databasePath));
      if (keepsEpoch) return;
      await ensureEpoch(store, environment, createId(environment.random.bytes(16)));
    },
    async close() {
      for (const device of devices) await device.stop();
      await store.close();
      if (folder !== null) rmSync(folder, { recursive: true, force: true });
    },
  };
}
