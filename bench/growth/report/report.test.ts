import { expect, test } from 'vitest';
import {
  type DevicesPoint,
  type Edits,
  type FilesPoint,
  type GrowthRecord,
  mergeRecords,
} from '../points.ts';
import { makeReport } from './report.ts';

const GIB = 1024 ** 3;
const edits: Edits = {
  samplesMs: [50, 60, 90],
  firstMs: [40, 50, 60],
  cpuMs: { server: 12, sender: 20.25, receiver: 15 },
};
const places = { server: 2e8, a: 1e8, b: 9e7 };

function makeFiles(files: number, sendSeconds = 2): FilesPoint {
  return {
    files,
    folders: 2,
    sendSeconds,
    sendCpuSeconds: { server: 0.5, device: 1.5 },
    receiveSeconds: 120,
    receiveCpuSeconds: { server: 1, device: 3 },
    peakBytes: places,
    residentBytes: places,
    startSeconds: [0.5, 0.75, 0.6],
    startCpuSeconds: [0.4, 0.45, 0.5],
    edits,
  };
}

function makeDevices(devices: number): DevicesPoint {
  return { devices, edits, residentBytes: { server: 2e8, device: 8e7 } };
}

const step = { seconds: 3, wireBytes: 6_300_000, cpuSeconds: { server: 1, a: 2, b: 3 }, peakBytes: places };
const caughtUp = { seconds: 0.8, cpuSeconds: { server: 0.1, device: 0.7 }, peakBytes: 9e7 };
const record: GrowthRecord = {
  machine: '2 × Something, 24 GiB',
  endedAt: '2026-11-30T00:00:00.000Z',
  where: ['a new folder'],
  wire: 'counted',
  failures: [],
  files: [makeFiles(1000), makeFiles(10_000)],
  size: [
    {
      sizeBytes: 100 * GIB,
      randomBytes: 3 * 1024 ** 2,
      arrival: step,
      overwrite: { ...step, wireBytes: null },
      diskBytes: { a: 3_145_728, b: 3_149_824 },
    },
  ],
  devices: [makeDevices(2), makeDevices(25)],
  journal: [{ changes: 100_000, files: 100, away: caughtUp, joins: caughtUp, edits, databaseBytes: 4.2e7 }],
};

test('each point is a row, with what one file, device or GiB of it costs', () => {
  const { markdown, text } = makeReport(record, 'performance');
  // 2 s and 4 s of CPU time, for 1,000 files each.
  expect(markdown).toContain('| 1,000 | 2.00 s | 1.50 / 0.50 | 2000 µs | 120 s | 3.00 / 1.00 | 4000 µs |');
  expect(markdown).toContain('| 10,000 | 100 / 200 / 90 | 600 ms | 0.45 | 45 µs | 60 (50–90) ms |');
  expect(markdown).toContain('| 100 GiB | 3.00 s | 1.00 / 2.00 / 3.00 | 0.06 s | 200 / 100 / 90 | 6.3 MB |');
  expect(markdown).toContain('| 100 GiB | 3.00 s | 1.00 / 2.00 / 3.00 | 0.06 s | 200 / 100 / 90 | – |');
  // The server's 12 ms are for 24 devices that receive.
  expect(markdown).toContain('| 25 | 60 (50–90) ms | 50 (40–60) ms | 12.0 | 0.50 | 20.3 / 15.0 | 200 / 80 |');
  expect(markdown).toContain('| 100,000 | 800 ms | 0.70 / 0.10 | 90 | 800 ms | 0.70 / 0.10 | 90 |');
  expect(markdown).toContain(`(performance/growth.svg)`);
  expect(text).toContain('100 GiB');
});

test('a series that was not measured has no table, and nothing at all no plot', () => {
  const empty = { ...record, size: [], devices: [], journal: [] };
  expect(makeReport(empty, '.').markdown).not.toContain('size of a file');
  const nothing = makeReport({ ...empty, files: [] }, '.');
  expect(nothing.plot).toBeNull();
  expect(nothing.markdown).not.toContain('growth.svg');
});

test('what failed is said', () => {
  const failures = [{ series: 'size' as const, size: 5, message: 'its holes\nare lost' }];
  const { markdown, text } = makeReport({ ...record, failures }, '.');
  for (const part of [markdown, text]) expect(part).toContain('size 5 failed: its holes are lost');
});

test('the plot is well-formed, also of one point', () => {
  for (const part of [record, { ...record, files: [makeFiles(1000)], devices: [] }]) {
    const plot = makeReport(part, '.').plot ?? '';
    expect(plot).toMatch(/^<svg [^>]*viewBox="0 0 860 \d+"/);
    expect(plot).toContain('Files: CPU seconds');
    expect(plot).not.toMatch(/NaN|undefined|Infinity/);
    const opened = plot.match(/<(svg|title|style|text)\b/g)?.length;
    expect(plot.match(/<\/(svg|title|style|text)>/g)?.length).toBe(opened);
  }
});

test('of several records the later figure of a size counts, and all sizes are kept in order', () => {
  const later: GrowthRecord = {
    ...record,
    endedAt: '2026-12-01T00:00:00.000Z',
    where: ['another folder'],
    files: [makeFiles(1_000_000), makeFiles(1000, 7)],
    size: [],
  };
  const merged = mergeRecords([later, record]);
  expect(merged.files.map(({ files, sendSeconds }) => [files, sendSeconds])).toEqual([
    [1000, 7],
    [10_000, 2],
    [1_000_000, 2],
  ]);
  expect(merged.size).toEqual(record.size);
  expect(merged.where).toEqual(['a new folder', 'another folder']);
  expect(merged.endedAt).toBe(later.endedAt);
  expect(() => mergeRecords([])).toThrow(/nothing to merge/);
});
