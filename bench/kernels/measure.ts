import { median } from '../world/statistics.ts';

/** What a figure is held against: another one of the same run, or a rate of its own. */
export type Bar =
  | { readonly kind: 'ratio'; readonly to: string; readonly least: number }
  | { readonly kind: 'rate'; readonly least: number };

export interface Measurement {
  readonly name: string;
  /** Of `unit`, that one call of `work` does. */
  readonly amount: number;
  readonly unit: 'GB' | 'k';
  readonly bar: Bar | null;
  /** Called before each `work`, outside of the time. */
  prepare?(): void | Promise<void>;
  work(): void | Promise<void>;
  /** Wall clock instead of this thread's processor time: for work of several threads. */
  readonly isParallel?: boolean;
}

export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** In words, and whether it was reached; `null` without one. */
  readonly bar: string | null;
  readonly reached: number | null;
  readonly isMet: boolean | null;
}

/** Seconds: of the processor, so that other work on the machine counts little. */
async function take(measurement: Measurement): Promise<number> {
  await measurement.prepare?.();
  const startedAt = performance.now();
  const before = process.cpuUsage();
  await measurement.work();
  const { user, system } = process.cpuUsage(before);
  return measurement.isParallel === true ? (performance.now() - startedAt) / 1000 : (user + system) / 1e6;
}

/** By turns, so that a machine that changes its pace changes it for all; the first round is for the compilers. */
export async function measureAll(measurements: readonly Measurement[], runs: number): Promise<Figure[]> {
  const rates = new Map<string, number[]>(measurements.map(({ name }) => [name, []]));
  for (let run = -1; run < runs; run++) {
    for (const measurement of measurements) {
      const seconds = await take(measurement);
      if (run >= 0) rates.get(measurement.name)?.push(measurement.amount / seconds);
    }
  }
  const medians = new Map([...rates].map(([name, all]) => [name, median(all)]));
  return measurements.map(({ name, unit, bar }) => {
    const all = rates.get(name) ?? [];
    const rate = medians.get(name) ?? Number.NaN;
    const reached =
      bar === null ? null : bar.kind === 'rate' ? rate : rate / (medians.get(bar.to) ?? Number.NaN);
    return {
      name,
      unit: unit === 'GB' ? 'GB/s' : 'k/s',
      median: rate,
      least: Math.min(...all),
      most: Math.max(...all),
      bar:
        bar === null ? null : bar.kind === 'rate' ? `≥ ${bar.least} ${unit}/s` : `≥ ${bar.least} × ${bar.to}`,
      reached,
      isMet: bar === null || reached === null ? null : reached >= bar.least,
    };
  });
}

export function formatFigures(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.name,
    `${figure.median.toFixed(2)} (${figure.least.toFixed(2)}–${figure.most.toFixed(2)}) ${figure.unit}`,
    figure.bar ?? '',
    figure.reached?.toFixed(2) ?? '',
    figure.isMet === null ? '' : figure.isMet ? 'met' : 'MISSED',
  ]);
  const all = [['', 'median (min–max)', 'bar', 'reached', ''], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
