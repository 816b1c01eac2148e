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
  TrashService,
  UploadStatus,
  UploadsService,
} from './data-services-types.ts';
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
