import { createHash, randomBytes } from 'node:crypto';
import { createNodePlatform, encodeBlock, isIntactBlock } from '@cairn/content';
import { createSystemEnvironment, type Environment } from '@cairn/environment';
import { createMemoryEventBus } from '@cairn/event-bus';
import { createMaintenance, type Maintenance, verifyContents } from '@cairn/maintenance';
import { type MetadataStore, openSqliteMetadataStore } from '@cairn/metadata-store';
import { type BlockId, type EntryId, isCairnError } from '@cairn/model';
import {
  createAccessServices,
  createDataServices,
  type DataServices,
  ensureEpoch,
  type Principal,
} from '@cairn/services';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type OpenedBlocks, openBlocks } from './open-blocks.ts';
import { type ClusterNodeServer, countCopies, startClusterNode } from './testing/cluster-nodes.ts';

/*
 * Two servers on one database and one cluster, each with its own connections, monitor, repair and clean-up. Only the
 * database is one object: the embedded one lets no second process in.
 */

const SECRET = randomBytes(32);
const DAY_MS = 24 * 60 * 60_000;
const LEASE_MS = 11 * 60_000;
const WAIT_MS = 60_000;
const platform = createNodePlatform();
const verify = (block: Parameters<typeof isIntactBlock>[1]) => isIntactBlock(platform, block);
const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

interface Server {
  readonly opened: OpenedBlocks;
  readonly services: DataServices;
  readonly maintenance: Maintenance;
  close(): Promise<void>;
}

