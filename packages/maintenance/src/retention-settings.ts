import type { MetadataReader, RetentionRecord } from '@cairn/metadata-store';
import type { EntryId, SpaceId } from '@cairn/model';

export const DAY_MS = 24 * 60 * 60 * 1000;

/** What a space keeps that says nothing else. */
export const DEFAULT_RETENTION: RetentionRecord = {
  versions: { keep: 'thinned', allDays: 30, dailyDays: 365 },
  trash: { keep: 'days', days: 90 },
};

const PAGE_CONFLICTS = 1000;

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
