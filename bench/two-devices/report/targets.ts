import { PEER_NAMES, type StepName, type StepResult } from '../measurement.ts';
import { FULL } from '../options.ts';
import type { Summary } from './summary.ts';

/** One thing that Cairn wants to reach. */
export interface Target {
  readonly work: string;
  /** What must not be exceeded, in words. */
  readonly demand: string;
  readonly reached: string | null;
  /** Reached as a share of what is allowed: met up to 1. `null` where something to compare with is missing. */
  readonly share: number | null;
}

type Find = (step: StepName, peer: StepResult['peer']) => Summary | undefined;

interface Rule {
  readonly step: StepName;
  readonly demand: string;
  /** The figure that counts, and what it may be. */
  judge(find: Find, step: StepName): { value: number; limit: number; unit: string } | null;
}

const LABELS: Partial<Record<StepResult['peer'], string>> = {
  syncthing: 'Syncthing',
  unison: 'Unison',
  'cp-twice': 'two durable copies',
};

const KIB = 1024;
const MIB = 1024 ** 2;

/** In the order of the steps. */
const RULES: readonly Rule[] = [
  timeOf('large', 0.6, 'syncthing'),
  timeOf('large', 1.0, 'rclone'),
  timeOf('large', 1.3, 'cp-twice'),
  timeOf('small', 0.1, 'syncthing'),
  timeOf('small', 0.3, 'unison'),
  timeOf('small', 1.5, 'rsync'),
  timeOf('insert', 0.5, 'rsync'),
  wirePerHop('insert', 64 * KIB),
  timeOf('overwrite', 0.6, 'rsync'),
  wirePerHop('overwrite', 64 * KIB),
  timeOf('append', 0.6, 'rsync'),
  wirePerHop('append', 1.1 * MIB),
  timeOf('copy', 0.3, 'syncthing'),
  wirePerHop('copy', 64 * KIB),
  absolute('rename', 'under 0.5 s', 0.5, 's', ({ seconds }) => seconds?.median),
  wirePerHop('rename', 16 * KIB),
  leastWire('text'),
  {
    step: 'text',
    demand: '≤ 1.3 × zstd -1 of the same bytes plus one copy',
    judge(find) {
      const value = find('text', 'cairn')?.seconds?.median;
      const zstd = find('text', 'zstd')?.seconds?.median;
      const copy = find('text', 'cp')?.seconds?.median;
      if (value === undefined || zstd === undefined || copy === undefined) return null;
      return { value, limit: 1.3 * (zstd + copy), unit: 's' };
    },
  },
  timeOf('latency', 0.05, 'syncthing'),
  absolute('latency', 'median ≤ 40 ms', 40, 'ms', ({ seconds }) => seconds && seconds.median * 1000),
  absolute('latency', 'p95 ≤ 100 ms', 100, 'ms', ({ p95Seconds }) => p95Seconds && p95Seconds.median * 1000),
  absolute('rest', '≤ 120 MB resident', 120, 'MB', ({ residentMegabytes }) => residentMegabytes?.median),
  absolute('rest', 'under 0.1 % of a CPU', 0.1, '%', ({ cpuPercent }) => cpuPercent?.median),
  {
    step: 'rest',
    demand: 'CPU ≤ Syncthing’s',
    judge(find) {
      const value = find('rest', 'cairn')?.cpuPercent?.median;
      const limit = find('rest', 'syncthing')?.cpuPercent?.median;
      return value === undefined || limit === undefined ? null : { value, limit, unit: '%' };
    },
  },
  timeOf('start', 0.5, 'syncthing'),
  absolute('start', '≤ 1.5 s', 1.5, 's', ({ seconds }) => seconds?.median),
];

/** What was reached of each target whose step was taken. */
export function judgeTargets(summaries: readonly Summary[]): Target[] {
  const find: Find = (step, peer) => summaries.find((each) => each.step === step && each.peer === peer);
  return RULES.flatMap(({ step, demand, judge }) => {
    const own = find(step, 'cairn');
    if (own === undefined) return [];
    const judged = judge(find, step);
    return {
      work: own.title,
      demand,
      reached: judged === null ? null : describe(judged),
      share: judged === null ? null : judged.value / judged.limit,
    };
  });
}

/** Whether the sizes are those that the targets are about. */
export function areSizesFull(options: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(FULL).every(([name, size]) => options[name] === size);
}

function timeOf(step: StepName, factor: number, peer: StepResult['peer']): Rule {
  const label = LABELS[peer] ?? peer;
  return {
    step,
    demand: factor < 0.1 ? `${1 / factor} × sooner than ${label}` : `≤ ${factor} × ${label}`,
    judge(find) {
      // Of the same runs: the median of ratios, not the ratio of medians.
      const ratio = find(step, peer)?.ratio?.median;
      return ratio === undefined ? null : { value: ratio, limit: factor, unit: '×' };
    },
  };
}

function wirePerHop(step: StepName, limitBytes: number): Rule {
  const allowed =
    limitBytes < MIB ? `${limitBytes / KIB} KiB` : `${Number((limitBytes / MIB).toFixed(1))} MiB`;
  return {
    step,
    demand: `≤ ${allowed} on the wire per hop`,
    judge(find) {
      const hop = find(step, 'cairn')?.hopMegabytes?.median;
      return hop === undefined ? null : { value: (hop * 1e6) / KIB, limit: limitBytes / KIB, unit: 'KiB' };
    },
  };
}

function leastWire(step: StepName): Rule {
  return {
    step,
    demand: 'less wire than every peer',
    judge(find) {
      const value = find(step, 'cairn')?.wireMegabytes?.median;
      const others = PEER_NAMES.filter((peer) => peer !== 'cairn')
        .map((peer) => find(step, peer)?.wireMegabytes?.median)
        .filter((each) => each !== undefined);
      if (value === undefined || others.length === 0) return null;
      return { value, limit: Math.min(...others), unit: 'MB' };
    },
  };
}

function absolute(
  step: StepName,
  demand: string,
  limit: number,
  unit: string,
  read: (summary: Summary) => number | null | undefined,
): Rule {
  return {
    step,
    demand,
    judge(find) {
      const own = find(step, 'cairn');
      const value = own === undefined ? undefined : read(own);
      return value === undefined || value === null ? null : { value, limit, unit };
    },
  };
}

function describe({ value, limit, unit }: { value: number; limit: number; unit: string }): string {
  const digits = limit >= 100 ? 0 : limit >= 10 ? 1 : unit === '×' ? 3 : 2;
  return unit === '×' ? `${value.toFixed(digits)} ×` : `${value.toFixed(digits)} ${unit}`;
}
