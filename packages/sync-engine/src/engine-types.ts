import type { ContentPlatform } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import type { Filesystem } from '@cairn/filesystem';
import type { PlanOptions } from '@cairn/planner';
import type { TreeStore } from '@cairn/tree-store';
import type { Activity } from './activity.ts';
import type { AheadLimits } from './execute/receive-ahead.ts';
import type { Explanation } from './explain-path.ts';
import type { SpaceConnection } from './ports.ts';
import type { SelectionMark, SelectionRequest } from './selection.ts';
import type { SyncStatus } from './status.ts';

export interface SyncEngineOptions {
  readonly filesystem: Filesystem;
  readonly space: SpaceConnection;
  readonly trees: TreeStore;
  readonly platform: ContentPlatform;
  readonly environment: Environment;
  /** Shown in the names of conflict copies. */
  readonly deviceName: string;
  readonly brake?: PlanOptions['brake'];
  readonly fullScanMs?: number;
  /** Files from this size on travel beside the loop, and other devices receive them ahead; 32 MiB unless told. */
  readonly largeBytes?: number;
  /** What is received before it is committed, at most. */
  readonly ahead?: Partial<AheadLimits>;
  /** Called for everything that was done or tried, in order; must not throw. */
  readonly onActivity?: (activity: Activity) => void;
}

/** Keeps one folder equal to one space. */
export interface SyncEngine {
  /**
   * Runs until aborted. Rejects for what only the user can mend: `root-missing`, `root-foreign`,
   * `session-revoked`, `not-signed-in`.
   */
  run(signal: AbortSignal): Promise<void>;
  status(): SyncStatus;
  /** Everything known about one path, in words. */
  explain(path: string): Explanation;
  pause(): void;
  resume(): void;
  /** Lets the deletes that are held go ahead, once. */
  confirmDeletes(): void;
  /** Takes the deletes that are held back: what is gone on one side is brought back from the other. */
  rejectDeletes(): void;
  /** What this device holds of the space; empty for everything. */
  selection(): SelectionMark[];
  /**
   * Changes what this device holds. Resolves once the choice is durable; then what is not selected any more goes
   * from this disk as soon as the server certainly has it, and what is selected again comes. Nothing is deleted on
   * the server. @throws CairnError `bad-path`, `limit-reached`
   */
  select(request: SelectionRequest): Promise<void>;
  /** Scan everything and ask the server, now. */
  refresh(): void;
  /**
   * Lets go of memory that is kept to be fast at the next work and can be made anew: for an engine that rests. Nothing in use is
   * taken, so it may come at any time.
   */
  giveMemoryBack(): void;
  /** Called after every change of state. */
  onChange(listener: () => void): () => void;
}
