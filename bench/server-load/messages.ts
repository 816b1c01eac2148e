/** What the measuring process and the processes that make the load say to each other. */

export interface DevicePlan {
  readonly name: string;
  readonly username: string;
  /** A committer saves small files and commits each; a follower reads the journal after every hint. */
  readonly role: 'committer' | 'follower';
}

export interface LoadPlan {
  readonly kind: 'plan';
  readonly serverUrl: string;
  readonly password: string;
  readonly devices: readonly DevicePlan[];
  readonly contentBytes: number;
  /** Pause of a committer after each commit. */
  readonly pauseMs: number;
}

/** `stop` ends the commits of all processes before `finish` lets the followers catch up with all of them. */
export type LoadRequest = LoadPlan | { readonly kind: 'begin' | 'stop' | 'finish' };

/** Instants are milliseconds since 1970 with fractions: the processes are on one machine and have one clock. */
export interface SpaceNotes {
  /** Sequences that are a multiple of {@link SAMPLED_SEQUENCES}, with the instants their commits were asked and answered at. */
  readonly commits: readonly (readonly [sequence: number, askedAt: number, answeredAt: number])[];
  /** The same sequences, with the instants when a device was told that the space had come so far. */
  readonly hints: readonly (readonly [sequence: number, heardAt: number])[];
  readonly lastSequence: number;
}

export interface LoadResult {
  readonly kind: 'result';
  readonly commitMs: readonly number[];
  readonly uploadMs: readonly number[];
  readonly spaces: Readonly<Record<string, SpaceNotes>>;
  readonly hints: number;
  /** Where each follower ended. */
  readonly followerEnds: readonly (readonly [spaceId: string, sequence: number])[];
  readonly followedChanges: number;
  readonly errors: readonly string[];
  readonly cpuSeconds: number;
}

export type LoadAnswer =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly message: string }
  | LoadResult;

export const SAMPLED_SEQUENCES = 8;
