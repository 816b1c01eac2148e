import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { FileAction } from './faulty-files.ts';

/**
 * What a power cut leaves of a store's segments when the disk keeps nothing that was not flushed: contents up to the
 * last flush of their file, names as they were at the last flush of their folder. The index counts as durable, since
 * SQLite flushes each transaction. For file operations that come one after the other.
 */
export interface PowerCut {
  /** To be told of each action on the segments before it happens. */
  onAction(action: FileAction, path: string): void;
  /** Makes the folder that a cut at this instant leaves. */
  copyTo(copy: string): void;
}

/** @param folder of a store all of which is durable */
export function createPowerCut(folder: string): PowerCut {
  const segments = join(folder, 'segments');
  const flushedBytes = new Map<string, number>();
  let durableNames = new Set(readdirSync(segments));
  const removed = new Map<string, Buffer>();
  for (const name of durableNames) flushedBytes.set(name, statSync(join(segments, name)).size);
  /** What the action before did, once it is known to have ended. */
  let completePrevious = () => {};

  return {
    onAction(action, path) {
      completePrevious();
      completePrevious = () => {};
      const name = path.slice(segments.length + 1);
      if (action === 'create') flushedBytes.set(name, 0);
      if (action === 'remove') removed.set(name, readFileSync(path).subarray(0, flushedBytes.get(name) ?? 0));
      if (action === 'datasync') completePrevious = () => void flushedBytes.set(name, statSync(path).size);
      if (action === 'sync-directory') {
        completePrevious = () => {
          durableNames = new Set(readdirSync(segments));
          removed.clear();
        };
      }
    },
    copyTo(copy) {
      cpSync(folder, copy, { recursive: true });
      for (const name of readdirSync(join(copy, 'segments'))) {
        const path = join(copy, 'segments', name);
        if (durableNames.has(name)) truncateSync(path, flushedBytes.get(name) ?? 0);
        else rmSync(path);
      }
      for (const [name, bytes] of removed) {
        const path = join(copy, 'segments', name);
        if (durableNames.has(name) && !existsSync(path)) writeFileSync(path, bytes);
      }
    },
  };
}
