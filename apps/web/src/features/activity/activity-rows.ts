import type { ActivityItem } from '@cairn/protocol';
import type { ActivityBurst, ActivityDay } from './group-activity.ts';

/** What the list draws, one below the other. */
export type ActivityRow =
  | { readonly type: 'day'; readonly key: string; readonly dayAt: number }
  | { readonly type: 'burst'; readonly key: string; readonly burst: ActivityBurst<ActivityItem> }
  | { readonly type: 'item'; readonly key: string; readonly item: ActivityItem; readonly isLast: boolean }
  | { readonly type: 'more'; readonly key: string; readonly burstKey: string; readonly hidden: number };

/** Of a burst so many are shown at first. */
const SHOWN_ITEMS = 5;

/**
 * Days, bursts and items in one list. Of a long burst only the first are shown until it is opened; `more` with 0
 * hidden closes it again.
 */
export function toRows(
  days: readonly ActivityDay<ActivityItem>[],
  openBursts: ReadonlySet<string>,
): ActivityRow[] {
  const rows: ActivityRow[] = [];
  for (const { dayAt, bursts } of days) {
    rows.push({ type: 'day', key: `day-${dayAt}`, dayAt });
    for (const burst of bursts) {
      rows.push({ type: 'burst', key: `burst-${burst.key}`, burst });
      const isLong = burst.items.length > SHOWN_ITEMS + 1;
      const isOpen = openBursts.has(burst.key);
      const shown = isLong && !isOpen ? burst.items.slice(0, SHOWN_ITEMS) : burst.items;
      shown.forEach((item, index) => {
        rows.push({
          type: 'item',
          key: `${item.sequence}-${item.entry.entryId}-${item.kind}`,
          item,
          isLast: !isLong && index === shown.length - 1,
        });
      });
      if (isLong) {
        const hidden = burst.items.length - shown.length;
        rows.push({ type: 'more', key: `more-${burst.key}`, burstKey: burst.key, hidden });
      }
    }
  }
  return rows;
}
