import { CairnError, isCairnError } from '@cairn/model';

export interface AppendQueueOptions<Item> {
  /** Bytes that may wait; more have to wait outside. */
  readonly maxQueuedBytes: number;
  /** Bytes that one group takes at most, apart from a single larger batch. */
  readonly maxGroupBytes: number;
  /** Makes a group durable, or rejects with nothing of it kept. Called by one at a time. */
  readonly commit: (items: readonly Item[]) => Promise<void>;
  /** Told once, when the store can take no more writes. */
  readonly onPoisoned: (error: unknown) => void;
}

interface Batch<Item> {
  readonly items: readonly Item[];
  readonly sizeBytes: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Waiting {
  readonly sizeBytes: number;
  readonly enter: () => void;
}

/** Collects what waits into groups, so that many small writes share one flush. */
export interface AppendQueue<Item> {
  /** Resolves when the items are durable. `sizeBytes` is what they count against the queue's bound. */
  append(items: readonly Item[], sizeBytes: number): Promise<void>;
  /** Takes no more writes, as after a commit that failed. */
  stop(error: unknown): void;
  /** Why no write is taken any more, or `null`. */
  poison(): unknown;
  /** Resolves when nothing is queued. */
  drain(): Promise<void>;
}

export function createAppendQueue<Item>(options: AppendQueueOptions<Item>): AppendQueue<Item> {
  const batches: Batch<Item>[] = [];
  const waiting: Waiting[] = [];
  let queuedBytes = 0;
  let running: Promise<void> | null = null;
  let poison: { readonly error: unknown } | null = null;

  function unavailable(cause: unknown): CairnError {
    return new CairnError(
      'unavailable',
      'the block store stopped taking writes after a disk error; check the disk, then restart the server',
      { cause },
    );
  }

  function stop(error: unknown): void {
    if (poison !== null) return;
    poison = { error };
    options.onPoisoned(error);
  }

  function admit(): void {
    for (;;) {
      const next = waiting[0];
      if (next === undefined) return;
      if (queuedBytes > 0 && queuedBytes + next.sizeBytes > options.maxQueuedBytes) return;
      waiting.shift();
      queuedBytes += next.sizeBytes;
      next.enter();
    }
  }

  function takeGroup(): Batch<Item>[] {
    const group: Batch<Item>[] = [];
    let sizeBytes = 0;
    for (let next = batches[0]; next !== undefined; next = batches[0]) {
      if (group.length > 0 && sizeBytes + next.sizeBytes > options.maxGroupBytes) break;
      sizeBytes += next.sizeBytes;
      group.push(next);
      batches.shift();
    }
    return group;
  }

  async function commitGroup(group: readonly Batch<Item>[]): Promise<void> {
    try {
      if (poison !== null) throw unavailable(poison.error);
      await options.commit(group.flatMap((batch) => batch.items));
      for (const batch of group) batch.resolve();
    } catch (error) {
      const isFull = isCairnError(error, 'storage-full');
      if (isFull && group.length > 1) {
        // A delete must not fail because it shared a group with more than the disk can take.
        for (const batch of group) await commitGroup([batch]);
        return;
      }
      // Everything but a full disk leaves it open what the disk holds, so it is the end of writing.
      if (!isFull) stop(error);
      for (const batch of group) batch.reject(isFull || poison === null ? error : unavailable(poison.error));
    }
  }

  async function run(): Promise<void> {
    // Let everybody who is ready in this turn join the first group.
    await Promise.resolve();
    while (batches.length > 0) {
      const group = takeGroup();
      await commitGroup(group);
      for (const batch of group) queuedBytes -= batch.sizeBytes;
      admit();
    }
    running = null;
  }

  return {
    append(items, sizeBytes) {
      return new Promise<void>((resolve, reject) => {
        const enter = () => {
          batches.push({ items, sizeBytes, resolve, reject });
          running ??= run();
        };
        waiting.push({ sizeBytes, enter });
        admit();
      });
    },
    stop,
    poison: () => (poison === null ? null : unavailable(poison.error)),
    async drain() {
      while (running !== null) await running;
    },
  };
}
