import type { RunResult } from './run-result.ts';

export interface Shrunk<Script> {
  readonly script: Script;
  readonly result: RunResult;
  readonly runs: number;
}

/** A kind of world: how a history comes from a seed, how it is played, and what it should meet. */
export interface WorldKind<Script> {
  /** What to type for one of them. */
  readonly command: string;
  /** The program that plays histories of this kind when it is started as a child; see `serveAsChild`. */
  readonly program: URL;
  writeScript(seed: number): Script;
  run(script: Script, onLine?: ((line: string) => void) | null): Promise<RunResult>;
  /** A smaller script that fails of the same. */
  shrink(script: Script, failure: Error, budgetRuns: number): Promise<Shrunk<Script>>;
  /** What a script consists of, for people. */
  describe(script: Script): string;
  /** How a shrunk script compares with what it was, for people. */
  compare(shrunk: Script, whole: Script): string;
  readonly wantedStates: readonly string[];
}

// biome-ignore lint/suspicious/noExplicitAny: whoever only plays seeds does not care what scripts look like
export type AnyWorldKind = WorldKind<any>;
