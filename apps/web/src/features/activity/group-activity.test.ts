import { describe, expect, test } from 'vitest';
import { type ActivityKind, type ActivityLike, groupActivity, startOfDay } from './group-activity.ts';

const MINUTE_MS = 60_000;
const noon = new Date(2026, 10, 20, 12).getTime();
let sequence = 1000;
function happened(atMs: number, deviceId = 'laptop', kind: ActivityKind = 'edited'): ActivityLike {
  sequence -= 1;
  return { sequence, committedAt: noon + atMs, deviceId, kind, username: 'ann' };
}

describe('grouping activity', () => {
  test('by burst: one device without a pause of more than ten minutes', () => {
    const items = [
      happened(0),
      happened(-9 * MINUTE_MS),
      happened(-19 * MINUTE_MS),
      happened(-30 * MINUTE_MS),
    ];
    const [day] = groupActivity(items);
    expect(day?.bursts.map((burst) => burst.items.length)).toEqual([3, 1]);
    expect(day?.bursts[0]).toMatchObject({ lastAt: noon, firstAt: noon - 19 * MINUTE_MS });
  });

  test('another device begins another burst', () => {
    const [day] = groupActivity([happened(0), happened(-1, 'phone'), happened(-2)]);
    expect(day?.bursts.map((burst) => burst.items[0]?.deviceId)).toEqual(['laptop', 'phone', 'laptop']);
  });

  test('midnight ends a day and a burst', () => {
    const midnight = startOfDay(noon) - noon;
    const days = groupActivity([happened(midnight + MINUTE_MS), happened(midnight - MINUTE_MS)]);
    expect(days.map(({ dayAt }) => dayAt)).toEqual([
      startOfDay(noon),
      startOfDay(noon - 24 * 60 * MINUTE_MS),
    ]);
  });

  test('counts kinds, most frequent first', () => {
    const [day] = groupActivity([
      happened(0, 'laptop', 'created'),
      happened(-1, 'laptop', 'deleted'),
      happened(-2, 'laptop', 'deleted'),
    ]);
    expect(day?.bursts[0]?.counts).toEqual([
      { kind: 'deleted', count: 2 },
      { kind: 'created', count: 1 },
    ]);
  });

  test('nothing is nothing', () => expect(groupActivity([])).toEqual([]));
});
