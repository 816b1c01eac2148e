import type { RetentionRecord } from '@cairn/metadata-store';
import type { VersionId } from '@cairn/model';
import { DAY_MS } from './retention-settings.ts';

const WEEK_MS = 7 * DAY_MS;

export interface DatedVersion {
  readonly versionId: VersionId;
  /** Order of the versions of one file; times may jump. */
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly committedAt: number;
}

/**
 * Which versions of one file need not be kept. Days and weeks are those of the calendar in UTC and not distances
 * from now, so that the last version of a day stays the last one tomorrow: thinning every day keeps the same as
 * thinning once.
 * @param versions all of one file, in any order
 * @param current the version that the file has now, which always stays
 * @param now milliseconds since 1970
 * @returns in the order given
 */
export function chooseVersionsToThin(
  versions: readonly DatedVersion[],
  current: VersionId | null,
  settings: RetentionRecord['versions'],
  now: number,
): VersionId[] {
  if (settings.keep === 'all') return [];
  const keptAfter = now - settings.allDays * DAY_MS;
  const dailyAfter = now - settings.dailyDays * DAY_MS;
  const newest = new Map<string, DatedVersion>();

  function periodOf({ versionId, committedAt }: DatedVersion): string | null {
    const day = Math.floor(committedAt / DAY_MS);
    const week = Math.floor(committedAt / WEEK_MS);
    // Whole days and weeks: a boundary within one would make its last version another one tomorrow.
    if (versionId === current || (day + 1) * DAY_MS > keptAfter) return null;
    return (week + 1) * WEEK_MS > dailyAfter ? `day ${day}` : `week ${week}`;
  }

  for (const version of versions) {
    const period = periodOf(version);
    if (period === null) continue;
    const before = newest.get(period);
    if (before === undefined || isNewer(version, before)) newest.set(period, version);
  }
  return versions
    .filter((version) => {
      const period = periodOf(version);
      return period !== null && newest.get(period) !== version;
    })
    .map((version) => version.versionId);
}

/** By time, so that what is the last one of a week is the last one of its day; by sequence at the same time. */
function isNewer(version: DatedVersion, than: DatedVersion): boolean {
  if (version.committedAt !== than.committedAt) return version.committedAt > than.committedAt;
  return version.sequence > than.sequence;
}
