import type { SpaceClient, Upload } from '@cairn/client';
import {
  type Change,
  type ChangeConflict,
  type ChangesetId,
  createId,
  type EntryId,
  isCairnError,
} from '@cairn/model';

const MAX_CHANGES = 1000;
/** Of JSON; a changeset may have 32 MiB. */
const MAX_MANIFEST_PARTS = 60_000;
/** A killed upload repeats at most the commit of this many bytes, and none of their transfer. */
const MAX_UNCOMMITTED_BYTES = 512 * 1024 * 1024;

export interface QueuedChange {
  readonly change: Change;
  /** For messages. */
  readonly path: string;
  readonly sizeBytes: number;
}

/** Collects changes and commits them, many at a time, once their contents are durable on the server. */
export interface ChangeQueue {
  add(queued: QueuedChange): Promise<void>;
  /** Commits the rest. */
  finish(): Promise<void>;
}

export interface ChangeQueueOptions {
  readonly space: SpaceClient;
  readonly upload: Upload;
  readonly signal: AbortSignal;
  createRandomBytes(count: number): Uint8Array;
  onCommitted(changes: readonly QueuedChange[]): void;
  onRefused(change: QueuedChange, conflict: ChangeConflict): void;
}

export function createChangeQueue(options: ChangeQueueOptions): ChangeQueue {
  let queue: QueuedChange[] = [];
  let parts = 0;
  let bytes = 0;
  let last: Promise<void> = Promise.resolve();

  async function commit(changes: readonly QueuedChange[]): Promise<void> {
    let left = changes;
    while (left.length > 0) {
      const changesetId = createId<ChangesetId>(options.createRandomBytes(16));
      try {
        await options.space.commit(
          { changesetId, changes: left.map(({ change }) => change) },
          options.signal,
        );
        options.onCommitted(left);
        return;
      } catch (error) {
        if (!isCairnError(error, 'conflict')) throw error;
        const conflicts = error.details['conflicts'] as readonly ChangeConflict[];
        if (conflicts.length === 0) throw error;
        left = withoutRefused(left, conflicts);
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
      const parent = change.kind === 'create' ? refused.get(change.parentId) : undefined;
      const conflict = byIndex.get(index) ?? parent;
      if (conflict === undefined) return true;
      refused.set(change.entryId, conflict);
      options.onRefused(queued, conflict);
      return false;
    });
  }

  async function flush(): Promise<void> {
    const changes = queue;
    queue = [];
    parts = 0;
    bytes = 0;
    // One after the other: a later changeset may put things into folders that an earlier one makes.
    const turn = last.then(async () => {
      await options.upload.flush();
      await commit(changes);
    });
    last = turn.catch(() => undefined);
    await turn;
  }

  return {
    async add(queued) {
      queue.push(queued);
      bytes += queued.sizeBytes;
      const { change } = queued;
      const content =
        change.kind === 'update'
          ? change.content
          : change.kind === 'create' && change.entry.kind === 'file'
            ? change.entry.content
            : undefined;
      parts += content?.manifest.parts.length ?? 0;
      if (queue.length >= MAX_CHANGES || parts >= MAX_MANIFEST_PARTS || bytes >= MAX_UNCOMMITTED_BYTES)
        await flush();
    },
    finish: flush,
  };
}
