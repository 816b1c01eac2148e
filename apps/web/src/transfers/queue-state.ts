import type {
  DroppedItem,
  EngineReport,
  JobReport,
  UploadFailure,
  UploadNote,
  UploadParent,
  UploadState,
} from './upload-types.ts';

/** One row of the upload tray. Never changed: a change makes a new one. */
export interface UploadItem {
  readonly id: number;
  readonly kind: 'file' | 'folder';
  readonly relativePath: string;
  readonly parent: UploadParent;
  readonly sizeBytes: number;
  /** Milliseconds since 1970; 0 for folders. */
  readonly lastModified: number;
  readonly state: UploadState;
  readonly doneBytes: number;
  readonly note: UploadNote | null;
  readonly failure: UploadFailure | null;
  readonly clash: JobReport['clash'] | null;
  readonly file: File | null;
  readonly handle: FileSystemFileHandle | null;
  readonly root: FileSystemHandle | null;
}

/** What the tray says about all uploads together. */
export interface QueueSummary {
  readonly counts: Readonly<Record<UploadState, number>>;
  readonly total: number;
  /** Of everything that is or was to be uploaded and was not taken back. */
  readonly totalBytes: number;
  readonly doneBytes: number;
}

const STATES: readonly UploadState[] = [
  'waiting',
  'hashing',
  'sending',
  'committing',
  'asking',
  'done',
  'skipped',
  'failed',
  'needs-file',
  'needs-permission',
];
/** Finished rows that are kept to be looked at; of more only the number is known. */
const MAX_FINISHED_ROWS = 1000;

/** States in which the worker has the item, or would. */
export function isActive(state: UploadState): boolean {
  return state === 'waiting' || state === 'hashing' || state === 'sending' || state === 'committing';
}

/** Nothing more happens to it. */
export function isOver(state: UploadState): boolean {
  return state === 'done' || state === 'skipped';
}

/**
 * The uploads of this page, their sums kept up to date with every change: looking at them costs the same for three
 * files and for a hundred thousand.
 */
export interface QueueState {
  readonly summary: QueueSummary;
  /** In the order of the tray. The array is a new one when items came or went. */
  readonly order: readonly number[];
  get(id: number): UploadItem | undefined;
  values(): Iterable<UploadItem>;
  add(items: readonly UploadItem[]): void;
  /** Applies what is known about an item of that id; others are ignored. Returns the item as it was. */
  change(id: number, change: Partial<UploadItem>): UploadItem | null;
  remove(ids: readonly number[]): void;
}

export function createQueueState(): QueueState {
  const items = new Map<number, UploadItem>();
  const counts = Object.fromEntries(STATES.map((state) => [state, 0])) as Record<UploadState, number>;
  let order: readonly number[] | null = [];
  const finished: number[] = [];
  let totalBytes = 0;
  let doneBytes = 0;
  let total = 0;

  function count(item: UploadItem, sign: 1 | -1): void {
    counts[item.state] += sign;
    total += sign;
    if (item.state === 'skipped') return;
    totalBytes += sign * item.sizeBytes;
    doneBytes += sign * doneOf(item);
  }

  function dropFinished(): void {
    while (finished.length > MAX_FINISHED_ROWS) {
      const id = finished.shift();
      if (id === undefined || !items.has(id)) continue;
      // Its numbers stay in the sums.
      items.delete(id);
      order = null;
    }
  }

  return {
    get summary() {
      return { counts: { ...counts }, total, totalBytes, doneBytes };
    },
    get order() {
      order ??= [...items.keys()];
      return order;
    },
    get: (id) => items.get(id),
    values: () => items.values(),
    add(added) {
      for (const item of added) {
        items.set(item.id, item);
        count(item, 1);
      }
      order = null;
    },
    change(id, change) {
      const before = items.get(id);
      if (before === undefined) return null;
      const after = { ...before, ...change };
      count(before, -1);
      items.set(id, after);
      count(after, 1);
      if (isOver(after.state) && !isOver(before.state)) {
        finished.push(id);
        dropFinished();
      }
      return before;
    },
    remove(ids) {
      for (const id of ids) {
        const item = items.get(id);
        if (item === undefined) continue;
        items.delete(id);
        count(item, -1);
      }
      order = null;
      if (items.size > 0) return;
      // Nothing is left to look at: the next uploads are counted from the start.
      for (const state of STATES) counts[state] = 0;
      total = 0;
      totalBytes = 0;
      doneBytes = 0;
      finished.length = 0;
    },
  };
}

function doneOf(item: UploadItem): number {
  return item.state === 'done' ? item.sizeBytes : Math.min(item.doneBytes, item.sizeBytes);
}

/** A new item, not begun. */
export function createItem(id: number, dropped: DroppedItem, parent: UploadParent): UploadItem {
  return {
    id,
    kind: dropped.kind,
    relativePath: dropped.relativePath,
    parent,
    sizeBytes: dropped.file?.size ?? 0,
    lastModified: dropped.file?.lastModified ?? 0,
    state: 'waiting',
    doneBytes: 0,
    note: null,
    failure: null,
    clash: null,
    file: dropped.file ?? null,
    handle: dropped.handle ?? null,
    root: dropped.root ?? null,
  };
}

/** What a report of the worker changes about an item. */
export function changeOf(report: JobReport): Partial<UploadItem> {
  return {
    state: report.state,
    doneBytes: report.doneBytes,
    note: report.note ?? null,
    failure: report.failure ?? null,
    clash: report.clash ?? null,
    // What is through needs its file no more; holding a hundred thousand of them costs memory.
    ...(report.state === 'done' || report.state === 'skipped'
      ? { file: null, handle: null, root: null }
      : {}),
  };
}

export const IDLE_ENGINE: EngineReport = { state: 'idle', sentBytes: 0, skippedBytes: 0 };
