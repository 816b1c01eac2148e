/**
 * One thing that the engine did, or tried, or learnt: a line of `cairn sync log`. Kept by whoever listens; the
 * engine itself never reads it.
 */
export interface Activity {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Kind of the operation (as in plans), or of an event of the engine such as `offline`. */
  readonly operation: string;
  /** Relative to the synced folder; `''` for the folder itself or things that are about no path. */
  readonly path: string;
  readonly result: 'done' | 'failed';
  /** Stable code of the error. */
  readonly code?: string;
  readonly message?: string;
  /** When a failed operation is tried again, milliseconds since 1970. */
  readonly nextAttemptAt?: number;
}
