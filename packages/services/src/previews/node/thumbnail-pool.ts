import { Worker } from 'node:worker_threads';
import { CairnError } from '@cairn/model';
import type { ThumbnailRenderer, ThumbnailSize } from '../previews-service.ts';
import type { ThumbnailAnswer, ThumbnailJob } from './thumbnail-worker.ts';

export interface ThumbnailPoolOptions {
  /** Threads at most; 1 unless told: pictures are not to slow down what people wait for more. */
  readonly threads?: number;
  readonly maxWaiting?: number;
  /** How long one picture may take. */
  readonly timeoutMs?: number;
  /** A thread without work ends after this. */
  readonly idleMs?: number;
}

interface Waiting {
  readonly load: () => Promise<Uint8Array>;
  readonly size: ThumbnailSize;
  readonly resolve: (picture: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  idle: NodeJS.Timeout | null;
}

function noPreview(message: string): CairnError {
  return new CairnError('no-preview', message);
}

/** A few threads that make thumbnails. They are started when needed, and ended when they have nothing to do or take too long. */
export function createThumbnailPool(options: ThumbnailPoolOptions = {}): ThumbnailRenderer {
  const { threads = 1, maxWaiting = 256, timeoutMs = 20_000, idleMs = 30_000 } = options;
  const queue: Waiting[] = [];
  const free: Thread[] = [];
  const all = new Set<Thread>();
  let counter = 0;
  let busy = 0;
  let closed = false;

  function start(): Thread {
    const worker = new Worker(new URL('./thumbnail-worker.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: 256 },
      stdout: true,
      stderr: true,
    });
    worker.unref();
    const thread: Thread = { worker, idle: null };
    all.add(thread);
    return thread;
  }

  async function end(thread: Thread): Promise<void> {
    if (thread.idle !== null) clearTimeout(thread.idle);
    all.delete(thread);
    const place = free.indexOf(thread);
    if (place >= 0) free.splice(place, 1);
    await thread.worker.terminate();
  }

  function ask(thread: Thread, job: ThumbnailJob): Promise<Uint8Array | null> {
    const { worker } = thread;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => finish(() => reject(noPreview('the picture takes too long; download it'))),
        timeoutMs,
      );
      const onMessage = (answer: ThumbnailAnswer): void => {
        if (answer.number === job.number) finish(() => resolve(answer.picture));
      };
      const onError = (): void => finish(() => reject(noPreview('the picture cannot be shown; download it')));
      function finish(settle: () => void): void {
        clearTimeout(timer);
        worker.off('message', onMessage);
        worker.off('error', onError);
        worker.off('exit', onError);
        settle();
      }
      worker.on('message', onMessage);
      worker.once('error', onError);
      worker.once('exit', onError);
      worker.postMessage(job, [job.bytes.buffer as ArrayBuffer]);
    });
  }

  async function work(waiting: Waiting): Promise<void> {
    busy += 1;
    let thread: Thread | null = null;
    try {
      const bytes = await waiting.load();
      thread = free.pop() ?? start();
      if (thread.idle !== null) clearTimeout(thread.idle);
      counter += 1;
      const picture = await ask(thread, { number: counter, bytes, size: waiting.size });
      const used = thread;
      used.idle = setTimeout(() => void end(used), idleMs);
      used.idle.unref();
      free.push(used);
      thread = null;
      if (picture === null)
        waiting.reject(noPreview('the file is no picture that can be shown; download it'));
      else waiting.resolve(picture);
    } catch (error) {
      // Whatever it still does, it does not do it any longer.
      if (thread !== null) await end(thread);
      waiting.reject(error);
    } finally {
      busy -= 1;
      next();
    }
  }

  function next(): void {
    while (!closed && busy < threads) {
      const waiting = queue.shift();
      if (waiting === undefined) return;
      void work(waiting);
    }
  }

  return {
    render(load, size) {
      if (closed || queue.length >= maxWaiting) {
        throw new CairnError(
          'unavailable',
          'too many pictures wait for their previews; try again in a moment',
          {
            details: { retryAfterMs: 3000 },
          },
        );
      }
      return new Promise((resolve, reject) => {
        queue.push({ load, size, resolve, reject });
        next();
      });
    },
    async close() {
      closed = true;
      for (const waiting of queue.splice(0)) {
        waiting.reject(new CairnError('unavailable', 'the server is stopping; try again in a few seconds'));
      }
      await Promise.all([...all].map(end));
    },
  };
}