describe('several servers on one cluster', { timeout: 120_000 }, () => {
  /** How far the calendar of all servers is ahead. */
  let offsetMs: number;
  let environment: Environment;
  let store: MetadataStore;
  let nodes: ClusterNodeServer[];
  let servers: Server[];
  /** Clean-ups that are listing blocks at this moment, and at most. */
  let listing: { now: number; most: number };

  beforeEach(async () => {
    offsetMs = 0;
    listing = { now: 0, most: 0 };
    const system = createSystemEnvironment();
    environment = {
      ...system,
      clock: { now: () => Date.now() + offsetMs, monotonicMs: () => system.clock.monotonicMs() },
    };
    store = await openSqliteMetadataStore({ path: ':memory:', environment });
    await ensureEpoch(store, environment, null);
    nodes = [];
    servers = [];
    for (let count = 0; count < 3; count++) nodes.push(await startClusterNode(store, SECRET));
  });
  afterEach(async () => {
    for (const node of nodes) node.transit = null;
    for (const server of servers) await server.close();
    for (const node of nodes) await node.close();
    await store.close();
  });

  async function startServer(): Promise<Server> {
    const opened = await openBlocks({
      setting: {
        kind: 'nodes',
        replicas: 3,
        writeQuorum: 2,
        outAfterMs: 600_000,
        repairBytesPerSecond: null,
        codeAfterMs: null,
      },
      key: null,
      store,
      environment,
      secret: SECRET,
      verify,
    });
    const blocks: typeof opened.blocks = {
      ...opened.blocks,
      async *list(after) {
        listing.most = Math.max(listing.most, ++listing.now);
        try {
          yield* opened.blocks.list(after);
        } finally {
          listing.now -= 1;
        }
      },
    };
    opened.start('serve');
    const bus = createMemoryEventBus();
    const maintenance = createMaintenance({ store, blocks, environment });
    const services = createDataServices({ store, blocks, bus, platform, environment });
    let isClosed = false;
    const server = {
      opened,
      services,
      maintenance,
      async close() {
        if (isClosed) return;
        isClosed = true;
        await maintenance.stop();
        await opened.close();
        await bus.close();
      },
    };
    servers.push(server);
    return server;
  }

  async function addUser(username: string): Promise<Principal> {
    const access = createAccessServices({
      store,
      bus: createMemoryEventBus(),
      environment,
      secret: SECRET,
      signUp: 'open',
      setUpCode: null,
      passwordCost: { memoryKib: 64, passes: 1, lanes: 1 },
    });
    const request = { username, password: 'correct horse battery', deviceName: 'tests' };
    const { accessToken } = await access.accounts.register(request, { address: null });
    return (await access.sessions.authenticate(accessToken)).principal;
  }

  async function save(
    { services }: Server,
    who: Principal,
    path: string,
    bytes: Uint8Array,
  ): Promise<EntryId> {
    async function* source(): AsyncGenerator<Uint8Array> {
      yield bytes;
    }
    return (await services.files.putFile(who, path, source(), { sizeBytes: bytes.length })).entryId;
  }

  async function read({ services }: Server, who: Principal, entryId: EntryId): Promise<string> {
    const pieces: Uint8Array[] = [];
    const opened = await services.files.openFile(who, entryId);
    for await (const piece of opened.read()) pieces.push(piece);
    return hash(Buffer.concat(pieces));
  }

  async function forget({ services }: Server, who: Principal, entryId: EntryId): Promise<void> {
    await services.files.remove(who, entryId);
    await services.trash.purge(who, entryId);
  }

  async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + WAIT_MS;
    while (!(await isSo())) {
      if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async function allBlocks(): Promise<BlockId[]> {
    const { blockIds } = await store.read((reader) => reader.pageBlockIds(0, 10_000));
    return [...blockIds];
  }

  /** Takes a lease as a server that will not come back for it; whether it was free. */
  async function leaveLease(job: string): Promise<boolean> {
    const now = environment.clock.now();
    const token = await store.transact((transaction) =>
      transaction.takeJobLease(job, 'killed', now, now + 10 * 60_000),
    );
    return token !== null;
  }

  test('what only a node has that another server has just made known is found, not called absent', async () => {
    const { opened } = await startServer();
    const [one, two, absent] = [1, 2, 3].map(() => encodeBlock(platform, 'chunk', randomBytes(1000)));
    if (one === undefined || two === undefined || absent === undefined) throw new Error('no blocks');
    expect(await opened.blocks.get(one.blockId)).toBeNull();
    const first = await startClusterNode(store, SECRET);
    nodes.push(first);
    await first.blocks.put([one]);
    expect(await opened.blocks.get(one.blockId)).toMatchObject({ blockId: one.blockId });
    const second = await startClusterNode(store, SECRET);
    nodes.push(second);
    await second.blocks.put([two]);
    const found = await Array.fromAsync(opened.blocks.getMany([one.blockId, two.blockId, absent.blockId]));
    expect(found.map((block) => block?.blockId ?? null)).toEqual([one.blockId, two.blockId, null]);
  });

  test('both write, read, clean up and repair at once, while a node and a server go, and nothing is lost', async () => {
    const ann = await addUser('ann');
    const bob = await addUser('bob');
    const pool = Array.from({ length: 6 }, () => new Uint8Array(randomBytes(30_000)));
    const kept = new Map<EntryId, { readonly who: Principal; readonly hash: string }>();
    const counts = { saved: 0, read: 0, cleaned: 0 };
    let isOver = false;
    let first = await startServer();
    const second = await startServer();
    /** What a killed server answers, and a commit whose leases ended since time jumped. */
    const isPassing = (error: unknown) => isCairnError(error, 'unavailable', 'blocks-missing');

    async function work(who: Principal, name: string, server: () => Server): Promise<void> {
      for (let turn = 0; !isOver; turn++) {
        const bytes = pool[turn % pool.length] as Uint8Array;
        const path = `/${name}-${turn}`;
        try {
          const entryId = await save(server(), who, path, bytes);
          kept.set(entryId, { who, hash: hash(bytes) });
          counts.saved++;
          // Through the other one: nothing that a server knows by itself counts.
          expect(await read(second, who, entryId)).toBe(hash(bytes));
          counts.read++;
          if (turn % 3 === 0) continue;
          kept.delete(entryId);
          await forget(server(), who, entryId);
        } catch (error) {
          if (!isPassing(error)) throw error;
        }
      }
    }

    async function clean(server: () => Server): Promise<void> {
      while (!isOver) {
        try {
          const { audit } = await server().maintenance.service.collect(ann, { dryRun: false });
          expect(audit.dangling).toBe(0);
          counts.cleaned++;
          offsetMs += 3 * DAY_MS;
        } catch (error) {
          if (!isPassing(error)) throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }

    const running = Promise.all([
      work(ann, 'ann', () => first),
      work(bob, 'bob', () => second),
      clean(() => first),
      clean(() => second),
    ]);
    running.catch(() => undefined);
    const goOn = async (saves: number) => {
      const wanted = counts.saved + saves;
      await Promise.race([running, until('more is saved', async () => counts.saved >= wanted)]);
    };
    await goOn(20);
    await nodes[2]?.kill();
    await goOn(20);
    // As if it were killed: its requests break off, and the leases that it had stay.
    const killed = first;
    first = await startServer();
    await killed.opened.close();
    for (const job of ['clean-up', 'repair']) await until(`${job} is nobody's`, () => leaveLease(job));
    await goOn(20);
    const cleanedBefore = counts.cleaned;
    expect(await leaveLease('clean-up')).toBe(true);
    offsetMs += LEASE_MS;
    await until('another one cleans up', async () => counts.cleaned > cleanedBefore);
    await nodes[2]?.restart();
    await goOn(20);
    isOver = true;
    await running;
    expect(listing.most).toBe(1);
    expect(counts.cleaned).toBeGreaterThan(3);

    offsetMs += LEASE_MS;
    for (const server of [first, second]) expect(server.opened.view).not.toBeNull();
    await until('every block has three replicas', async () =>
      (await countCopies(nodes, await allBlocks())).every((copies) => copies === 3),
    );
    for (const server of [second, first]) {
      offsetMs += 6 * DAY_MS;
      expect((await server.maintenance.service.collect(ann, { dryRun: false })).audit.dangling).toBe(0);
    }
    const { blocks } = first.opened;
    expect(await verifyContents({ store, blocks, verify, replicas: null })).toMatchObject({ badBlocks: 0 });
    for (const [entryId, { who, hash: wanted }] of kept) {
      for (const server of [first, second]) expect(await read(server, who, entryId)).toBe(wanted);
    }
  });

  test('only one cleans up; one that slept through its lease is refused by the nodes, and its deletes hit nothing', async () => {
    const ann = await addUser('ann');
    const [slow, other] = [await startServer(), await startServer()];
    const bytes = new Uint8Array(randomBytes(5000));
    const collect = (server: Server) => server.maintenance.service.collect(ann, { dryRun: false });
    await forget(slow, ann, await save(slow, ann, '/gone', bytes));
    offsetMs += 6 * DAY_MS;
    expect((await collect(slow)).collection.condemned.blocks).toBe(1);
    offsetMs += 6 * DAY_MS;

    let wake = (): void => undefined;
    const asleep = new Promise<void>((resolve) => (wake = resolve));
    let oldToken = 0;
    let arrived = (): void => undefined;
    const onItsWay = new Promise<void>((resolve) => (arrived = resolve));
    for (const node of nodes) {
      node.transit = async ({ token }) => {
        if (oldToken === 0) oldToken = token;
        if (token !== oldToken) return;
        arrived();
        await asleep;
      };
    }
    const late = collect(slow);
    late.catch(() => undefined);
    await onItsWay;
    await expect(collect(other)).rejects.toMatchObject({ code: 'unavailable' });

    offsetMs += LEASE_MS;
    expect((await collect(other)).collection.reclaimed.blocks).toBe(1);
    const again = await save(other, ann, '/again', bytes);
    await until('it is on all nodes', async () =>
      (await countCopies(nodes, await allBlocks())).every((copies) => copies === 3),
    );
    wake();
    await expect(late).rejects.toMatchObject({ code: 'precondition-failed' });
    expect(nodes.flatMap(({ refusedFences }) => refusedFences)).toContainEqual({
      job: 'clean-up',
      token: oldToken,
    });
    expect((await countCopies(nodes, await allBlocks())).every((copies) => copies === 3)).toBe(true);
    for (const server of [slow, other]) expect(await read(server, ann, again)).toBe(hash(bytes));
    // Who was refused is no reason to mistrust the nodes.
    expect(slow.opened.view?.health().map(({ state }) => state)).toEqual(['up', 'up', 'up']);
  });
});
