import type { Environment } from '@cairn/environment';
import type { EventBus } from '@cairn/event-bus';
import type {
  BlockMoveService,
  CollectionService,
  MaintenanceService,
  RetentionService,
  VerificationService,
} from '@cairn/maintenance';
import type { AccessServices, ClusterService, DataServices, DrillService } from '@cairn/services';
import type { Metrics } from './foundation/metrics.ts';

export interface HttpApiConfig {
  /** Version of the product, for people. */
  readonly version: string;
  /** Proxies (addresses or networks) whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  readonly limits: HttpApiLimits;
  /** Folder of the built web app; without it, or while it is not there, the plain start page is shown. */
  readonly webApp: string | null;
}

export interface HttpApiLimits {
  /** Requests a minute: of one device; of one address without signing in; to the sign-in routes. */
  readonly deviceRequests: number;
  readonly anonymousRequests: number;
  readonly signInRequests: number;
  /** Packs that may be in memory at once (16 MiB each), and requests that may wait for one to end. */
  readonly concurrentPacks: number;
  readonly waitingPacks: number;
  /** The same of packs of at most 64 KiB each, which hold no such memory and share flushes. */
  readonly concurrentSmallPacks: number;
  readonly concurrentLongPolls: number;
  readonly webSockets: number;
  readonly pingIntervalMs: number;
  /** How long a JSON body of somebody not signed in, and any other body held in memory, may take to arrive. */
  readonly anonymousBodyTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  /** No byte in either direction for this long ends a connection; longer than the longest long poll. */
  readonly idleConnectionMs: number;
}

export const DEFAULT_LIMITS: HttpApiLimits = {
  deviceRequests: 30_000,
  anonymousRequests: 600,
  signInRequests: 60,
  concurrentPacks: 8,
  waitingPacks: 256,
  concurrentSmallPacks: 256,
  concurrentLongPolls: 10_000,
  webSockets: 10_000,
  pingIntervalMs: 20_000,
  anonymousBodyTimeoutMs: 30_000,
  bodyTimeoutMs: 10 * 60_000,
  idleConnectionMs: 120_000,
};

/** Something that the server stands on; `check` throws when it does not work. */
export interface Dependency {
  readonly name: string;
  check(): Promise<void>;
}

export interface HttpApiOptions {
  readonly data: DataServices;
  readonly access: AccessServices;
  readonly maintenance: MaintenanceService;
  readonly collection: CollectionService;
  readonly verification: VerificationService;
  readonly retention: RetentionService;
  readonly blockMove: BlockMoveService;
  readonly cluster: ClusterService;
  readonly drills: DrillService;
  readonly bus: EventBus;
  readonly environment: Environment;
  readonly config: HttpApiConfig;
  /** Asked by `/health`. */
  readonly readiness: readonly Dependency[];
  readonly metrics: Metrics;
}
