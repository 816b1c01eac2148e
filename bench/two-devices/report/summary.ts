import type { WireReading } from '../../world/network.ts';
import {
  FLOOR_NAMES,
  mapRoles,
  PEER_NAMES,
  type PerRole,
  STEP_NAMES,
  type StepName,
  type StepResult,
} from '../measurement.ts';

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** One peer (or floor) in one step over all runs. */
export interface Summary {
  readonly step: StepName;
  readonly title: string;
  readonly peer: StepResult['peer'];
  readonly seconds: Spread | null;
  readonly p95Seconds: Spread | null;
  readonly restSeconds: Spread | null;
  /** Cairn's time as a share of this one's, in the same runs. */
  readonly ratio: Spread | null;
  /** Over both hops. */
  readonly wireMegabytes: Spread | null;
  /** Over the one that took more; half of both where they were not told apart. */
  readonly hopMegabytes: Spread | null;
  readonly cpuSeconds: PerRole<Spread> | null;
  readonly peakMegabytes: PerRole<Spread> | null;
  readonly residentMegabytes: Spread | null;
  /** Percent of one CPU. */
  readonly cpuPercent: Spread | null;
  readonly outputMegabytes: Spread | null;
  /** All samples of all runs, in milliseconds. */
  readonly samplesMs: readonly number[];
  readonly isEstimate: boolean;
  readonly notes: readonly string[];
}

const ORDER: readonly StepResult['peer'][] = [...PEER_NAMES, ...FLOOR_NAMES];

/** One summary for each step and peer; what went wrong in a run counts in none of its figures. */
export function summarise(results: readonly StepResult[]): Summary[] {
  const bySubject = Map.groupBy(results, ({ step, peer }) => `${step} ${peer}`);
  const summaries = [...bySubject.values()].map((own) => summariseOne(own, results));
  return summaries.sort(
    (left, right) =>
      STEP_NAMES.indexOf(left.step) - STEP_NAMES.indexOf(right.step) ||
      ORDER.indexOf(left.peer) - ORDER.indexOf(right.peer),
  );
}

function summariseOne(own: readonly StepResult[], all: readonly StepResult[]): Summary {
  const [first] = own;
  if (first === undefined) throw new RangeError('nothing to summarise');
  const good = own.filter(isRight);
  const cairn = new Map(
    all
      .filter((each) => each.peer === 'cairn' && each.step === first.step && isRight(each))
      .map((each) => [each.run, each.timeMs]),
  );
  const spread = (read: (result: StepResult) => number | null | undefined, divisor = 1) =>
    spreadOf(good.map(read).filter(isNumber), divisor);
  const roles = (read: (result: StepResult) => PerRole<number> | null, divisor = 1) => {
    const values = good.map(read).filter((value) => value !== null);
    if (values.length === 0) return null;
    return mapRoles((role) =>
      certain(
        spreadOf(
          values.map((value) => value[role]),
          divisor,
        ),
      ),
    );
  };
  return {
    step: first.step,
    title: first.title,
    peer: first.peer,
    seconds: spread(({ timeMs }) => timeMs, 1000),
    p95Seconds: spread(({ samplesMs }) => (samplesMs === null ? null : percentile(samplesMs, 0.95)), 1000),
    restSeconds: spread(({ restMs }) => restMs, 1000),
    ratio: first.peer === 'cairn' ? null : spread(({ run, timeMs }) => divide(cairn.get(run), timeMs)),
    wireMegabytes: spread(({ wire }) => wire?.bothHopsBytes, 1e6),
    hopMegabytes: spread(({ wire }) => (wire === null ? null : bytesOfHop(wire)), 1e6),
    cpuSeconds: roles(({ cpuSeconds }) => cpuSeconds),
    peakMegabytes: roles(({ peakRssBytes }) => peakRssBytes, 1e6),
    residentMegabytes: spread(({ residentBytes }) => residentBytes, 1e6),
    cpuPercent: spread(({ cpuShare }) => cpuShare, 0.01),
    outputMegabytes: spread(({ outputBytes }) => outputBytes, 1e6),
    samplesMs: good.flatMap(({ samplesMs }) => samplesMs ?? []),
    isEstimate: good.some(({ isEstimate }) => isEstimate),
    notes: [...new Set(own.flatMap(describeNotes))],
  };
}

function bytesOfHop({ bothHopsBytes, hops }: WireReading): number {
  if (hops === null) return bothHopsBytes / 2;
  return Math.max(hops.a.up + hops.a.down, hops.b.up + hops.b.down);
}

function isRight({ differences }: StepResult): boolean {
  return differences.length === 0;
}

function describeNotes({ note, differences, run }: StepResult): string[] {
  const notes = note === null ? [] : [note];
  if (differences.length > 0)
    notes.push(`run ${run}: B differs from A: ${differences.slice(0, 3).join('; ')}`);
  return notes;
}

function divide(dividend: number | null | undefined, divisor: number | null): number | null {
  return isNumber(dividend) && isNumber(divisor) && divisor > 0 ? dividend / divisor : null;
}

function isNumber(value: number | null | undefined): value is number {
  return typeof value === 'number';
}

/** `null` of nothing. */
export function spreadOf(values: readonly number[], divisor = 1): Spread | null {
  const sorted = values.map((value) => value / divisor).sort((left, right) => left - right);
  const [min] = sorted;
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) return null;
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? max;
  const lower = sorted[Math.ceil(middle) - 1] ?? min;
  return { median: (upper + lower) / 2, min, max };
}

/** The smallest of the values that at least this share of them do not exceed. */
export function percentile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}

function certain(spread: Spread | null): Spread {
  return spread ?? { median: 0, min: 0, max: 0 };
}
