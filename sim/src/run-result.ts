/** What came of one history. */
export interface RunResult {
  readonly seed: number;
  readonly hash: string;
  readonly steps: number;
  /** Things that programs did: requests, calls of disks, lines of logs. */
  readonly events: number;
  readonly states: ReadonlyMap<string, number>;
  readonly failure: Error | null;
  readonly lines: readonly string[];
}
