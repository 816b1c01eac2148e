import type { SpaceClient, Upload } from '@cairn/client';
import {
  type Change,
  type ChangeConflict,
  type ChangeResult,
  type ChangesetId,
  createId,
  type EntryId,
  isCairnError,
} from '@cairn/model';

const MAX_CHANGES = 500;
/** Of JSON; a changeset may have 32 MiB. */
const MAX_MANIFEST_PARTS = 60_000;
const MAX_UNCOMMITTED_BYTES = 512 * 1024 * 1024;
/** So that what is uploaded appears soon, and is not all repeated when the tab is closed. */
const COMMIT_AFTER_MS = 1_500;

/** What concerns the whole upload and not one change: it is tried again, or ends. */
const FOR_ALL = [
  'server-unreachable',
  'unavailable',
  'internal',
  'limit-reached',
  'not-signed-in',
  'session-revoked',
  'token-expired',
  'cancelled',
  'not-a-cairn-server',
] as const;

/** A change, and who hears what came of it. Each is called once at most; none when the whole upload failed. */
export interface QueuedChange {
  readonly change: Change;
  readonly sizeBytes: number;
  /** Taken back: it is left out if it is not on its way. */
  isCancelled(): boolean;
  onCommitted(result: ChangeResult): void;
  onRefused(conflict: ChangeConflict): void;
  onFailed(error: unknown): void;
}

/** Collects changes and commits them, many at a time, once their contents are durable on the server. */
export interface ChangeQueue {
  /** Waits while too much is not committed. */
  add(queued: QueuedChange): Promise<void>;
  /** As `add`, without waiting: for folders. */
  put(queued: QueuedChange): void;
  /** Commits the rest. Throws what concerns the whole upload. */
  finish(): Promise<void>;
}

export interface ChangeQueueOptions {
  readonly space: Pick<SpaceClient, 'commit'>;
  readonly upload: Upload;
  readonly signal: AbortSignal;
  createRandomBytes(count: number): Uint8Array;
  schedule(durationMs: number, callback: () => void): () => void;
  /** The whole upload failed, while nobody waited for this queue. */
  onFailure(error: unknown): void;
}

export function createChangeQueue(options: ChangeQueueOptions): ChangeQueue {
  const { space, upload, signal } = options;
  let queue: QueuedChange[] = [];
  let parts = 0;
  let bytes = 0;
  let last: Promise<void> = Promise.resolve();
  let unschedule: (() => void) | null = null;

  async function commit(changes: readonly QueuedChange[]): Promise<void> {
    let left = changes.filter((queued) => !queued.isCancelled());
    while (left.length > 0) {
      try {
        const changesetId = createId<ChangesetId>(options.createRandomBytes(16));
        const answer = await space.commit({ changesetId, changes: left.map(({ change }) => change) }, signal);
        for (const [index, queued] of left.entries()) {
          const result = answer.results[index];
          if (result !== undefined) queued.onCommitted(result);
        }
        return;
      } catch (error) {
        if (isCairnError(error, 'conflict')) {
          const conflicts = error.details['conflicts'] as readonly ChangeConflict[];
          if (conflicts.length === 0) throw error;
          left = withoutRefused(left, conflicts);
          continue;
        }
        if (!isCairnError(error) || isCairnError(error, ...FOR_ALL)) throw error;
        // Such as a full quota: what still fits is let through, the change that does not is told.
        if (left.length === 1) {
          left[0]?.onFailed(error);
          return;
        }
        const half = left.length >> 1;
        await commit(left.slice(0, half));
        await commit(left.slice(half));
        return;
      }
    }
  }

  function withoutRefused(
    changes: readonly QueuedChange[],
    conflicts: readonly ChangeConflict[],
  ): QueuedChange[] {
    const byIndex = new Map(conflicts.map((conflict) => [conflict.index, conflict]));
    const refused = new Map<EntryId, ChangeConflict>();
    return changes.filter((queued, index) => {
      const { change } = queued;
      const above = change.kind === 'create' ? refused.get(change.parentId) : undefined;
      const conflict =
        byIndex.get(index) ?? (above && { ...above, reason: 'parent-missing' as const, current: null });
      if (conflict === undefined) return true;
      refused.set(change.entryId, conflict);
      queued.onRefused(conflict);
      return false;
    });
  }

  async function flush(): Promise<void> {
    unschedule?.();
    unschedule = null;
    const changes = queue;
    queue = [];
    parts = 0;
    bytes = 0;
    // One after the other: a later changeset may put things into folders that an earlier one makes.
    const turn = last.then(async () => {
      if (changes.length === 0) return;
      await upload.flush();
      await commit(changes);
    });
    last = turn.catch(() => undefined);
    await turn;
  }

  function put(queued: QueuedChange): void {
    queue.push(queued);
    bytes += queued.sizeBytes;
    parts += countParts(queued.change);
    unschedule ??= options.schedule(COMMIT_AFTER_MS, () => {
      flush().catch(options.onFailure);
    });
  }

  return {
    put,
    async add(queued) {
      put(queued);
      if (queue.length >= MAX_CHANGES || parts >= MAX_MANIFEST_PARTS || bytes >= MAX_UNCOMMITTED_BYTES)
        await flush();
    },
    finish: flush,
  };
}

function countParts(change: Change): number {
  if (change.kind === 'update') return change.content?.manifest.parts.length ?? 0;
  if (change.kind === 'create' && change.entry.kind === 'file')
    return change.entry.content.manifest.parts.length;
  return 0;
}
