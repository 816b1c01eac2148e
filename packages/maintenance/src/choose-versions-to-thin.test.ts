import type { VersionId } from '@cairn/model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chooseVersionsToThin, type DatedVersion } from './choose-versions-to-thin.ts';
import { DAY_MS } from './retention-settings.ts';

const RUNS = { numRuns: 2000 };
const HOUR_MS = 3_600_000;
const NOW = Date.UTC(2026, 10, 20, 15);
const settings = { keep: 'thinned', allDays: 30, dailyDays: 365 } as const;

const versionsOf = (ages: readonly number[]): DatedVersion[] =>
  ages.map((ageMs, index) => ({
    versionId: `v${index}` as VersionId,
    sequence: ages.length - index,
    committedAt: NOW - ageMs,
  }));
const manyVersions = fc
  .array(fc.integer({ min: 0, max: 3 * 365 * 24 }), { maxLength: 60 })
  .map((hours) => versionsOf(hours.map((count) => count * HOUR_MS)));
/** Many in a few days, around which the settings change from one rule to the next. */
const denseVersions = fc
  .array(fc.integer({ min: 0, max: 30 * 24 }), { minLength: 20, maxLength: 80 })
  .map((hours) => versionsOf(hours.map((count) => count * HOUR_MS)));
const shortSettings = fc
  .record({ allDays: fc.integer({ min: 0, max: 5 }), more: fc.integer({ min: 0, max: 10 }) })
  .map(({ allDays, more }) => ({ keep: 'thinned', allDays, dailyDays: allDays + more }) as const);
const anySettings = fc
  .record({ allDays: fc.integer({ min: 0, max: 60 }), more: fc.integer({ min: 0, max: 500 }) })
  .map(({ allDays, more }) => ({ keep: 'thinned', allDays, dailyDays: allDays + more }) as const);

function thin(
  versions: readonly DatedVersion[],
  current: VersionId | null,
  rules: Parameters<typeof chooseVersionsToThin>[2],
  now: number,
): DatedVersion[] {
  const gone = new Set(chooseVersionsToThin(versions, current, rules, now));
  return versions.filter(({ versionId }) => !gone.has(versionId));
}

test('keeps all for thirty days, then one a day for a year, then one a week', () => {
  const ages = [
    [0, 'now'],
    [29 * DAY_MS, 'within the days that keep all'],
    [29 * DAY_MS + HOUR_MS, 'the same'],
    [40 * DAY_MS, 'the last one of its day'],
    [40 * DAY_MS + HOUR_MS, null],
    [40 * DAY_MS + 2 * HOUR_MS, null],
    [41 * DAY_MS, 'the last one of the day before'],
    [800 * DAY_MS, 'the last one of its week'],
    [801 * DAY_MS, null],
    [808 * DAY_MS, 'the week before'],
  ] as const;
  const versions = versionsOf(ages.map(([age]) => age));
  const kept = thin(versions, 'v0' as VersionId, settings, NOW).map(({ versionId }) => versionId);
  expect(kept).toEqual(ages.flatMap(([, why], index) => (why === null ? [] : [`v${index}`])));
});

test('never takes the current version, however old', () => {
  fc.assert(
    fc.property(manyVersions, anySettings, fc.nat(), (versions, rules, choice) => {
      if (versions.length === 0) return;
      const current = versions[choice % versions.length]?.versionId as VersionId;
      expect(chooseVersionsToThin(versions, current, rules, NOW)).not.toContain(current);
    }),
    RUNS,
  );
});

test('keeps all where that is asked for', () => {
  fc.assert(
    fc.property(manyVersions, (versions) => {
      expect(chooseVersionsToThin(versions, null, { keep: 'all' }, NOW)).toEqual([]);
    }),
    RUNS,
  );
});

test('every version that goes has a newer one of the same week that stays', () => {
  fc.assert(
    fc.property(manyVersions, anySettings, (versions, rules) => {
      const kept = thin(versions, null, rules, NOW);
      for (const version of versions) {
        if (kept.includes(version)) continue;
        expect(version.committedAt).toBeLessThanOrEqual(NOW - rules.allDays * DAY_MS);
        const week = Math.floor(version.committedAt / (7 * DAY_MS));
        const isDaily = version.committedAt > NOW - rules.dailyDays * DAY_MS;
        const successors = kept.filter(
          (other) =>
            other.committedAt >= version.committedAt &&
            Math.floor(other.committedAt / (7 * DAY_MS)) === week &&
            (!isDaily || Math.floor(other.committedAt / DAY_MS) === Math.floor(version.committedAt / DAY_MS)),
        );
        expect(successors.length).toBeGreaterThan(0);
      }
    }),
    RUNS,
  );
});

test('the same again takes nothing more, and taking early or often changes nothing', () => {
  fc.assert(
    fc.property(
      denseVersions,
      shortSettings,
      fc.array(fc.integer({ min: 0, max: 10 * 24 }), { maxLength: 4 }),
      (versions, rules, waits) => {
        const times = [NOW];
        for (const hours of waits) times.push((times.at(-1) as number) + hours * HOUR_MS);
        const last = times.at(-1) as number;
        const often = times.reduce((left, now) => thin(left, null, rules, now), versions);
        expect(often).toEqual(thin(versions, null, rules, last));
        expect(thin(often, null, rules, last)).toEqual(often);
      },
    ),
    RUNS,
  );
});

test('the order in which versions are given means nothing', () => {
  fc.assert(
    fc.property(manyVersions, anySettings, (versions, rules) => {
      const backwards = chooseVersionsToThin(versions.toReversed(), null, rules, NOW);
      expect(new Set(backwards)).toEqual(new Set(chooseVersionsToThin(versions, null, rules, NOW)));
    }),
    RUNS,
  );
});
