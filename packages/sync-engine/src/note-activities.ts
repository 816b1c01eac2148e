import type { TreeStore } from '@cairn/tree-store';
import type { Activity } from './activity.ts';
import type { SyncEngineOptions } from './engine-types.ts';
import type { Failure } from './failures.ts';
import type { LocalTree } from './local-tree.ts';
import { findPath } from './status.ts';

const MERGED = {
  'history-changed':
    'The server holds another history than before (restored or replaced). Both sides were merged; nothing was deleted.',
  'known-anew':
    'This folder and what this device knew about it are not of the same time (one of them was lost, or restored from a copy). They were compared anew with the server; nothing was deleted.',
} as const;

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

  /** Both sides were merged by union: the user is told why. */
  merged(cause: keyof typeof MERGED): void {
    this.done(cause);
    this.#trees.addNotice({ at: this.#clock.now(), kind: cause, path: '/', text: MERGED[cause] });
  }

  failed({ entryId, operation, code, message, lastAt, nextAttemptMs }: Failure): void {
    if (this.#tell === undefined) return;
    const path = findPath({ trees: this.#trees, local: this.#local }, entryId) ?? entryId;
    const nextAttemptAt = Math.round(lastAt + nextAttemptMs - this.#clock.monotonicMs());
    this.#tell({ at: lastAt, operation, path, result: 'failed', code, message, nextAttemptAt });
  }
}
