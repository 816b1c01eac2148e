import { type BlockStore, createMemoryBlockStore } from '@cairn/block-store';
import {
  type ContentPlatform,
  createNodePlatform,
  cutContent,
  encodeNamedBlock,
  type StoredBlock,
} from '@cairn/content';
import { createSimulatedEnvironment, type SimulatedEnvironment } from '@cairn/environment';
import { type BusEvent, createMemoryEventBus } from '@cairn/event-bus';
import { type MetadataStore, openSqliteMetadataStore } from '@cairn/metadata-store';
import {
  type Change,
  type ChangesetId,
  type CommitResult,
  createId,
  type DeviceId,
  type Entry,
  type EntryId,
  type FileContent,
  type NewEntry,
  type SpaceId,
  type UserId,
} from '@cairn/model';
import type { Principal } from '../authorisation/principal.ts';
import { createDataServices } from '../data-services.ts';
import type { DataServices } from '../data-services-types.ts';
import { ensureEpoch } from '../spaces/server-epoch.ts';

/** One account of a test, with a space of its own and two devices. */
export interface TestUser {
  readonly principal: Principal;
  readonly otherDevice: Principal;
  readonly spaceId: SpaceId;
  readonly rootId: EntryId;
}

export interface DataWorld {
  readonly services: DataServices;
  readonly store: MetadataStore;
  readonly blocks: BlockStore;
  readonly platform: ContentPlatform;
  readonly environment: SimulatedEnvironment;
  readonly events: BusEvent[];
  newId<Id extends string>(): Id;
  /** A member unless told. */
  addUser(name: string, role?: Principal['role']): Promise<TestUser>;
  /** Commits changes of the user's first device. */
  commit(user: TestUser, changes: readonly Change[]): Promise<CommitResult>;
  /** Cuts bytes without storing anything. */
  cut(bytes: Uint8Array | string): Promise<{ content: FileContent; blocks: StoredBlock[] }>;
  /** Cuts and stores bytes as the user. */
  upload(user: TestUser, bytes: Uint8Array | string): Promise<FileContent>;
  /** Live entries by id. */
  liveTree(user: TestUser): Promise<Map<EntryId, Entry>>;
  close(): Promise<void>;
}

/** @param options.blocks closed with the world; a store in memory unless told */
export async function createDataWorld(
  seed = 1,
  { blocks = createMemoryBlockStore() }: { readonly blocks?: BlockStore } = {},
): Promise<DataWorld> {
  const environment = createSimulatedEnvironment({ seed });
  const store = await openSqliteMetadataStore({ path: ':memory:', environment });
  const platform = createNodePlatform();
  const events: BusEvent[] = [];
  const bus = createMemoryEventBus();
  bus.subscribe((event) => events.push(event));
  await ensureEpoch(store, environment, null);
  const services = createDataServices({ store, blocks, bus, platform, environment });
  const newId = <Id extends string>() => createId<Id>(environment.random.bytes(16));

  const world: DataWorld = {
    services,
    store,
    blocks,
    platform,
    environment,
    events,
    newId,
    async addUser(name, role = 'member') {
      const [userId, spaceId, rootId] = [newId<UserId>(), newId<SpaceId>(), newId<EntryId>()];
      const deviceIds = [newId<DeviceId>(), newId<DeviceId>()] as const;
      const now = environment.clock.now();
      await store.transact(async (transaction) => {
        await transaction.insertUser({
          userId,
          username: name,
          foldedUsername: name,
          passwordHash: '',
          role,
          personalSpaceId: spaceId,
          createdAt: now,
        });
        await transaction.insertSpace({
          spaceId,
          kind: 'personal',
          ownerId: userId,
          rootId,
          sequence: 0,
          journalHash: '0'.repeat(64),
          createdAt: now,
        });
        for (const deviceId of deviceIds) {
          await transaction.insertDevice({
            deviceId,
            userId,
            name: `${name}'s device`,
            createdAt: now,
            lastSeenAt: now,
            revokedAt: null,
          });
        }
      });
      const principal = { userId, deviceId: deviceIds[0], role } as const;
      return { principal, otherDevice: { ...principal, deviceId: deviceIds[1] }, spaceId, rootId };
    },
    commit: (user, changes) =>
      services.spaces.commitChangeset(user.principal, user.spaceId, {
        changesetId: newId<ChangesetId>(),
        changes,
      }),
    async cut(bytes) {
      const plain = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes;
      const stored: StoredBlock[] = [];
      const content = await cutContent(
        platform,
        {
          async read(into, position) {
            const piece = plain.subarray(position, position + into.length);
            into.set(piece);
            return piece.length;
          },
        },
        {
          profile: 't32-64k',
          emit: ({ blockId, kind, plain: block }) => {
            stored.push(encodeNamedBlock(platform, blockId, kind, block));
          },
        },
      );
      return { content, blocks: stored };
    },
    async upload(user, bytes) {
      const { content, blocks: made } = await world.cut(bytes);
      await services.blocks.storeBlocks(user.principal, user.spaceId, made);
      return content;
    },
    async liveTree(user) {
      const entries = new Map<EntryId, Entry>();
      for (let after: EntryId | null = null; ; ) {
        const page = await services.spaces.readSnapshot(user.principal, user.spaceId, after, 1000);
        for (const entry of page.entries) entries.set(entry.entryId, entry);
        if (page.next === null) return entries;
        after = page.next;
      }
    },
    async close() {
      await store.close();
      await blocks.close();
      await bus.close();
    },
  };
  return world;
}

export function fileOf(content: FileContent): NewEntry {
  return { kind: 'file', content, executable: false, modifiedAtUs: 1_000_000 };
}

export const folder: NewEntry = { kind: 'folder' };
