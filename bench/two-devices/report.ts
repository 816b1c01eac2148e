import type { StepResult } from './measurement.ts';

const MAX_RATIO = 10;
const MAX_RSS_BYTES = 300e6;
/** An edit, rename or delete that costs more than this share of the data sends content again. */
const MAX_RESENT_SHARE = 0.05;
/** What a change may cost however small its data: manifests, records and headers. */
const ALLOWED_BYTES = 64 * 1024;

export interface Summary {
  readonly step: string;
  readonly timeSeconds: Spread;
  readonly restSeconds: Spread;
  readonly floorSeconds: Spread | null;
  readonly rsyncSeconds: Spread | null;
  readonly ratio: Spread | null;
  readonly dataMegabytes: number;
  readonly wireMegabytes: Readonly<Record<'aUp' | 'aDown' | 'bUp' | 'bDown', Spread>> | null;
  readonly cpuSeconds: Readonly<Record<'server' | 'a' | 'b', Spread>>;
  readonly peakRssMegabytes: Readonly<Record<'server' | 'a' | 'b', Spread>>;
  /** Targets that were missed; they never fail a run. */
  readonly missed: readonly string[];
}

interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** One summary a step, over all runs, in the order of the first. */
export function summarise(results: readonly StepResult[]): Summary[] {
  const byStep = Map.groupBy(results, ({ step }) => step);
  return [...byStep].map(([step, runs]) => {
    const spread = (read: (result: StepResult) => number | null) => spreadOf(runs.map(read));
    const seconds = (ms: number | null) => (ms === null ? null : ms / 1000);
    const ratio = spread(({ timeMs, floorMs }) => (floorMs === null ? null : timeMs / floorMs));
    const wire = (device: 'a' | 'b', direction: 'up' | 'down') =>
      certain(spread((result) => (result.wire?.[device][direction] ?? 0) / 1e6));
    const each = (read: (result: StepResult, name: 'server' | 'a' | 'b') => number) => ({
      server: certain(spread((result) => read(result, 'server'))),
      a: certain(spread((result) => read(result, 'a'))),
      b: certain(spread((result) => read(result, 'b'))),
    });
    const hasWire = runs.every((result) => result.wire !== null);
    return {
      step,
      timeSeconds: certain(spread(({ timeMs }) => timeMs / 1000)),
      restSeconds: certain(spread(({ restMs }) => restMs / 1000)),
      floorSeconds: spread(({ floorMs }) => seconds(floorMs)),
      rsyncSeconds: spread(({ rsyncMs }) => seconds(rsyncMs)),
      ratio,
      dataMegabytes: (runs[0]?.dataBytes ?? 0) / 1e6,
      wireMegabytes: hasWire
        ? { aUp: wire('a', 'up'), aDown: wire('a', 'down'), bUp: wire('b', 'up'), bDown: wire('b', 'down') }
        : null,
      cpuSeconds: each((result, name) => result.cpuSeconds[name]),
      peakRssMegabytes: each((result, name) => result.peakRssBytes[name] / 1e6),
      missed: findMissed(runs),
    };
  });
}

function findMissed(runs: readonly StepResult[]): string[] {
  const missed = new Set<string>();
  for (const { floorMs, timeMs, peakRssBytes, wire, dataBytes } of runs) {
    if (floorMs !== null && timeMs > MAX_RATIO * floorMs) missed.add(`more than ${MAX_RATIO}x the floor`);
    for (const name of ['server', 'a', 'b'] as const) {
      if (peakRssBytes[name] > MAX_RSS_BYTES) missed.add(`${name} above ${MAX_RSS_BYTES / 1e6} MB`);
    }
    if (floorMs !== null || wire === null) continue;
    const allowed = ALLOWED_BYTES + MAX_RESENT_SHARE * dataBytes;
    if (wire.a.up > allowed || wire.b.down > allowed) missed.add('content sent again');
  }
  return [...missed];
}

/** The summaries as a Markdown table. */
export function formatTable(summaries: readonly Summary[]): string {
  const header = [
    'step',
    'A to B, s',
    'all at rest, s',
    'cp -r + sync, s',
    'ratio',
    'rsync push+pull, s',
    'data, MB',
    'wire A up/down, MB',
    'wire B up/down, MB',
    'CPU server/A/B, s',
    'peak RSS server/A/B, MB',
    'targets',
  ];
  const rows = summaries.map((summary) => [
    summary.step,
    show(summary.timeSeconds, 2),
    median(summary.restSeconds, 1),
    show(summary.floorSeconds, 2),
    show(summary.ratio, 1),
    show(summary.rsyncSeconds, 2),
    summary.dataMegabytes.toFixed(2),
    summary.wireMegabytes === null
      ? '-'
      : `${median(summary.wireMegabytes.aUp, 3)} / ${median(summary.wireMegabytes.aDown, 3)}`,
    summary.wireMegabytes === null
      ? '-'
      : `${median(summary.wireMegabytes.bUp, 3)} / ${median(summary.wireMegabytes.bDown, 3)}`,
    (['server', 'a', 'b'] as const).map((name) => median(summary.cpuSeconds[name], 1)).join(' / '),
    (['server', 'a', 'b'] as const).map((name) => median(summary.peakRssMegabytes[name], 0)).join(' / '),
    summary.missed.length === 0 ? 'met' : `missed: ${summary.missed.join(', ')}`,
  ]);
  const lines = [header, header.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function spreadOf(values: readonly (number | null)[]): Spread | null {
  const sorted = values.filter((value) => value !== null).sort((left, right) => left - right);
  const min = sorted[0];
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) return null;
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? max;
  const lower = sorted[Math.ceil(middle) - 1] ?? min;
  return { median: (upper + lower) / 2, min, max };
}

function certain(spread: Spread | null): Spread {
  return spread ?? { median: 0, min: 0, max: 0 };
}

function show(spread: Spread | null, digits: number): string {
  if (spread === null) return '-';
  const text = median(spread, digits);
  return spread.min === spread.max
    ? text
    : `${text} (${spread.min.toFixed(digits)}–${spread.max.toFixed(digits)})`;
}

function median(spread: Spread, digits: number): string {
  return spread.median.toFixed(digits);
}
