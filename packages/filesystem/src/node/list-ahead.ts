import { Worker } from 'node:worker_threads';
import type { ListedFolder, ListingAhead } from '../filesystem.ts';
import { type PackedFolder, unpackFolder } from '../listed-folder.ts';
import { type ListAheadJob, openGate } from './list-ahead-gate.ts';

/** Items that are listed ahead at most: each takes some 130 bytes until it is taken. */
export const MAX_ITEMS_AHEAD = 250_000;

/**
 * Not the module itself: that one would be stripped of its types at every start, before it could say where what was
 * stripped is kept.
 */
const PROGRAM = `
require('node:module').enableCompileCache?.();
import(require('node:worker_threads').workerData.module);
`;

/**
 * Lists all folders in a thread that gets ready at once, begins when it is told to, and ends when it is done. Where there is
 * no thread to be had, or it fails, what it did not list is not there: never an error.
 * @param now milliseconds since 1970
 */
export function listAhead(job: Omit<ListAheadJob, 'gate'>, now: () => number): ListingAhead {
  let startedAtMs = now();
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const folders = new Map<string, PackedFolder>();
  const waiting = new Map<string, ((folder: ListedFolder | null) => void)[]>();
  let worker: Worker | null = null;

  function settle(path: string, folder: PackedFolder | null): void {
    const [first, ...others] = waiting.get(path) ?? [];
    waiting.delete(path);
    first?.(folder === null ? null : unpackFolder(folder));
    for (const other of others) other(null);
  }

  function end(): void {
    worker = null;
    for (const path of [...waiting.keys()]) settle(path, null);
  }

  try {
    const started = new Worker(PROGRAM, {
      eval: true,
      workerData: {
        ...job,
        gate,
        task: 'list-ahead',
        module: new URL('./list-ahead-thread.ts', import.meta.url).href,
      },
      // What the process was started with is not for this.
      execArgv: [],
      name: 'list-ahead',
      resourceLimits: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 4 },
    });
    worker = started;
    started.on('message', (listed: readonly PackedFolder[]) => {
      if (worker !== started) return;
      for (const folder of listed) {
        if (waiting.has(folder.path)) settle(folder.path, folder);
        else folders.set(folder.path, folder);
      }
    });
    // Whoever asks lists it again, and meets what was met here.
    started.on('error', end);
    started.on('exit', end);
  } catch {
    // The system has no thread for this.
  }

  return {
    get startedAtMs() {
      return startedAtMs;
    },
    begin() {
      startedAtMs = now();
      openGate(gate);
    },
    async take(path) {
      const folder = folders.get(path);
      folders.delete(path);
      if (folder !== undefined) return unpackFolder(folder);
      if (worker === null) return null;
      return new Promise((resolve) => {
        waiting.set(path, [...(waiting.get(path) ?? []), resolve]);
      });
    },
    close() {
      const running = worker;
      end();
      folders.clear();
      void running?.terminate();
    },
  };
}
