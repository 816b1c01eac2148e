import type { Fence } from '@cairn/block-store';
import type { RetentionRecord } from '@cairn/metadata-store';
import { type AuditReport, auditReferences } from './audit-references.ts';
import { type CollectionDependencies, type CollectionReport, collectGarbage } from './collect-garbage.ts';
import { type PurgeReport, purgeOldTrash } from './purge-old-trash.ts';
import { type ThinningReport, thinVersions } from './thin-versions.ts';

export interface CleanUpOptions {
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
  readonly graceMs?: number;
  readonly retention?: RetentionRecord;
  readonly fence?: Fence;
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
  const { dryRun = false, signal, graceMs, retention, fence } = options;
  const common = { dryRun, ...(signal === undefined ? {} : { signal }) };
  const kept = retention === undefined ? {} : { defaults: retention };
  const { dryRun: _trash, ...trash } = await purgeOldTrash(dependencies, { ...common, ...kept });
  const { dryRun: _versions, ...versions } = await thinVersions(dependencies, { ...common, ...kept });
  const { dryRun: _collection, ...collection } = await collectGarbage(dependencies, {
    ...common,
    ...(graceMs === undefined ? {} : { graceMs }),
    ...(fence === undefined ? {} : { fence }),
  });
  const audit = await auditReferences(dependencies, signal === undefined ? {} : { signal });
  return { dryRun, trash, versions, collection, audit };
}
