import type { WireReading } from '../world/network.ts';
import type { ProcessUsage } from '../world/process-usage.ts';

/** The three places of the way A → server → B. */
export const ROLES = ['server', 'a', 'b'] as const;
export type Role = (typeof ROLES)[number];
export type PerRole<Value> = Readonly<Record<Role, Value>>;

export const PEER_NAMES = ['cairn', 'rsync', 'rclone', 'unison', 'syncthing'] as const;
export type PeerName = (typeof PEER_NAMES)[number];

/** What costs nothing but the machine's own work. */
export const FLOOR_NAMES = ['cp', 'cp-twice', 'sha256', 'zstd'] as const;
export type FloorName = (typeof FLOOR_NAMES)[number];

/** Steps in the order in which they are taken and shown; those of one group build on each other. */
export const STEPS = {
  large: 'large',
  insert: 'large',
  overwrite: 'large',
  append: 'large',
  copy: 'large',
  small: 'small',
  rename: 'small',
  delete: 'small',
  text: 'text',
  latency: 'latency',
  rest: 'rest',
  start: 'rest',
  folder: 'folder',
} as const;
export type StepName = keyof typeof STEPS;
export type GroupName = (typeof STEPS)[StepName];
export const STEP_NAMES = Object.keys(STEPS) as StepName[];

/** One step of one peer (or floor) in one run. */
export interface StepResult {
  readonly peer: PeerName | FloorName;
  readonly step: StepName;
  /** The step with its sizes, in words. */
  readonly title: string;
  readonly run: number;
  /** Until B had it, in milliseconds; the median of {@link samplesMs} where there are some. `null`: not done. */
  readonly timeMs: number | null;
  /** Until everything said that it is at rest, in milliseconds. */
  readonly restMs: number | null;
  /** Bytes of the data that the step is about. */
  readonly dataBytes: number;
  /** Counted until all were at rest. */
  readonly wire: WireReading | null;
  /** During the step and until rest. */
  readonly cpuSeconds: PerRole<number> | null;
  /** Peak during the step and until rest; that of commands as seen several times a second. */
  readonly peakRssBytes: PerRole<number> | null;
  /** One time for each repetition within the step. */
  readonly samplesMs: readonly number[] | null;
  /** At rest: what A's program has in memory, and its share of one CPU. */
  readonly residentBytes: number | null;
  readonly cpuShare: number | null;
  /** What a floor wrote, where that is the point. */
  readonly outputBytes: number | null;
  readonly isEstimate: boolean;
  /** What must be known to read the figures, or why there are none. */
  readonly note: string | null;
  /** How A's and B's trees differed when both were at rest. */
  readonly differences: readonly string[];
}

/** A result that says nothing yet. */
export function emptyResult(
  parts: Pick<StepResult, 'peer' | 'step' | 'title' | 'run'> & Partial<StepResult>,
): StepResult {
  return {
    timeMs: null,
    restMs: null,
    dataBytes: 0,
    wire: null,
    cpuSeconds: null,
    peakRssBytes: null,
    samplesMs: null,
    residentBytes: null,
    cpuShare: null,
    outputBytes: null,
    isEstimate: false,
    note: null,
    differences: [],
    ...parts,
  };
}

export function mapRoles<Value>(read: (role: Role) => Value): PerRole<Value> {
  return { server: read('server'), a: read('a'), b: read('b') };
}

/** CPU time adds up; a peak is the highest. */
export function addUsage(left: ProcessUsage, right: ProcessUsage): ProcessUsage {
  return {
    cpuSeconds: left.cpuSeconds + right.cpuSeconds,
    peakRssBytes: Math.max(left.peakRssBytes, right.peakRssBytes),
  };
}

export const NO_USAGE: ProcessUsage = { cpuSeconds: 0, peakRssBytes: 0 };
