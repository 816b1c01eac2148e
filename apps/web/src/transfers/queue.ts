import type { EntryId, SpaceId, UserId } from '@cairn/model';
import { meResponseSchema } from '@cairn/protocol';
import { ask } from '../api/request.ts';
import { onSignedOut, sessionStore } from '../api/session.ts';
import { adoptPlans, forgetAllPlans, forgetPlans, holdPlans, keepPlans } from './plan-store.ts';
import {
  changeOf,
  createItem,
  createQueueState,
  IDLE_ENGINE,
  isActive,
  isOver,
  type QueueState,
  type QueueSummary,
  type UploadItem,
} from './queue-state.ts';
import { matchFiles, planKey, planOf, stateAfterReload } from './resume-plan.ts';
import { createSpeedMeter, timeLeft } from './speed-meter.ts';
import type {
  ClashPolicy,
  DroppedItem,
  EngineReport,
  FromWorker,
  ToWorker,
  UploadFailure,
  UploadJob,
  UploadParent,
} from './upload-types.ts';

export type { DroppedItem, UploadParent } from './upload-types.ts';

/** The queue as the tray draws it; a new object with every change, some ten times a second at most. */
export interface UploadsView {
  readonly summary: QueueSummary;
  readonly engine: EngineReport;
  readonly order: readonly number[];
  /** Bytes a second; null while nothing moves or it is too early to say. */
  readonly speed: number | null;
  readonly leftMs: number | null;
}

interface Owner {
  readonly userId: UserId;
  readonly spaceId: SpaceId;
  readonly rootId: EntryId;
  readonly deviceName: string;
}

const tabId = crypto.randomUUID();
const meter = createSpeedMeter();
const listeners = new Set<() => void>();
let state: QueueState = createQueueState();
let engine: EngineReport = IDLE_ENGINE;
let worker: Worker | null = null;
let nextId = 1;
let resumedFor: UserId | null = null;
let view: UploadsView = describe();

function describe(): UploadsView {
  const { summary, order } = state;
  const isMoving = engine.state === 'running';
  const speed = isMoving ? meter.speed : null;
  return { summary, engine, order, speed, leftMs: timeLeft(summary.totalBytes - summary.doneBytes, speed) };
}

function publish(): void {
  view = describe();
  for (const listener of listeners) listener();
}

/** For `useSyncExternalStore`. */
export const uploadsStore = {
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  read: (): UploadsView => view,
};

/** One row of `UploadsView.order`. */
export function readUpload(id: number): UploadItem | undefined {
  return state.get(id);
}

function owner(): Owner | null {
  const session = sessionStore.read();
  if (session.status !== 'signed-in') return null;
  const { user, device, spaces } = session.me;
  const [personal] = spaces;
  if (personal === undefined) return null;
  const { spaceId, rootId } = personal;
  return { userId: user.userId, spaceId, rootId, deviceName: device.name };
}

function tell(message: ToWorker): void {
  worker ??= startWorker();
  worker.postMessage(message);
}

function startWorker(): Worker {
  const started = new Worker(new URL('./worker/upload-worker.ts', import.meta.url), {
    type: 'module',
    name: 'uploads',
  });
  const account = owner();
  if (account === null) throw new Error('nobody is signed in');
  const { spaceId, rootId, deviceName } = account;
  const start: ToWorker = { type: 'start', spaceId, rootId, deviceName };
  started.postMessage(start);
  started.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
    if (worker !== started) return;
    onReport(data);
  });
  // It could not be loaded, or a fault ended it: what was in the works can be tried again.
  started.addEventListener('error', () => onWorkerLost(started));
  return started;
}

/** The page finds out for itself whether the session has ended, and shows the sign-in then. */
async function checkSession(): Promise<void> {
  try {
    await ask('/me', meResponseSchema);
    tell({ type: 'resume' });
  } catch {
    // It has ended, and everything here was forgotten; or the server cannot be reached, and the tray offers to try.
  }
}

function onWorkerLost(lost: Worker): void {
  if (worker !== lost) return;
  lost.terminate();
  worker = null;
  engine = IDLE_ENGINE;
  const failure: UploadFailure = { code: 'internal', message: 'the upload stopped; try again' };
  for (const item of [...state.values()]) {
    if (isActive(item.state) || item.state === 'asking') state.change(item.id, { state: 'failed', failure });
  }
  publish();
}

