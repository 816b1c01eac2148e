import { expect, test } from 'vitest';
import { makeResult } from '../fixtures.ts';
import { FULL } from '../options.ts';
import { type BenchRecord, makeReport, mergeRecords } from './report.ts';
import { decades, logScale, text } from './svg.ts';
import { formatMarkdown, formatText, showMegabytes, showSpread } from './table.ts';

const record: BenchRecord = {
  machine: '2 × Something, 24 GiB',
  endedAt: '2026-11-29T20:00:00.000Z',
  where: 'a new folder',
  wire: 'counted',
  peers: { Cairn: '0.1.0: as it comes' },
  options: { ...FULL },
  results: [
    makeResult({ timeMs: 2000 }),
    makeResult({ timeMs: 4000, peer: 'rsync' }),
    makeResult({ timeMs: 400, peer: 'cp', wire: null, cpuSeconds: null, peakRssBytes: null }),
    makeResult({ step: 'latency', timeMs: 30, samplesMs: [20, 30, 40] }),
    makeResult({ step: 'rest', timeMs: null, residentBytes: 1e8, cpuShare: 0.001 }),
    makeResult({ step: 'small', peer: 'rclone', timeMs: 60_000, isEstimate: true, note: 'a | b' }),
  ],
};

test('the report names each step, each peer, and what was reached', () => {
  const { markdown, plots, text: words } = makeReport(record, 'performance');
  for (const part of [markdown, words]) {
    expect(part).toContain('rsync');
    expect(part).toContain('0.5×');
    expect(part).toContain('≈ 60.00 s');
    expect(part).toContain('30 ms');
  }
  // A column in which nothing stands is left out.
  expect(markdown).not.toContain('resident after');
  for (const name of plots.keys()) expect(markdown).toContain(`(performance/${name})`);
  expect([...plots.keys()].sort()).toEqual([
    'cpu.svg',
    'latency.svg',
    'targets.svg',
    'times.svg',
    'wire.svg',
  ]);
});

test('plots are well-formed, and say what they show', () => {
  for (const plot of makeReport(record, '.').plots.values()) {
    expect(plot).toMatch(/^<svg [^>]*viewBox="0 0 \d+(\.\d)? \d+(\.\d)?"/);
    expect(plot).toContain('<title>');
    expect(plot).toContain('prefers-color-scheme: dark');
    expect(plot).not.toMatch(/NaN|undefined|Infinity/);
    const opened = plot.match(/<(svg|title|style|text)\b/g)?.length;
    expect(plot.match(/<\/(svg|title|style|text)>/g)?.length).toBe(opened);
  }
});

test('what people write cannot break out of a plot or a table', () => {
  expect(text(0, 0, 'a < b & "c"')).toContain('a &lt; b &amp; &quot;c&quot;');
  expect(formatMarkdown({ header: ['x'], rows: [['a|b\nc']] })).toBe('| x |\n|---|\n| a\\|b c |');
});

test('runs of several records are counted on', () => {
  const later = { ...record, endedAt: '2026-11-30T00:00:00.000Z' };
  const merged = mergeRecords([later, record]);
  expect(new Set(merged.results.map(({ run }) => run))).toEqual(new Set([1, 2]));
  expect(merged.endedAt).toBe(later.endedAt);
});

test('scales and figures', () => {
  expect(decades([0.03, 20])).toEqual([0.01, 0.1, 1, 10, 100]);
  const scale = logScale(1, 100, 0, 200);
  expect([scale(1), scale(10), scale(100), scale(1000)]).toEqual([0, 100, 200, 200]);
  expect(showMegabytes(0.0123)).toBe('12.3 KB');
  expect(showMegabytes(2153.4)).toBe('2153 MB');
  expect(showSpread({ median: 2, min: 1, max: 3 }, (value) => `${value} s`)).toBe('2 s (1 s–3 s)');
  expect(formatText({ header: ['a', 'b'], rows: [['long', 'x']] })).toBe('a     b\n────  ─\nlong  x');
});
