import type { DifferenceRow, Line } from './compare-texts.ts';

/** Unchanged lines that stay visible around a change. */
const CONTEXT_LINES = 3;
/** Hiding fewer lines than this saves nothing. */
const MIN_HIDDEN_LINES = 4;

export type ComparisonView = 'unified' | 'side-by-side';

/** What the page draws, one per line of it. */
export type ComparisonItem =
  | { readonly type: 'row'; readonly row: DifferenceRow }
  | {
      readonly type: 'line';
      readonly sign: ' ' | '-' | '+';
      readonly older: number | null;
      readonly newer: number | null;
      readonly line: Line;
    }
  /** Unchanged lines that are hidden. `start` names it: the index of its first row. */
  | { readonly type: 'gap'; readonly start: number; readonly hiddenLines: number };

/**
 * The comparison as a list to draw: unchanged lines far from any change are hidden, unless their gap was opened.
 * In the unified view, what was removed comes before what was added, as in a patch.
 */
export function layOutRows(
  rows: readonly DifferenceRow[],
  view: ComparisonView,
  openGaps: ReadonlySet<number>,
): ComparisonItem[] {
  const items: ComparisonItem[] = [];
  for (let index = 0; index < rows.length; ) {
    const isSame = rows[index]?.kind === 'same';
    let end = index;
    while (end < rows.length && (rows[end]?.kind === 'same') === isSame) end += 1;
    const run = rows.slice(index, end);
    if (isSame) addSame(items, run, { start: index, isLast: end === rows.length, view, openGaps });
    else addChanged(items, run, view);
    index = end;
  }
  return items;
}

function addSame(
  items: ComparisonItem[],
  run: readonly DifferenceRow[],
  {
    start,
    isLast,
    view,
    openGaps,
  }: {
    start: number;
    isLast: boolean;
    view: ComparisonView;
    openGaps: ReadonlySet<number>;
  },
): void {
  const before = start === 0 ? 0 : CONTEXT_LINES;
  const after = isLast ? 0 : CONTEXT_LINES;
  const gapStart = start + before;
  const hidden = run.length - before - after;
  if (hidden < MIN_HIDDEN_LINES || openGaps.has(gapStart)) {
    for (const row of run) items.push(sameItem(row, view));
    return;
  }
  for (const row of run.slice(0, before)) items.push(sameItem(row, view));
  items.push({ type: 'gap', start: gapStart, hiddenLines: hidden });
  for (const row of run.slice(run.length - after)) items.push(sameItem(row, view));
}

function sameItem(row: DifferenceRow, view: ComparisonView): ComparisonItem {
  if (view === 'side-by-side' || row.newer === null) return { type: 'row', row };
  return {
    type: 'line',
    sign: ' ',
    older: row.older?.number ?? null,
    newer: row.newer.number,
    line: row.newer,
  };
}

function addChanged(items: ComparisonItem[], run: readonly DifferenceRow[], view: ComparisonView): void {
  if (view === 'side-by-side') {
    for (const row of run) items.push({ type: 'row', row });
    return;
  }
  for (const { older } of run) {
    if (older !== null)
      items.push({ type: 'line', sign: '-', older: older.number, newer: null, line: older });
  }
  for (const { newer } of run) {
    if (newer !== null)
      items.push({ type: 'line', sign: '+', older: null, newer: newer.number, line: newer });
  }
}
