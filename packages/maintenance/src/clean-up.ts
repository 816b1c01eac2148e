import type { Fence } from '@cairn/block-store';
import type { RetentionRecord } from '@cairn/metadata-store';
import { type AuditReport, auditReferences } from './audit-references.ts';
import {
  type CollectionDependencies,
  type CollectionReport,
  type CollectionStep,
  collectGarbage,
} from './collect-garbage.ts';
import { type PurgeReport, purgeOldTrash } from './purge-old-trash.ts';
import { type ThinningReport, thinVersions } from './thin-versions.ts';

/** What a clean-up is at; `compact` comes last, where anything was deleted. */
export type CleanUpStep = 'trash' | 'versions' | 'expire' | CollectionStep | 'audit' | 'compact';

export interface CleanUpOptions {
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
  readonly graceMs?: number;
  readonly retention?: RetentionRecord;
  readonly fence?: Fence;
  /** When a step begins, and after each batch of it. */
  readonly onProgress?: (step: CleanUpStep, doneBlocks: number) => void;
}

export interface CleanUpReport {
  readonly dryRun: boolean;
  readonly trash: Omit<PurgeReport, 'dryRun'>;
  readonly versions: Omit<ThinningReport, 'dryRun'>;
  readonly collection: Omit<CollectionReport, 'dryRun'>;
  readonly audit: AuditReport;
}

/**
 * Everything that frees space, in the order in which one leads to the other: old trash, old versions, then blocks that
 * nothing needs. In the end all references are audited. What the first two let go is collected a grace later.
 * @throws errors of the stores; the signal's reason
 */
export async function cleanUp(
  dependencies: CollectionDependencies,
  options: CleanUpOptions = {},
): Promise<CleanUpReport> {
  const { dryRun = false, signal, graceMs, retention, fence, onProgress = () => undefined } = options;
  const common = { dryRun, ...(signal === undefined ? {} : { signal }) };
  const kept = retention === undefined ? {} : { defaults: retention };
  onProgress('trash', 0);
  const { dryRun: _trash, ...trash } = await purgeOldTrash(dependencies, { ...common, ...kept });
  onProgress('versions', 0);
  const { dryRun: _versions, ...versions } = await thinVersions(dependencies, { ...common, ...kept });
  onProgress('expire', 0);
  const { dryRun: _collection, ...collection } = await collectGarbage(dependencies, {
    ...common,
    onProgress: (step, { blocks }) => onProgress(step, blocks),
    ...(graceMs === undefined ? {} : { graceMs }),
    ...(fence === undefined ? {} : { fence }),
  });
  onProgress('audit', 0);
  const audit = await auditReferences(dependencies, signal === undefined ? {} : { signal });
  return { dryRun, trash, versions, collection, audit };
}
