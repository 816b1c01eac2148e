import type { MetadataReader, MetadataTransaction, RetentionRecord } from '@cairn/metadata-store';
import type { EntryId, SpaceId } from '@cairn/model';
import { DEFAULT_RETENTION, readServerRetention, SERVER_RETENTION } from '@cairn/services';

export { DEFAULT_RETENTION, readServerRetention };

export const DAY_MS = 24 * 60 * 60 * 1000;

const PAGE_CONFLICTS = 1000;

/** Settings as if they were set already, to see what they would do. `retention: null`: as if none were set. */
export interface RetentionTrial {
  /** `null`: those of the server, for all spaces that say nothing else. */
  readonly spaceId: SpaceId | null;
  readonly retention: RetentionRecord | null;
}

/** @param retention `null`: what is built in */
export async function writeServerRetention(
  transaction: MetadataTransaction,
  retention: RetentionRecord | null,
): Promise<void> {
  await transaction.setValue(SERVER_RETENTION, JSON.stringify(retention));
}

/** Nothing is ever removed by settings that are only tried. */
export function checkTrial({ trial, dryRun }: { trial?: RetentionTrial; dryRun?: boolean }): void {
  if (trial !== undefined && dryRun !== true) throw new Error('settings are tried in a dry run only');
}

/** What holds for a space: its own settings, else the server's, else `defaults`. */
export async function readRetention(
  reader: MetadataReader,
  spaceId: SpaceId,
  { defaults = DEFAULT_RETENTION, trial }: { defaults?: RetentionRecord; trial?: RetentionTrial },
): Promise<RetentionRecord> {
  const own = trial?.spaceId === spaceId ? trial.retention : ((await reader.getRetention(spaceId)) ?? null);
  if (own !== null) return own;
  const ofServer = trial?.spaceId === null ? trial.retention : await readServerRetention(reader);
  return ofServer ?? defaults;
}

/**
 * Entries that a live conflict is about: copies, and what they are copies of. All their versions stay until somebody
 * has decided: one of them is what both sides were made from.
 */
export async function listConflictEntries(reader: MetadataReader, spaceId: SpaceId): Promise<Set<EntryId>> {
  const entries = new Set<EntryId>();
  for (let after: EntryId | null = null; ; ) {
    const page = await reader.listConflicts(spaceId, after, PAGE_CONFLICTS);
    for (const { entryId, conflictOf } of page) {
      entries.add(entryId);
      if (conflictOf !== undefined) entries.add(conflictOf.entryId);
    }
    if (page.length < PAGE_CONFLICTS) return entries;
    after = page.at(-1)?.entryId ?? null;
  }
}
