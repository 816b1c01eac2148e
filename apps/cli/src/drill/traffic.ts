import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@cairn/client';
import { checkFile, type DrillFile, putFile } from './drill-files.ts';
import { NotProven } from './drill-log.ts';

export interface Traffic {
  /** Resolves when so many more requests were answered as they ought to be. @throws NotProven once one failed */
  goOn(requests: number): Promise<void>;
  /** Ends it and answers how many requests there were. @throws NotProven when one failed */
  stop(): Promise<number>;
  /** Ends it, whatever failed, and answers how many requests failed. */
  abandon(): Promise<number>;
}

const LOOK_EVERY_MS = 20;
const WRITERS = 2;
const READERS = 2;
const MAX_WAIT_MS = 120_000;

/**
 * Uploads and downloads without pause until it is stopped. Every answered upload is added to `files`, and read again by hash.
 * @param name of the folder for the uploads
 */
export function startTraffic(
  client: Client,
  files: DrillFile[],
  name: string,
  makeBytes: (name: string, sizeBytes: number) => Uint8Array,
  signal: AbortSignal,
): Traffic {
  const failures: string[] = [];
  let isOver = false;
  let requests = 0;

  async function attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      requests++;
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
      // What is broken is not asked without pause.
      await sleep(LOOK_EVERY_MS);
    }
  }
  async function writeOn(writer: number): Promise<void> {
    for (let number = 0; !isOver; number++) {
      const path = `/${name}/${writer}-${number}`;
      const sizeBytes = 5_000 + ((number * 37_000) % 120_000);
      await attempt(async () => {
        files.push(await putFile(client, path, makeBytes(path, sizeBytes), signal));
      });
    }
  }
  async function readOn(reader: number): Promise<void> {
    for (let number = reader; !isOver; number += 7) {
      await attempt(() => checkFile(client, files[number % files.length] as DrillFile, signal));
    }
  }
  const all = Promise.all([
    ...Array.from({ length: WRITERS }, (_, writer) => writeOn(writer)),
    ...Array.from({ length: READERS }, (_, reader) => readOn(reader)),
  ]);

  function check(): void {
    if (failures.length === 0) return;
    throw new NotProven(`${failures.length} requests failed, the first with: ${failures[0]}`);
  }
  async function end(): Promise<void> {
    isOver = true;
    await all;
  }
  return {
    async goOn(count) {
      const wanted = requests + count;
      const giveUpAt = performance.now() + MAX_WAIT_MS;
      while (requests < wanted) {
        check();
        signal.throwIfAborted();
        if (performance.now() > giveUpAt) throw new NotProven('requests are no longer answered');
        await sleep(LOOK_EVERY_MS);
      }
      check();
    },
    async stop() {
      await end();
      check();
      return requests;
    },
    async abandon() {
      await end();
      return failures.length;
    },
  };
}
