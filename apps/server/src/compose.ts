import { join } from 'node:path';
import type { StoreKey } from '@cairn/block-store';
import { createNodePlatform, isIntactBlock, type StoredBlock, useHashThreads } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import { createMemoryEventBus } from '@cairn/event-bus';
import { createHttpApi, createMetrics, DEFAULT_LIMITS, type HttpApiLimits } from '@cairn/http-api';
import {
  createBlockMoveJob,
  createCollectionJob,
  createMaintenance,
  createRetentionService,
  createVerificationJob,
} from '@cairn/maintenance';
import { openSqliteMetadataStore } from '@cairn/metadata-store';
import {
  createAccessServices,
  createClusterService,
  createDataServices,
  createDrillService,
  createThumbnailPool,
  ensureEpoch,
  type PasswordCost,
} from '@cairn/services';
import type { FastifyInstance } from 'fastify';
import { openBlockPlaces } from './block-places.ts';
import { keepEpoch, loadSecret, prepareDataFolder, readKeptEpoch } from './data-folder.ts';
import { lockDataFolder } from './lock-folder.ts';
import type { BlocksSetting } from './open-blocks.ts';
import { PRODUCT_VERSION } from './product-version.ts';

/** Where `npm run build:web` puts it. */
const WEB_APP = join(import.meta.dirname, '..', '..', 'web', 'dist');

export interface CompositionOptions {
  readonly data: string;
  readonly blocks: BlocksSetting;
  readonly blocksKey: StoreKey | null;
  /** The blocks are where `blocks` says, whatever the database says. */
  readonly blocksAreHere?: boolean;
  readonly secret: string | null;
  readonly signUp: 'open' | 'invite';
  readonly setUpCode: string | null;
  readonly trustedProxies: readonly string[];
  /** Folder of the built web app; the one of this installation unless told, none if null. */
  readonly webApp?: string | null;
  readonly environment: Environment;
  readonly limits?: Partial<HttpApiLimits>;
  readonly passwordCost?: PasswordCost;
}

export interface Composition {
  readonly app: FastifyInstance;
  readonly hasAccounts: boolean;
  /** To be called when the app is closed. */
  close(): Promise<void>;
}

/** Chooses the adapters of the embedded server and puts everything together. */
export async function compose(options: CompositionOptions): Promise<Composition> {
  const { data, environment, signUp, setUpCode } = options;
  const closers: (() => Promise<void>)[] = [];
  async function close(): Promise<void> {
    for (const closer of closers.splice(0).reverse()) await closer();
  }
  try {
    await prepareDataFolder(data);
    const unlock = lockDataFolder(data);
    closers.push(async () => unlock());
    const secret = await loadSecret(data, options.secret);
    const platform = createNodePlatform(useHashThreads());
    const store = await openSqliteMetadataStore({ path: join(data, 'metadata.sqlite'), environment });
    closers.push(() => store.close());
    const verify = (block: StoredBlock) => isIntactBlock(platform, block);
    const places = await openBlockPlaces({
      data,
      configured: options.blocks,
      isTaken: options.blocksAreHere ?? false,
      key: options.blocksKey,
      store,
      environment,
      secret,
      verify,
    });
    closers.push(() => places.close());
    const { blocks, view } = places;
    const blockMove = createBlockMoveJob({ store, environment, verify, places });
    closers.push(() => blockMove.stop());
    const keptEpoch = await readKeptEpoch(data);
    const epoch = await ensureEpoch(store, environment, keptEpoch);
    if (epoch !== keptEpoch) await keepEpoch(data, epoch);
    const bus = createMemoryEventBus({ log: environment.log });
    closers.push(() => bus.close());

    const thumbnails = createThumbnailPool();
    closers.push(() => thumbnails.close());
    const dataServices = createDataServices({ store, blocks, bus, platform, environment, thumbnails });
    const access = createAccessServices({
      store,
      bus,
      environment,
      secret,
      signUp,
      setUpCode,
      ...(options.passwordCost === undefined ? {} : { passwordCost: options.passwordCost }),
    });
    const maintenance = createMaintenance({ store, blocks, environment });
    closers.push(() => maintenance.stop());
    const collection = createCollectionJob({ store, environment, maintenance: maintenance.service });
    closers.push(() => collection.stop());
    const verification = createVerificationJob({
      store,
      blocks,
      environment,
      verify,
      replicas: {
        get wanted() {
          return places.wantedReplicas();
        },
        count: async (ids) => (places.wantedReplicas() === 0 ? ids.map(() => 0) : view.countReplicas(ids)),
        async readAll(signal) {
          const { damagedCount } = await blocks.scrub(signal === undefined ? {} : { signal });
          if (damagedCount > 0) view.repairSoon();
          return damagedCount;
        },
      },
    });
    closers.push(() => verification.stop());
    const drills = createDrillService({ store, environment, secret, view });
    closers.push(() => drills.stop());
    const app = await createHttpApi({
      data: dataServices,
      access,
      maintenance: maintenance.service,
      collection: collection.service,
      verification: verification.service,
      retention: createRetentionService({ store, environment }),
      blockMove: blockMove.service,
      cluster: createClusterService({ store, environment, secret, view }),
      drills,
      bus,
      environment,
      config: {
        version: PRODUCT_VERSION,
        trustedProxies: options.trustedProxies,
        webApp: options.webApp === undefined ? WEB_APP : options.webApp,
        limits: { ...DEFAULT_LIMITS, ...options.limits },
      },
      readiness: [
        { name: 'metadata', check: () => store.checkHealth() },
        { name: 'blocks', check: () => blocks.checkHealth() },
      ],
      metrics: createMetrics({
        process: true,
        async blockUsage() {
          // A metric is a number; the time of the last verification may be none.
          const { verifiedAt, ...numbers } = await blocks.usage();
          return numbers;
        },
        counts: () => store.read((reader) => reader.countAll()),
        maintenance: () => maintenance.measure(),
        drills: () => drills.latest(),
        cluster: () => ({
          nodes: view.health().map(({ state, status }) => ({ state, freeBytes: status?.freeBytes ?? null })),
          repair: view.repair(),
        }),
        blockMove: () => blockMove.measure(),
      }),
    });
    const users = await store.read((reader) => reader.countUsers());
    places.start();
    blockMove.start();
    maintenance.start();
    return { app, hasAccounts: users > 0, close };
  } catch (error) {
    await close();
    throw error;
  }
}
