import { describe, expect, test } from 'vitest';
import {
  compareTexts,
  type DifferenceRow,
  MAX_TEXT_CHARACTERS,
  type Piece,
  splitLines,
} from './compare-texts.ts';
import { type ComparisonItem, layOutRows } from './lay-out-rows.ts';

function rowsOf(older: string, newer: string): readonly DifferenceRow[] {
  const comparison = compareTexts(older, newer);
  if (comparison.outcome !== 'different') throw new Error(`outcome is ${comparison.outcome}`);
  return comparison.rows;
}

const textOf = (pieces: readonly Piece[] | undefined) => pieces?.map(({ text }) => text).join('') ?? null;
const sideOf = (rows: readonly DifferenceRow[], side: 'older' | 'newer') =>
  rows.flatMap((row) => (row[side] === null ? [] : [textOf(row[side].pieces)]));
const numbered = (count: number) => Array.from({ length: count }, (_, index) => `line ${index + 1}`);

describe('comparing two texts', () => {
  test('each side, read from top to bottom, is the text it came from', () => {
    const older = 'a\nb\nc\nd\n';
    const newer = 'a\nx\ny\nc\nd\ne\n';
    const rows = rowsOf(older, newer);
    expect(sideOf(rows, 'older')).toEqual(['a', 'b', 'c', 'd']);
    expect(sideOf(rows, 'newer')).toEqual(['a', 'x', 'y', 'c', 'd', 'e']);
    expect(rows.map(({ kind }) => kind)).toEqual(['same', 'changed', 'added', 'same', 'same', 'added']);
    expect(rows.map((row) => row.newer?.number)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(rows.map((row) => row.older?.number ?? null)).toEqual([1, 2, null, 3, 4, null]);
  });

  test('marks the words that changed inside a line', () => {
    const [row] = rowsOf('the quick brown fox', 'the quick red fox');
    expect(row?.older?.pieces.filter(({ isMarked }) => isMarked)).toEqual([
      { text: 'brown', isMarked: true },
    ]);
    expect(row?.newer?.pieces.filter(({ isMarked }) => isMarked)).toEqual([{ text: 'red', isMarked: true }]);
  });

  test('marks nothing where lines have next to nothing in common', () => {
    const [row] = rowsOf('alpha beta gamma', 'one two three');
    expect(row?.older?.pieces).toEqual([{ text: 'alpha beta gamma', isMarked: false }]);
  });

  test('counts lines that were added and removed', () => {
    expect(compareTexts('a\nb\n', 'a\nc\nd\n')).toMatchObject({ addedLines: 2, removedLines: 1 });
    expect(compareTexts('', 'a\nb\n')).toMatchObject({ addedLines: 2, removedLines: 0 });
    expect(compareTexts('a\n', '')).toMatchObject({ addedLines: 0, removedLines: 1 });
  });

  test('line endings do not count as changes but are noted', () => {
    expect(compareTexts('a\r\nb\r\n', 'a\nb\n')).toEqual({ outcome: 'equal', note: 'line-endings' });
    expect(compareTexts('a\nb', 'a\nb\n')).toEqual({ outcome: 'equal', note: 'final-newline' });
    expect(compareTexts('a\n', 'a\n')).toEqual({ outcome: 'equal', note: null });
    expect(splitLines('a\n\nb\n')).toEqual(['a', '', 'b']);
    expect(splitLines('')).toEqual([]);
  });

  test('refuses what is too large or too different, and soon', () => {
    expect(compareTexts('a'.repeat(MAX_TEXT_CHARACTERS + 1), 'a')).toEqual({ outcome: 'too-large' });
    expect(compareTexts('\n'.repeat(100_001), 'a')).toEqual({ outcome: 'too-large' });
    const texts = ['x', 'y'].map((letter) =>
      numbered(15_000)
        .map((line) => letter + line)
        .join('\n'),
    );
    const startedAt = Date.now();
    expect(compareTexts(texts[0] ?? '', texts[1] ?? '').outcome).toBe('too-different');
    expect(Date.now() - startedAt).toBeLessThan(30_000);
  });
});

describe('laying out a comparison', () => {
  const lines = numbered(40);
  const changed = lines.map((line) => (line === 'line 20' ? 'line twenty' : line));
  const rows = rowsOf(lines.join('\n'), changed.join('\n'));
  const gapsOf = (items: readonly ComparisonItem[]) => items.filter((item) => item.type === 'gap');

  test('hides what is far from changes, and nothing else', () => {
    const items = layOutRows(rows, 'side-by-side', new Set());
    expect(gapsOf(items).map(({ hiddenLines }) => hiddenLines)).toEqual([16, 17]);
    expect(items).toHaveLength(2 + 3 + 1 + 3);
  });

  test('an opened gap shows its lines', () => {
    const [first, second] = gapsOf(layOutRows(rows, 'unified', new Set()));
    const items = layOutRows(rows, 'unified', new Set([first?.start ?? -1]));
    expect(gapsOf(items)).toEqual([second]);
    expect(layOutRows(rows, 'unified', new Set([first?.start ?? -1, second?.start ?? -1]))).toHaveLength(41);
  });

  test('unified: what was removed comes before what was added', () => {
    const items = layOutRows(rowsOf('a\nb\nc', 'a\nx\ny\nc'), 'unified', new Set());
    const signs = items.map((item) => (item.type === 'line' ? item.sign + textOf(item.line.pieces) : ''));
    expect(signs).toEqual([' a', '-b', '+x', '+y', ' c']);
  });
});
