import { join } from 'node:path';
import { type BlockStore, createMemoryBlockStore, openSegmentBlockStore } from '@cairn/block-store';
import {
  contentIdOf,
  createNodePlatform,
  encodeBlock,
  encodeManifestBlock,
  type StoredBlock,
} from '@cairn/content';
import { createSimulatedEnvironment, type SimulatedEnvironment } from '@cairn/environment';
import { createMemoryEventBus } from '@cairn/event-bus';
import { type MetadataStore, openSqliteMetadataStore } from '@cairn/metadata-store';
import {
  type ChangesetId,
  createId,
  type DeviceId,
  type EntryId,
  type FileContent,
  type ManifestPart,
  type SpaceId,
  type UserId,
} from '@cairn/model';
import {
  createDataServices,
  type DataDependencies,
  type DataServices,
  ensureEpoch,
  type Principal,
} from '@cairn/services';

export interface Owner {
  readonly principal: Principal;
  readonly spaceId: SpaceId;
  readonly rootId: EntryId;
}

/** A content and every block that it needs, children before parents. */
export interface MadeContent {
  readonly content: FileContent;
  readonly blocks: readonly StoredBlock[];
}

export interface CollectionWorld {
  readonly environment: SimulatedEnvironment;
  readonly store: MetadataStore;
  readonly blocks: BlockStore;
  readonly dependencies: DataDependencies;
  readonly services: DataServices;
  /** A member unless told. */
  addOwner(name: string, role?: Principal['role']): Promise<Owner>;
  /** One chunk, or a manifest block that lists several. */
  make(...texts: string[]): MadeContent;
  /** Stores all blocks as the owner. */
  upload(owner: Owner, made: MadeContent): Promise<void>;
  /** Commits a new file. */
  create(owner: Owner, content: FileContent, services?: DataServices): Promise<EntryId>;
  close(): Promise<void>;
}

export interface CollectionWorldOptions {
  readonly seed?: number;
  /** Where database and blocks are; in memory unless told. */
  readonly folder?: string;
  /** Time that goes on over closing and opening. */
  readonly environment?: SimulatedEnvironment;
  /** Another block store than one in memory or in the folder. */
  readonly openBlocks?: (environment: SimulatedEnvironment) => Promise<BlockStore>;
}

/** Services on a database and a block store, with simulated time. */
export async function createCollectionWorld(options: CollectionWorldOptions = {}): Promise<CollectionWorld> {
  const { seed = 1, folder } = options;
  const environment = options.environment ?? createSimulatedEnvironment({ seed });
  const path = folder === undefined ? ':memory:' : join(folder, 'metadata.sqlite');
  const store = await openSqliteMetadataStore({ path, environment, flushes: 'each' });
  const openBlocks =
    options.openBlocks ??
    (async () =>
      folder === undefined
        ? createMemoryBlockStore()
        : openSegmentBlockStore({ directory: join(folder, 'blocks'), environment }));
  const blocks = await openBlocks(environment);
  const platform = createNodePlatform();
  const bus = createMemoryEventBus();
  const epoch = await store.read((reader) => reader.getValue('epoch'));
  await ensureEpoch(store, environment, epoch ?? null);
  const dependencies = { store, blocks, bus, platform, environment };
  const services = createDataServices(dependencies);
  const newId = <Id extends string>() => createId<Id>(environment.random.bytes(16));

  const world: CollectionWorld = {
    environment,
    store,
    blocks,
    dependencies,
    services,
    async addOwner(name, role = 'member') {
      const [userId, spaceId, rootId] = [newId<UserId>(), newId<SpaceId>(), newId<EntryId>()];
      const deviceId = newId<DeviceId>();
      const createdAt = environment.clock.now();
      await store.transact(async (transaction) => {
        await transaction.insertUser({
          userId,
          username: name,
          foldedUsername: name,
          passwordHash: '',
          role,
          personalSpaceId: spaceId,
          createdAt,
        });
        await transaction.insertSpace({
          spaceId,
          kind: 'personal',
          ownerId: userId,
          rootId,
          sequence: 0,
          journalHash: '0'.repeat(64),
          createdAt,
        });
        const device = { deviceId, userId, name, createdAt, lastSeenAt: createdAt, revokedAt: null };
        await transaction.insertDevice(device);
      });
      return { principal: { userId, deviceId, role }, spaceId, rootId };
    },
    make(...texts) {
      const chunks = texts.map((text) => encodeBlock(platform, 'chunk', new TextEncoder().encode(text)));
      let parts: ManifestPart[] = chunks.map((chunk) => ({
        block: chunk.blockId,
        sizeBytes: chunk.plainBytes,
      }));
      const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
      const made = [...chunks];
      if (chunks.length > 1) {
        const list = encodeBlock(platform, 'manifest', encodeManifestBlock(0, parts));
        made.push(list);
        parts = [{ block: list.blockId, sizeBytes }];
      }
      const manifest = { profile: 't32-64k', depth: chunks.length > 1 ? 1 : 0, parts } as const;
      const contentId = contentIdOf(platform, manifest, sizeBytes);
      return { content: { contentId, sizeBytes, manifest }, blocks: made };
    },
    async upload(owner, made) {
      await services.blocks.storeBlocks(owner.principal, owner.spaceId, made.blocks);
    },
    async create(owner, content, on = services) {
      const entryId = newId<EntryId>();
      await on.spaces.commitChangeset(owner.principal, owner.spaceId, {
        changesetId: newId<ChangesetId>(),
        changes: [
          {
            kind: 'create',
            entryId,
            parentId: owner.rootId,
            name: entryId,
            entry: { kind: 'file', content, executable: false, modifiedAtUs: 1 },
          },
        ],
      });
      return entryId;
    },
    async close() {
      await store.close();
      await blocks.close();
      await bus.close();
    },
  };
  return world;
}
