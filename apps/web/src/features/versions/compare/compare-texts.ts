import { diffArrays, diffWordsWithSpace } from 'diff';

/** Larger texts, in UTF-16 units, are not compared. */
export const MAX_TEXT_CHARACTERS = 2 * 1024 * 1024;
/** Texts with more lines than this, both together, are not compared. */
export const MAX_LINES = 100_000;
/** Beyond so many changed lines, or so much time, the two are just different. */
const LINE_LIMITS = { maxEditLength: 20_000, timeout: 4000 } as const;
const WORD_LIMITS = { maxEditLength: 400, timeout: 50 } as const;
/** Longer lines are shown without marks inside them. */
const MAX_MARKED_CHARACTERS = 1000;
const MAX_MARKED_PAIRS = 2000;
/** Lines that have less than this in common are two lines, not one that changed. */
const MIN_COMMON_SHARE = 0.3;

/** A span of a line; marked when the other line lacks it. */
export interface Piece {
  readonly text: string;
  readonly isMarked: boolean;
}

export interface Line {
  /** From 1 on. */
  readonly number: number;
  readonly pieces: readonly Piece[];
}

/** One row of the comparison side by side. A side is `null` where the other has a line more. */
export interface DifferenceRow {
  readonly kind: 'same' | 'changed' | 'removed' | 'added';
  readonly older: Line | null;
  readonly newer: Line | null;
}

export type TextComparison =
  | { readonly outcome: 'equal'; readonly note: EndingNote | null }
  | {
      readonly outcome: 'different';
      readonly rows: readonly DifferenceRow[];
      readonly addedLines: number;
      readonly removedLines: number;
      readonly note: EndingNote | null;
    }
  | { readonly outcome: 'too-large' | 'too-different' };

/** What differs and cannot be seen in any line. */
export type EndingNote = 'line-endings' | 'final-newline';

/**
 * What differs between two texts, line by line, with marks inside lines that changed. Line endings do not count, but
 * are noted. Bounded in time and memory: what is beyond that has an outcome of its own. Give it to a worker.
 */
export function compareTexts(older: string, newer: string): TextComparison {
  if (older.length > MAX_TEXT_CHARACTERS || newer.length > MAX_TEXT_CHARACTERS)
    return { outcome: 'too-large' };
  const olderLines = splitLines(older);
  const newerLines = splitLines(newer);
  if (olderLines.length + newerLines.length > MAX_LINES) return { outcome: 'too-large' };
  const note = noteOf(older, newer);

  const start = commonStart(olderLines, newerLines);
  const end = commonEnd(olderLines, newerLines, start);
  const changes = diffArrays(
    olderLines.slice(start, olderLines.length - end),
    newerLines.slice(start, newerLines.length - end),
    LINE_LIMITS,
  );
  if (changes === undefined) return { outcome: 'too-different' };

  const rows = createRows();
  rows.same(olderLines.slice(0, start));
  let removed: readonly string[] = [];
  for (const change of changes) {
    if (change.removed) {
      removed = change.value;
    } else if (change.added) {
      rows.replaced(removed, change.value);
      removed = [];
    } else {
      rows.replaced(removed, []);
      removed = [];
      rows.same(change.value);
    }
  }
  rows.replaced(removed, []);
  rows.same(olderLines.slice(olderLines.length - end));
  if (rows.addedLines() === 0 && rows.removedLines() === 0) return { outcome: 'equal', note };
  return {
    outcome: 'different',
    rows: rows.all,
    addedLines: rows.addedLines(),
    removedLines: rows.removedLines(),
    note,
  };
}

/** The lines without their ends; a last line that is ended does not begin another one. */
export function splitLines(text: string): string[] {
  if (text === '') return [];
  const lines = text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  if (text.endsWith('\n')) lines.pop();
  return lines;
}

function noteOf(older: string, newer: string): EndingNote | null {
  if (older === '' || newer === '') return null;
  if (older.includes('\r\n') !== newer.includes('\r\n')) return 'line-endings';
  return older.endsWith('\n') === newer.endsWith('\n') ? null : 'final-newline';
}

function commonStart(older: readonly string[], newer: readonly string[]): number {
  const most = Math.min(older.length, newer.length);
  let count = 0;
  while (count < most && older[count] === newer[count]) count += 1;
  return count;
}

function commonEnd(older: readonly string[], newer: readonly string[], start: number): number {
  const most = Math.min(older.length, newer.length) - start;
  let count = 0;
  while (count < most && older[older.length - 1 - count] === newer[newer.length - 1 - count]) count += 1;
  return count;
}

function createRows() {
  const all: DifferenceRow[] = [];
  let olderNumber = 0;
  let newerNumber = 0;
  let added = 0;
  let removed = 0;
  let markedPairs = 0;
  const plain = (text: string): Piece[] => [{ text, isMarked: false }];
  const olderLine = (pieces: readonly Piece[]): Line => {
    olderNumber += 1;
    return { number: olderNumber, pieces };
  };
  const newerLine = (pieces: readonly Piece[]): Line => {
    newerNumber += 1;
    return { number: newerNumber, pieces };
  };

  function pair(olderText: string, newerText: string): void {
    added += 1;
    removed += 1;
    markedPairs += 1;
    const marked = markedPairs <= MAX_MARKED_PAIRS ? markPieces(olderText, newerText) : null;
    all.push({
      kind: 'changed',
      older: olderLine(marked?.older ?? plain(olderText)),
      newer: newerLine(marked?.newer ?? plain(newerText)),
    });
  }

  return {
    all,
    addedLines: () => added,
    removedLines: () => removed,
    same(lines: readonly string[]): void {
      for (const text of lines) {
        const pieces = plain(text);
        all.push({ kind: 'same', older: olderLine(pieces), newer: newerLine(pieces) });
      }
    },
    replaced(olderTexts: readonly string[], newerTexts: readonly string[]): void {
      const pairs = Math.min(olderTexts.length, newerTexts.length);
      for (let index = 0; index < pairs; index += 1) pair(olderTexts[index] ?? '', newerTexts[index] ?? '');
      for (const text of olderTexts.slice(pairs)) {
        removed += 1;
        all.push({ kind: 'removed', older: olderLine(plain(text)), newer: null });
      }
      for (const text of newerTexts.slice(pairs)) {
        added += 1;
        all.push({ kind: 'added', older: null, newer: newerLine(plain(text)) });
      }
    },
  };
}

function markPieces(older: string, newer: string): { older: Piece[]; newer: Piece[] } | null {
  if (older.length > MAX_MARKED_CHARACTERS || newer.length > MAX_MARKED_CHARACTERS) return null;
  const changes = diffWordsWithSpace(older, newer, WORD_LIMITS);
  if (changes === undefined) return null;
  const common = changes.reduce((sum, change) => {
    return change.added || change.removed ? sum : sum + change.value.trim().length;
  }, 0);
  const longest = Math.max(older.trim().length, newer.trim().length);
  if (longest > 0 && common / longest < MIN_COMMON_SHARE) return null;
  const sides = { older: [] as Piece[], newer: [] as Piece[] };
  for (const { value, added, removed } of changes) {
    if (!added) sides.older.push({ text: value, isMarked: removed });
    if (!removed) sides.newer.push({ text: value, isMarked: added });
  }
  return sides;
}
