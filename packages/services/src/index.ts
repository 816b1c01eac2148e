export { createReadBuffers, type ReadMemory } from '@cairn/block-store';
export { type AccessDependencies, createAccessServices } from './access-services.ts';
export type {
  AccessServices,
  AccountsService,
  AuthenticatedToken,
  Caller,
  DevicesService,
  SessionsService,
} from './access-services-types.ts';
export type { PasswordCost } from './accounts/password-hasher.ts';
export type { Activity, ActivityService } from './activity/activity-service.ts';
export type { ArchivesService, OpenedArchive } from './archives/archives-service.ts';
export { authoriseAdministrator, authoriseSpace } from './authorisation/authorise.ts';
export type { Principal } from './authorisation/principal.ts';
export { LEASE_MS, UPLOAD_LIFE_MS } from './blocks/block-limits.ts';
export { releaseContents } from './changesets/release-contents.ts';
export type { DataDependencies } from './data-dependencies.ts';
export { createDataServices } from './data-services.ts';
export type {
  BlocksService,
  ChangesPage,
  Conflict,
  ConflictChoice,
  ConflictSide,
  ConflictsPage,
  ConflictsService,
  DataServices,
  EntryUpdate,
  EntryWithPath,
  FilesService,
  OpenedFile,
  PutFileOptions,
  SnapshotPage,
  SpacesService,
  TrashItem,
  TrashPage,
  TrashService,
  UploadStatus,
  UploadsService,
} from './data-services-types.ts';
export { createThumbnailPool, type ThumbnailPoolOptions } from './previews/node/thumbnail-pool.ts';
export type {
  PreviewsService,
  Thumbnail,
  ThumbnailRenderer,
  ThumbnailSize,
} from './previews/previews-service.ts';
export {
  DEFAULT_RETENTION,
  readServerRetention,
  SERVER_RETENTION,
} from './retention/effective-retention.ts';
export type {
  PastEntry,
  PastFolder,
  RewindDone,
  RewindKind,
  RewindPreview,
  RewindService,
  RewindStep,
} from './rewind/rewind-service.ts';
export type { SearchService } from './search/search-service.ts';
export { ensureEpoch, readEpochRenewal } from './spaces/server-epoch.ts';
export type {
  ClusterDependencies,
  ClusterDescription,
  ClusterService,
  ClusterView,
  NodeDescription,
  RepairState,
} from './storage-nodes/cluster-types.ts';
export { createClusterService } from './storage-nodes/create-cluster-service.ts';
export { createDrillService } from './storage-nodes/create-drill-service.ts';
export type {
  ClusterFaults,
  DrillService,
  FaultKind,
  FaultLease,
  ReplicaState,
} from './storage-nodes/drill-types.ts';
export { SEALED_FOR } from './storage-nodes/join-node.ts';
export { purgeTrashItem } from './trash/purge-trash.ts';
export type { AccountUsage, UsageService } from './usage/usage-service.ts';
export type { NamedVersion } from './versions/device-names.ts';
