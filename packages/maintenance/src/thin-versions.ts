import type { Environment } from '@cairn/environment';
import type {
  MetadataReader,
  MetadataStore,
  RetentionRecord,
  VersionedEntry,
  VersionRecord,
} from '@cairn/metadata-store';
import type { EntryId, SpaceId } from '@cairn/model';
import { releaseContents } from '@cairn/services';
import { chooseVersionsToThin } from './choose-versions-to-thin.ts';
import { checkTrial, listConflictEntries, type RetentionTrial, readRetention } from './retention-settings.ts';

export interface RetentionDependencies {
  readonly store: MetadataStore;
  readonly environment: Environment;
}

export interface RetentionOptions {
  /** What spaces keep that say nothing else, on a server that says nothing else. */
  readonly defaults?: RetentionRecord;
  /** Only this one. */
  readonly spaceId?: SpaceId;
  /** Settings to be tried; only with `dryRun`. */
  readonly trial?: RetentionTrial;
  /** Writes nothing, and tells what a run at this moment would do. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

export interface ThinningReport {
  readonly dryRun: boolean;
  /** Versions removed. */
  readonly versions: number;
  /** Their full lengths. What that frees is less, as far as blocks are shared. */
  readonly bytes: number;
}

const PAGE_ENTRIES = 500;
/** Versions of one file that are looked at in one run; the oldest come first in the next ones. */
const MAX_VERSIONS = 100_000;
/** Versions of one transaction. */
const BATCH_VERSIONS = 500;

/**
 * Removes old versions that their spaces' settings do not keep. The present version of a file stays, and so does every
 * version of what a live conflict is about. May end at any await; the next run goes on.
 * @throws errors of the store; the signal's reason
 */
export async function thinVersions(
  { store, environment }: RetentionDependencies,
  options: RetentionOptions = {},
): Promise<ThinningReport> {
  const { dryRun = false, spaceId: only, signal } = options;
  checkTrial(options);
  const now = environment.clock.now();
  let [versions, bytes] = [0, 0];

  async function choose(
    reader: MetadataReader,
    spaceId: SpaceId,
    entryId: EntryId,
  ): Promise<VersionRecord[]> {
    const settings = await readRetention(reader, spaceId, options);
    const [entry] = await reader.getEntries(spaceId, [entryId]);
    if (settings.versions.keep === 'all' || entry === undefined) return [];
    const all = await reader.listVersions(spaceId, entryId, MAX_VERSIONS);
    const ids = new Set(chooseVersionsToThin(all, entry.versionId, settings.versions, now));
    if (ids.size === 0 || (await listConflictEntries(reader, spaceId)).has(entryId)) return [];
    return all.filter(({ versionId }) => ids.has(versionId));
  }

  function count(removed: readonly VersionRecord[]): void {
    versions += removed.length;
    bytes += removed.reduce((sum, version) => sum + version.sizeBytes, 0);
  }

  /** One batch of one file; whether there may be more. */
  async function thin(spaceId: SpaceId, entryId: EntryId): Promise<boolean> {
    if (dryRun) {
      count(await store.read((reader) => choose(reader, spaceId, entryId)));
      return false;
    }
    const removed = await store.transact(async (transaction) => {
      const batch = (await choose(transaction, spaceId, entryId)).slice(0, BATCH_VERSIONS);
      await transaction.deleteVersions(
        spaceId,
        batch.map(({ versionId }) => versionId),
      );
      const contents = batch.flatMap(({ content }) => (content === null ? [] : [content]));
      await releaseContents(transaction, spaceId, contents, now);
      return batch;
    });
    count(removed);
    return removed.length === BATCH_VERSIONS;
  }

  type Place = Pick<VersionedEntry, 'spaceId' | 'entryId'>;
  // No id is the empty text, so this is before all of them.
  let after: Place | null = only === undefined ? null : { spaceId: only, entryId: '' as EntryId };
  for (;;) {
    signal?.throwIfAborted();
    const from: Place | null = after;
    const page: VersionedEntry[] = await store.read((reader) =>
      reader.pageVersionedEntries(from, PAGE_ENTRIES),
    );
    const last = page.at(-1);
    for (const entry of page) {
      if (entry.versions < 2 || (only !== undefined && entry.spaceId !== only)) continue;
      let more: boolean;
      do {
        signal?.throwIfAborted();
        more = await thin(entry.spaceId, entry.entryId);
      } while (more);
    }
    if (last === undefined || page.length < PAGE_ENTRIES) break;
    if (only !== undefined && last.spaceId !== only) break;
    after = last;
  }
  if (!dryRun && versions > 0) environment.log.info('retention.thinned', { versions, bytes });
  return { dryRun, versions, bytes };
}
