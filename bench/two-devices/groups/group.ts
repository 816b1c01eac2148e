import type { Change, StepPlan } from '../measure-step.ts';
import type { GroupName, StepName, StepResult } from '../measurement.ts';
import type { BenchOptions } from '../options.ts';
import type { Peer } from '../peers/peer.ts';

/** Steps that build on each other, in one world. */
export interface Group {
  readonly name: GroupName;
  /** How many files there are; many want a new filesystem. */
  countFiles(options: BenchOptions): number;
  describe(step: StepName, options: BenchOptions): string;
  /**
   * Writes what is moved in, always the same.
   * @param folder not there yet
   * @param mostFiles no more than this
   */
  write(folder: string, options: BenchOptions, mostFiles: number): void;
  /** The step whose floors are those of copying what was written; `null`: none. */
  readonly floorStep: StepName | null;
  run(session: Session): Promise<void>;
}

/** One peer in one run of one group. */
export interface Session {
  readonly peer: Peer;
  readonly options: BenchOptions;
  /** Folder on the filesystem of the peer's folders. */
  readonly stage: string;
  /** In it: what the group wrote. */
  readonly source: string;
  /** How many times more than what was written there is to do. */
  readonly scale: number;
  /** Whether the step is asked for, and the peer can do it. */
  wants(step: StepName): boolean;
  plan(step: StepName): StepPlan;
  /** Makes the change even where the step is not wanted: later ones build on it. */
  measure(step: StepName, change: Change): Promise<void>;
  report(result: StepResult): void;
}