function onReport(report: FromWorker): void {
  const over: string[] = [];
  for (const job of report.jobs) {
    const before = state.change(job.id, changeOf(job));
    if (before !== null && isOver(job.state)) over.push(planKey(tabId, job.id));
  }
  const wasSignedOut = engine.state === 'signed-out';
  engine = report.engine;
  if (engine.state === 'signed-out' && !wasSignedOut) void checkSession();
  if (engine.state === 'running') meter.note(state.summary.doneBytes, performance.now());
  else meter.reset();
  if (over.length > 0) void forgetPlans(over);
  publish();
}

function jobOf(item: UploadItem, policy: ClashPolicy): UploadJob {
  const { id, kind, relativePath, parent, file, handle } = item;
  return {
    id,
    kind,
    relativePath,
    parent,
    policy,
    ...(file === null ? {} : { file }),
    ...(handle === null ? {} : { handle }),
  };
}

function send(items: readonly UploadItem[], policy: ClashPolicy = 'ask'): void {
  if (items.length > 0) tell({ type: 'add', jobs: items.map((item) => jobOf(item, policy)) });
}

/**
 * Uploads what was dropped, chosen or pasted into a folder. Files that an upload from before a reload waits for go on
 * from where it was.
 */
export function addFiles(files: readonly DroppedItem[], parent: UploadParent): void {
  const account = owner();
  if (account === null || files.length === 0) return;
  const { others } = giveFiles(files, parent.entryId);
  const added = others.map((dropped) => createItem(nextId++, dropped, parent));
  state.add(added);
  void keepPlans(added.map((item) => planOf(item, tabId, account.userId)));
  send(added);
  publish();
}

/** Uploads that wait for these very files go on. @param parentId only those into this folder */
function giveFiles(files: readonly DroppedItem[], parentId: EntryId | null) {
  const waiting = [...state.values()].filter(
    (item) =>
      (item.state === 'needs-file' || item.state === 'needs-permission') &&
      (parentId === null || item.parent.entryId === parentId),
  );
  const matched = matchFiles(waiting, files);
  const account = owner();
  const found = [...matched.found].flatMap(([id, { file, handle, root }]) => {
    state.change(id, {
      state: 'waiting',
      file: file ?? null,
      handle: handle ?? null,
      root: root ?? null,
      failure: null,
    });
    return state.get(id) ?? [];
  });
  if (account !== null) void keepPlans(found.map((item) => planOf(item, tabId, account.userId)));
  send(found);
  return matched;
}

/**
 * Files that were chosen again for uploads from before a reload.
 * @returns how many of them go on, and the names of those that are not the same any more
 */
export function continueWith(files: readonly DroppedItem[]): {
  readonly found: number;
  readonly changed: readonly string[];
} {
  const { found, changed } = giveFiles(files, null);
  publish();
  return { found: found.size, changed: [...changed.values()].map(({ relativePath }) => relativePath) };
}

/** Asks the browser for the files of uploads from before a reload. Only from a click. */
export async function continueWithPermission(): Promise<void> {
  const waiting = [...state.values()].filter((item) => item.state === 'needs-permission');
  const asked = new Map<FileSystemHandle, PermissionState>();
  for (const { handle, root } of waiting) {
    const whole = root ?? handle;
    if (whole === null || asked.has(whole)) continue;
    // A folder's permission is that of everything in it, so one question is enough.
    const same = await findSame(asked, whole);
    asked.set(whole, same ?? (await requestPermission(whole)));
  }
  const granted = waiting.filter(
    ({ handle, root }) => asked.get((root ?? handle) as FileSystemHandle) === 'granted',
  );
  for (const { id } of granted) state.change(id, { state: 'waiting', failure: null });
  for (const item of waiting) if (!granted.includes(item)) state.change(item.id, { state: 'needs-file' });
  send(granted.flatMap(({ id }) => state.get(id) ?? []));
  publish();
}

async function findSame(
  asked: ReadonlyMap<FileSystemHandle, PermissionState>,
  handle: FileSystemHandle,
): Promise<PermissionState | null> {
  for (const [other, permission] of asked) {
    if (await handle.isSameEntry(other)) return permission;
  }
  return null;
}

interface PermittedHandle extends FileSystemHandle {
  queryPermission?(options: { readonly mode: 'read' }): Promise<PermissionState>;
  requestPermission?(options: { readonly mode: 'read' }): Promise<PermissionState>;
}

