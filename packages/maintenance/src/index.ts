export {
  type AuditOptions,
  type AuditReport,
  auditReferences,
  type DanglingReference,
} from './audit-references.ts';
export {
  type CollectionDependencies,
  type CollectionOptions,
  type CollectionReport,
  type CollectionStep,
  collectGarbage,
} from './collect-garbage.ts';
export { DEFAULT_GRACE_MS } from './collection-settings.ts';
