import type { MetadataReader, RetentionRecord } from '@cairn/metadata-store';
import type { SpaceId } from '@cairn/model';

/** What a space keeps that says nothing else, on a server that says nothing else. */
export const DEFAULT_RETENTION: RetentionRecord = {
  versions: { keep: 'thinned', allDays: 30, dailyDays: 365 },
  trash: { keep: 'days', days: 90 },
};

/** The name of what the administrator has set among the server's values. */
export const SERVER_RETENTION = 'retention';

/** What the administrator has set for spaces that say nothing else, if anything. */
export async function readServerRetention(reader: MetadataReader): Promise<RetentionRecord | null> {
  const text = await reader.getValue(SERVER_RETENTION);
  return text === undefined ? null : (JSON.parse(text) as RetentionRecord | null);
}

/** What holds for a space: its own settings, else the server's, else what is built in. */
export async function readEffectiveRetention(
  reader: MetadataReader,
  spaceId: SpaceId,
): Promise<RetentionRecord> {
  return (await reader.getRetention(spaceId)) ?? (await readServerRetention(reader)) ?? DEFAULT_RETENTION;
}