async function requestPermission(handle: PermittedHandle): Promise<PermissionState> {
  try {
    return (await handle.requestPermission?.({ mode: 'read' })) ?? 'denied';
  } catch {
    return 'denied';
  }
}

async function queryPermission(handle: PermittedHandle | null): Promise<PermissionState | null> {
  try {
    return (await handle?.queryPermission?.({ mode: 'read' })) ?? null;
  } catch {
    return null;
  }
}

/** Takes up what was not through when the page was closed. Once for each person who signs in. */
export async function resumeUploads(): Promise<void> {
  const account = owner();
  if (account === null || resumedFor === account.userId) return;
  resumedFor = account.userId;
  holdPlans(tabId);
  const adopted = await adoptPlans(tabId, account.userId, () => nextId++);
  if (adopted.length === 0 || owner()?.userId !== account.userId) return;
  const items = await Promise.all(
    adopted.map(async ({ id, plan }): Promise<UploadItem> => {
      const { kind, relativePath, parent, sizeBytes, lastModified, handle, root } = plan;
      const item = createItem(id, { kind, relativePath }, parent);
      const next = stateAfterReload(plan, await queryPermission(handle));
      return { ...item, sizeBytes, lastModified, handle, root, state: next };
    }),
  );
  state.add(items);
  send(items.filter((item) => item.state === 'waiting'));
  publish();
}

/** Takes uploads back; what is on the server already stays there. */
export function cancelUploads(ids: readonly number[]): void {
  tell({ type: 'cancel', ids });
  void forgetPlans(ids.map((id) => planKey(tabId, id)));
  state.remove(ids);
  meter.reset();
  publish();
}

export function cancelAllUploads(): void {
  cancelUploads([...state.values()].filter((item) => !isOver(item.state)).map(({ id }) => id));
}

/** Leaves out of the tray what is through. */
export function clearFinished(): void {
  const finished = [...state.values()].filter((item) => isOver(item.state)).map(({ id }) => id);
  const hasMore = [...state.values()].length > finished.length;
  state.remove(finished);
  // Rows that were not kept have their numbers left.
  if (!hasMore) state = createQueueState();
  publish();
}

export function retryUploads(ids: readonly number[]): void {
  const items = ids.flatMap((id) => {
    const item = state.get(id);
    if (item === undefined || item.state !== 'failed') return [];
    state.change(id, { state: 'waiting', failure: null, doneBytes: 0 });
    return state.get(id) ?? [];
  });
  send(items);
  publish();
}

/** Every failed upload once more. */
export function retryAllUploads(): void {
  retryUploads([...state.values()].filter((item) => item.state === 'failed').map(({ id }) => id));
}

/** What to do about uploads whose name is taken. */
export function answerClash(ids: readonly number[], policy: Exclude<ClashPolicy, 'ask'>): void {
  for (const id of ids) state.change(id, { state: policy === 'skip' ? 'skipped' : 'waiting', clash: null });
  if (policy === 'skip') void forgetPlans(ids.map((id) => planKey(tabId, id)));
  tell({ type: 'answer', ids, policy });
  publish();
}

/** Uploads that ask what to do about a name, in their order. */
export function listClashes(): readonly UploadItem[] {
  return [...state.values()].filter((item) => item.state === 'asking');
}

export function pauseUploads(): void {
  tell({ type: 'pause' });
}

export function resumePausedUploads(): void {
  tell({ type: 'resume' });
}

/** Does not wait any longer for the network. */
export function tryAgainNow(): void {
  tell({ type: 'kick' });
}

/** Whether closing the page now would stop something. */
export function hasUnfinishedUploads(): boolean {
  const { counts } = state.summary;
  return counts.waiting + counts.hashing + counts.sending + counts.committing + counts.asking > 0;
}

/** Stops everything and forgets it: the person has signed out. */
function forgetEverything(): void {
  worker?.terminate();
  worker = null;
  state = createQueueState();
  engine = IDLE_ENGINE;
  resumedFor = null;
  meter.reset();
  void forgetAllPlans();
  publish();
}

onSignedOut(forgetEverything);
window.addEventListener('online', () => {
  if (worker !== null && engine.state === 'unreachable') tryAgainNow();
});
window.addEventListener('beforeunload', (event) => {
  if (hasUnfinishedUploads()) event.preventDefault();
});
