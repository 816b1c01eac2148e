import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryBlockStore } from '@cairn/block-store';
import {
  type ContentPlatform,
  cutContent,
  encodeNamedBlock,
  listChunks,
  openBlock,
  type StoredBlock,
} from '@cairn/content';
import type { Environment } from '@cairn/environment';
import { createMemoryEventBus } from '@cairn/event-bus';
import { openSqliteMetadataStore } from '@cairn/metadata-store';
import {
  type BlockId,
  CairnError,
  createId,
  type DeviceId,
  type Entry,
  type EntryId,
  formatCursor,
  parseCursor,
} from '@cairn/model';
import { createAccessServices, createDataServices, ensureEpoch, type Principal } from '@cairn/services';
import type { SpaceConnection, UploadSession } from '@cairn/sync-engine';
import type { ServerView, Stage } from './stage.ts';

/** A device's way to the server of this process. */
export interface MemoryNetwork {
  online: boolean;
  lostAnswers: number;
}

export interface MemoryServer {
  readonly rootId: EntryId;
  readonly view: ServerView;
  readonly control: Stage['server'];
  signIn(deviceName: string): Promise<Principal>;
  connect(who: Principal, network: MemoryNetwork): SpaceConnection;
  close(): Promise<void>;
}

const PAGE = 1000;

/** The real services on SQLite and blocks in memory, without HTTP in between. */
export async function startMemoryServer(
  environment: Environment,
  platform: ContentPlatform,
): Promise<MemoryServer> {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'cairn-scenario-'));
  const path = join(folder, 'metadata.db');
  const open = () => openSqliteMetadataStore({ path, environment });
  let store = await open();
  let isUp = true;
  const bus = createMemoryEventBus({ log: environment.log });
  await ensureEpoch(store, environment, null);
  const blocks = createMemoryBlockStore();
  const serve = () => ({
    data: createDataServices({ store, blocks, bus, platform, environment }),
    access: createAccessServices({
      store,
      bus,
      environment,
      secret: new Uint8Array(32),
      signUp: 'open',
      setUpCode: null,
      passwordCost: { memoryKib: 64, passes: 1, lanes: 1 },
    }),
  });
  let { data, access } = serve();
  const account = { username: 'ann', password: 'correct horse' };
  const address = { address: 'test' };
  const owner = await access.accounts.register({ ...account, deviceName: 'observer' }, address);
  const { spaceId, rootId } = owner;
  const observer: Principal = {
    userId: owner.user.userId,
    deviceId: owner.device.deviceId,
    role: 'administrator',
  };

  const listeners = new Set<() => void>();

  async function replaceDatabase(change: () => void): Promise<void> {
    await store.close();
    change();
    store = await open();
    ({ data, access } = serve());
    // Connections broke; whoever was listening asks again.
    for (const reconnect of listeners) reconnect();
  }

  function connect(who: Principal, network: MemoryNetwork): SpaceConnection {
    function check(): void {
      if (!network.online || !isUp) throw new CairnError('server-unreachable', 'the scenario says so');
    }
    async function readBlock(id: BlockId): Promise<Uint8Array> {
      check();
      for await (const block of await data.blocks.readBlocks(who, spaceId, [id]))
        return openBlock(platform, block);
      throw new Error(`no block ${id}`);
    }
    return {
      spaceId,
      rootId,
      async snapshot(after) {
        check();
        const page = await data.spaces.readSnapshot(who, spaceId, after, PAGE);
        return { ...page, cursor: cursorOf(page.cursor) };
      },
      async changes(cursor, { limit }) {
        check();
        const page = await data.spaces.readChanges(who, spaceId, formatCursor(cursor), limit ?? PAGE);
        return { ...page, cursor: cursorOf(page.cursor) };
      },
      async commit(changeset) {
        check();
        const result = await data.spaces.commitChangeset(who, spaceId, changeset);
        if (network.lostAnswers === 0) return result;
        network.lostAnswers--;
        throw new CairnError('server-unreachable', 'the scenario took the answer away');
      },
      createUpload(): UploadSession {
        const queued: StoredBlock[] = [];
        return {
          sentBytes: 0,
          skippedBytes: 0,
          add: (source, { profile }) =>
            cutContent(platform, source, {
              profile,
              emit: ({ blockId, kind, plain }) => {
                queued.push(encodeNamedBlock(platform, blockId, kind, plain));
              },
            }),
          async flush() {
            check();
            const ids = [...new Set(queued.map(({ blockId }) => blockId))];
            const missing = new Set(await data.blocks.findMissingBlocks(who, spaceId, ids));
            const wanted = queued.splice(0).filter(({ blockId }) => missing.has(blockId));
            if (wanted.length > 0) await data.blocks.storeBlocks(who, spaceId, wanted);
          },
          abort: () => undefined,
        };
      },
      async *readContents(items) {
        let index = 0;
        for (const { content, startAt = 0 } of items) {
          let position = 0;
          if (content.sizeBytes <= startAt)
            yield { index, position: startAt, bytes: new Uint8Array(0), last: true };
          for await (const part of listChunks(platform, content.manifest, readBlock)) {
            const bytes = await readBlock(part.block);
            const end = position + bytes.length;
            if (end > startAt) {
              const from = Math.max(position, startAt);
              yield {
                index,
                position: from,
                bytes: bytes.subarray(from - position),
                last: end === content.sizeBytes,
              };
            }
            position = end;
          }
          index++;
        }
      },
      listChunks: (content) => listChunks(platform, content.manifest, readBlock),
      giveMemoryBack: () => undefined,
      hints(onHint, onState) {
        onState('live');
        onHint(null);
        const unsubscribe = bus.subscribe((event) => {
          if (event.kind === 'space-advanced' && network.online && isUp) onHint(event.sequence);
        });
        const reconnect = () => onHint(null);
        listeners.add(reconnect);
        return {
          close() {
            listeners.delete(reconnect);
            unsubscribe();
          },
        };
      },
    };
  }

  const view: ServerView = {
    sequence: () => data.spaces.currentSequence(observer, spaceId),
    async entries() {
      const all: Entry[] = [];
      for (let after: EntryId | null = null; ; ) {
        const page = await data.spaces.readSnapshot(observer, spaceId, after, PAGE);
        all.push(...page.entries);
        after = page.next;
        if (after === null) return all;
      }
    },
    async versions(entryId) {
      const versions = await data.files.listVersions(observer, entryId, PAGE);
      return versions.map(({ content, target }) => ({ contentId: content?.contentId ?? null, target }));
    },
    async restoreTrash() {
      const { items } = await data.trash.list(observer, null, { offset: 0, limit: PAGE });
      for (const { entryId } of items) await data.trash.restore(observer, entryId);
    },
  };

  const control: Stage['server'] = {
    async stop() {
      isUp = false;
    },
    async start() {
      isUp = true;
      await replaceDatabase(() => undefined);
    },
    async kill() {
      isUp = false;
    },
    backUp: () => replaceDatabase(() => copyFileSync(path, `${path}.copy`)),
    async restore() {
      await replaceDatabase(() => copyFileSync(`${path}.copy`, path));
      await ensureEpoch(store, environment, createId(environment.random.bytes(16)));
    },
  };

  return {
    rootId,
    view,
    control,
    async signIn(deviceName) {
      const { device } = await access.sessions.login({ ...account, deviceName }, address);
      return { userId: observer.userId, deviceId: device.deviceId as DeviceId, role: 'administrator' };
    },
    connect,
    async close() {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function cursorOf(text: string) {
  const cursor = parseCursor(text);
  if (cursor === null) throw new Error('the server gave a cursor that is none');
  return cursor;
}
