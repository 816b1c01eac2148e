import {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Activity } from '@cairn/sync-engine';
import { type SyncLink, stateFolder } from './links.ts';

/** One older file of this size is kept besides. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;
/** Lines wait this long for others, so that thousands of small files cost few writes. */
const GATHER_MS = 100;
const MAX_GATHERED = 1000;
const FOLLOW_MS = 200;

/** The log of what was done in a folder: JSON lines beside what the device knows about it. */
export function activityLogPath(home: string, link: SyncLink): string {
  return join(stateFolder(home, link), 'activity.log');
}

export interface ActivityLog {
  add(activity: Activity): void;
  /** Writes what waits. */
  close(): void;
}

/**
 * Appends to the log; at its bound the file is set aside, replacing the one before. What cannot be written (a full
 * disk) is dropped: the log must never hold up sync.
 */
export function openActivityLog(path: string, maxFileBytes = MAX_FILE_BYTES): ActivityLog {
  let waiting: string[] = [];
  let timer: NodeJS.Timeout | null = null;
  let bytes = existsSync(path) ? statSync(path).size : 0;

  function write(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (waiting.length === 0) return;
    const text = waiting.join('');
    waiting = [];
    try {
      if (bytes + text.length > maxFileBytes && bytes > 0) {
        renameSync(path, `${path}.1`);
        bytes = 0;
      }
      appendFileSync(path, text, { mode: 0o600 });
      bytes += Buffer.byteLength(text);
    } catch {
      // Told by the engine's own trouble; see the doc comment.
    }
  }

  return {
    add(activity) {
      waiting.push(`${JSON.stringify(activity)}\n`);
      if (waiting.length >= MAX_GATHERED) write();
      else timer ??= setTimeout(write, GATHER_MS).unref();
    },
    close: write,
  };
}

/**
 * The last activities, oldest first, about a path and what is below it (`''`: about everything).
 */
export function readActivities(path: string, inside: string, limit: number): Activity[] {
  const found: Activity[] = [];
  for (const file of [`${path}.1`, path]) {
    if (!existsSync(file)) continue;
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      const activity = parse(line);
      if (activity !== null && isAbout(activity, inside)) found.push(activity);
    }
    if (found.length > limit) found.splice(0, found.length - limit);
  }
  return limit === 0 ? [] : found.slice(-limit);
}

/** New activities from now on, until aborted. */
export async function* followActivities(
  path: string,
  inside: string,
  signal: AbortSignal,
): AsyncGenerator<Activity> {
  let position = existsSync(path) ? statSync(path).size : 0;
  let inode = existsSync(path) ? statSync(path).ino : null;
  let rest = '';
  while (!signal.aborted) {
    if (existsSync(path)) {
      const descriptor = openSync(path, 'r');
      try {
        const status = fstatSync(descriptor);
        if (status.ino !== inode) {
          inode = status.ino;
          position = 0;
          rest = '';
        }
        const buffer = Buffer.alloc(Math.max(0, status.size - position));
        const count = readSync(descriptor, buffer, 0, buffer.length, position);
        position += count;
        const lines = (rest + buffer.toString('utf8', 0, count)).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const activity = parse(line);
          if (activity !== null && isAbout(activity, inside)) yield activity;
        }
      } finally {
        closeSync(descriptor);
      }
    }
    // It throws when it is aborted, and nothing else; then the loop ends, too.
    await sleep(FOLLOW_MS, undefined, { signal }).catch(() => undefined);
  }
}

function isAbout(activity: Activity, inside: string): boolean {
  return inside === '' || activity.path === inside || activity.path.startsWith(`${inside}/`);
}

/** `null` for the half line of a process that was killed, and anything else that is not one of ours. */
function parse(line: string): Activity | null {
  if (line === '') return null;
  try {
    const value = JSON.parse(line) as Activity;
    return typeof value.at === 'number' && typeof value.path === 'string' ? value : null;
  } catch {
    return null;
  }
}
