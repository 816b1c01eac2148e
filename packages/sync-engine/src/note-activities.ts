import type { TreeStore } from '@cairn/tree-store';
import type { Activity } from './activity.ts';
import type { SyncEngineOptions } from './engine-types.ts';
import type { Failure } from './failures.ts';
import type { LocalTree } from './local-tree.ts';
import { findPath } from './status.ts';

/** Tells whoever keeps the log of a device what was done and what failed. */
export class ActivityNotes {
  readonly #tell: ((activity: Activity) => void) | undefined;
  readonly #clock: SyncEngineOptions['environment']['clock'];
  readonly #trees: TreeStore;
  readonly #local: LocalTree;

  constructor({ onActivity, environment, trees }: SyncEngineOptions, local: LocalTree) {
    this.#tell = onActivity;
    this.#clock = environment.clock;
    this.#trees = trees;
    this.#local = local;
  }

  done(operation: string, path = '', message?: string): void {
    const at = this.#clock.now();
    this.#tell?.({ at, operation, path, result: 'done', ...(message === undefined ? {} : { message }) });
  }

  failed({ entryId, operation, code, message, lastAt, nextAttemptMs }: Failure): void {
    if (this.#tell === undefined) return;
    const path = findPath({ trees: this.#trees, local: this.#local }, entryId) ?? entryId;
    const nextAttemptAt = Math.round(lastAt + nextAttemptMs - this.#clock.monotonicMs());
    this.#tell({ at: lastAt, operation, path, result: 'failed', code, message, nextAttemptAt });
  }
}
