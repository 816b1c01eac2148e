export {
  type AuditOptions,
  type AuditReport,
  auditReferences,
  type DanglingReference,
} from './audit-references.ts';
export {
  type BlockMoveJob,
  type BlockMoveMeasures,
  type BlockMoveService,
  type BlockMoveState,
  type BlockPlaces,
  type BlocksState,
  createBlockMoveJob,
} from './block-move-job.ts';
export { type CleanUpOptions, type CleanUpReport, type CleanUpStep, cleanUp } from './clean-up.ts';
export {
  type CollectionDependencies,
  type CollectionOptions,
  type CollectionReport,
  type CollectionStep,
  collectGarbage,
} from './collect-garbage.ts';
export { type CollectionService, type CollectionState, createCollectionJob } from './collection-job.ts';
export { DEFAULT_GRACE_MS } from './collection-settings.ts';
export {
  createMaintenance,
  type Maintenance,
  type MaintenanceMeasures,
  type MaintenanceOptions,
  type MaintenanceService,
} from './create-maintenance.ts';
export { measureServer, measureSpace, type ServerUsage, type SpaceUsage } from './measure-usage.ts';
export type { OpenedMove } from './move-blocks.ts';
export { type PurgeReport, purgeOldTrash } from './purge-old-trash.ts';
export { type ClusterRepair, type ClusterRepairOptions, createClusterRepair } from './repair-cluster.ts';
export {
  createRetentionService,
  type RetentionAnswer,
  type RetentionEffect,
  type RetentionPreview,
  type RetentionService,
} from './retention-service.ts';
export { DEFAULT_RETENTION } from './retention-settings.ts';
export {
  type RetentionDependencies,
  type RetentionOptions,
  type ThinningReport,
  thinVersions,
} from './thin-versions.ts';
export {
  createVerificationJob,
  type VerificationService,
  type VerificationState,
} from './verification-job.ts';
export {
  type VerificationDependencies,
  type VerificationReport,
  verifyContents,
} from './verify-contents.ts';
