/** What grouping needs to know of one thing that happened. */
export interface ActivityLike {
  readonly sequence: number;
  readonly committedAt: number;
  readonly deviceId: string;
  readonly kind: ActivityKind;
  /** Whose doing it was. */
  readonly username: string;
}

export const ACTIVITY_KINDS = ['created', 'edited', 'moved', 'renamed', 'deleted', 'restored'] as const;
export type ActivityKind = (typeof ACTIVITY_KINDS)[number];

/** What one device did without a longer pause, newest first. */
export interface ActivityBurst<Item> {
  /** Stays the same while older items are read in. */
  readonly key: string;
  readonly items: readonly Item[];
  readonly lastAt: number;
  readonly firstAt: number;
  /** How often each kind occurs, most frequent first. */
  readonly counts: readonly { readonly kind: ActivityKind; readonly count: number }[];
}

export interface ActivityDay<Item> {
  /** Midnight at which the day begins, local time. */
  readonly dayAt: number;
  readonly bursts: readonly ActivityBurst<Item>[];
}

/** A longer pause ends a burst. */
const MAX_PAUSE_MS = 10 * 60_000;

/** Midnight before an instant, in local time. */
export function startOfDay(at: number): number {
  const date = new Date(at);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

/**
 * Groups what happened by local day, then by burst: items of one device and person that follow each other without a
 * pause of more than ten minutes.
 * @param items newest first
 */
export function groupActivity<Item extends ActivityLike>(items: readonly Item[]): ActivityDay<Item>[] {
  const days: { dayAt: number; runs: Item[][] }[] = [];
  let before: Item | null = null;
  for (const item of items) {
    const dayAt = startOfDay(item.committedAt);
    let day = days.at(-1);
    if (day === undefined || day.dayAt !== dayAt) {
      day = { dayAt, runs: [] };
      days.push(day);
      before = null;
    }
    if (before !== null && belongTogether(before, item)) day.runs.at(-1)?.push(item);
    else day.runs.push([item]);
    before = item;
  }
  return days.map(({ dayAt, runs }) => ({ dayAt, bursts: runs.map(toBurst) }));
}

function belongTogether(later: ActivityLike, earlier: ActivityLike): boolean {
  return (
    later.deviceId === earlier.deviceId &&
    later.username === earlier.username &&
    later.committedAt - earlier.committedAt <= MAX_PAUSE_MS
  );
}

function toBurst<Item extends ActivityLike>(items: readonly Item[]): ActivityBurst<Item> {
  const [newest] = items;
  const oldest = items.at(-1);
  const counts = ACTIVITY_KINDS.map((kind) => ({
    kind,
    count: items.filter((item) => item.kind === kind).length,
  }));
  return {
    key: `${newest?.sequence}-${newest?.deviceId}`,
    items,
    lastAt: newest?.committedAt ?? 0,
    firstAt: oldest?.committedAt ?? 0,
    counts: counts.filter(({ count }) => count > 0).sort((one, other) => other.count - one.count),
  };
}
