import { hash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { HASH_THREAD, type HashAnswer, type HashJob } from './hash-thread.ts';

/** A question and its answer cost about as much as hashing this. */
const MIN_BYTES = 64 * 1024;
/** So much is hashed here before threads are started for it: most of what a device does is less. */
const WARM_UP_BYTES = 8 * 1024 * 1024;
const MAX_THREADS = 4;
const IDLE_MS = 15_000;

export interface HashThreadsOptions {
  /** 2 to 4, by the processors there are. */
  readonly count?: number;
  /** Threads without work end after this, and give their memory back. */
  readonly idleMs?: number;
  /** So many bytes are hashed by the caller first. */
  readonly warmUpBytes?: number;
  /** What a thread runs. */
  readonly program?: string;
}

/** SHA-256 beside the thread that asks, of bytes in memory that all threads see: nothing is copied. */
export interface HashThreads {
  /**
   * @param bytes stay as they are until the promise settles
   * @returns 32 bytes; `null` where it is better done by the caller: memory of its own, few bytes, or the first ones
   */
  digest(bytes: Uint8Array): Promise<Uint8Array> | null;
  /** Threads that run now. */
  readonly running: number;
  close(): Promise<void>;
}

interface Waiting {
  readonly bytes: Uint8Array;
  resolve(digest: Uint8Array): void;
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
  waitingBytes: number;
  /** Jobs that are handed over together: to wake another thread costs as much as hashing 100 KiB. */
  next: HashJob[];
}

/** As many jobs wait as callers have memory for: each holds its bytes. */
export function createHashThreads({
  count = Math.min(MAX_THREADS, Math.max(2, availableParallelism())),
  idleMs = IDLE_MS,
  warmUpBytes = WARM_UP_BYTES,
  program = HASH_THREAD,
}: HashThreadsOptions = {}): HashThreads {
  const threads: Thread[] = [];
  let number = 0;
  let warmedUpBytes = 0;
  /** A thread failed, or there was none to be had: everything is hashed by who asks from then on. */
  let isBroken = false;
  let idle: NodeJS.Timeout | null = null;

  /** Throws where the system has no thread left. */
  function start(): Thread {
    const worker = new Worker(program, {
      eval: true,
      // What the process was started with is not for this.
      execArgv: [],
      name: 'hash',
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2 },
    });
    worker.unref();
    const thread: Thread = { worker, waiting: new Map(), waitingBytes: 0, next: [] };
    worker.on('message', (answers: readonly HashAnswer[]) => {
      for (const { number: answered, digest } of answers) settle(thread, answered, digest);
    });
    worker.on('error', () => giveUp(thread));
    worker.on('exit', () => giveUp(thread));
    threads.push(thread);
    return thread;
  }

  function handOver(thread: Thread): void {
    thread.worker.postMessage(thread.next);
    thread.next = [];
  }

  function settle(thread: Thread, answered: number, digest: Uint8Array): void {
    const waiting = thread.waiting.get(answered);
    if (waiting === undefined) return;
    thread.waiting.delete(answered);
    thread.waitingBytes -= waiting.bytes.length;
    // Only while somebody waits does it keep the process alive.
    if (thread.waiting.size === 0) thread.worker.unref();
    waiting.resolve(digest);
  }

  function giveUp(thread: Thread): void {
    const place = threads.indexOf(thread);
    if (place === -1) return;
    threads.splice(place, 1);
    isBroken = true;
    answerHere(thread);
  }

  function answerHere({ waiting }: Thread): void {
    for (const { bytes, resolve } of waiting.values()) resolve(hash('sha256', bytes, 'buffer'));
    waiting.clear();
  }

  function leastBusy(): Thread {
    let best = threads[0];
    for (const thread of threads) {
      if (best === undefined || thread.waitingBytes < best.waitingBytes) best = thread;
    }
    const isFree = best !== undefined && best.waiting.size === 0;
    return best === undefined || (!isFree && threads.length < count) ? start() : best;
  }

  async function end(): Promise<void> {
    if (idle !== null) clearTimeout(idle);
    idle = null;
    warmedUpBytes = 0;
    await Promise.all(
      threads.splice(0).map(async (thread) => {
        await thread.worker.terminate();
        answerHere(thread);
      }),
    );
  }

  function endWhenIdle(): void {
    idle ??= setTimeout(() => {
      idle = null;
      if (threads.some(({ waiting }) => waiting.size > 0)) endWhenIdle();
      else void end();
    }, idleMs).unref();
    idle.refresh();
  }

  return {
    digest(bytes) {
      const { buffer: memory } = bytes;
      if (isBroken || bytes.length < MIN_BYTES || !(memory instanceof SharedArrayBuffer)) return null;
      endWhenIdle();
      if (warmedUpBytes < warmUpBytes) {
        warmedUpBytes += bytes.length;
        return null;
      }
      let thread: Thread;
      try {
        thread = leastBusy();
      } catch {
        // Not an error: the system has no thread for this, and the caller does it.
        isBroken = true;
        return null;
      }
      if (thread.waiting.size === 0) thread.worker.ref();
      number++;
      const job: HashJob = { number, memory, offset: bytes.byteOffset, length: bytes.length };
      return new Promise((resolve) => {
        thread.waiting.set(job.number, { bytes, resolve });
        thread.waitingBytes += bytes.length;
        if (thread.next.push(job) === 1) queueMicrotask(() => handOver(thread));
      });
    },
    get running() {
      return threads.length;
    },
    close: end,
  };
}

let ofProcess: HashThreads | null = null;

/** Those that all of a process share. They end by themselves when there is nothing to do, and with the process. */
export function useHashThreads(): HashThreads {
  ofProcess ??= createHashThreads();
  return ofProcess;
}
