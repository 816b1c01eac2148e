import type { Socket } from 'node:net';
import type { SeededRandom } from '@cairn/bench';
import type { Faults } from './faults.ts';

const MAX_QUEUED_BYTES = 256 * 1024;

/** One direction of one connection: takes bytes, gives them on late, slowly, in drops, or not at all. */
export interface DelayedPipe {
  push(bytes: Buffer): void;
  /** Ends the target once everything before has gone out. */
  end(): void;
  stop(): void;
}

export function createDelayedPipe(options: {
  readonly source: Socket;
  readonly target: Socket;
  readonly random: SeededRandom;
  faults(): Faults;
}): DelayedPipe {
  const { source, target, random, faults } = options;
  const queue: { bytes: Buffer | null; dueMs: number }[] = [];
  let queuedBytes = 0;
  let freeAtMs = 0;
  let lastDueMs = 0;
  let timer: NodeJS.Timeout | null = null;
  let isStopped = false;

  function schedule(bytes: Buffer | null): void {
    const { latencyMs, jitterMs, bytesPerSecond } = faults();
    const now = performance.now();
    const late = latencyMs + (jitterMs > 0 ? random.fraction() * jitterMs : 0);
    freeAtMs = Math.max(now, freeAtMs);
    if (bytesPerSecond !== null && bytes !== null) freeAtMs += (1000 * bytes.length) / bytesPerSecond;
    // Never earlier than what came before: TCP keeps order.
    lastDueMs = Math.max(lastDueMs, freeAtMs + late);
    queue.push({ bytes, dueMs: lastDueMs });
    queuedBytes += bytes?.length ?? 0;
    if (queuedBytes > MAX_QUEUED_BYTES) source.pause();
    pump();
  }

  function pump(): void {
    if (timer !== null || isStopped) return;
    for (let first = queue[0]; first !== undefined; first = queue[0]) {
      const waitMs = first.dueMs - performance.now();
      if (waitMs > 0.5) {
        timer = setTimeout(again, waitMs);
        return;
      }
      const { dribble } = faults();
      if (first.bytes === null) {
        queue.shift();
        target.end();
      } else if (dribble === null || first.bytes.length <= dribble.bytes) {
        queue.shift();
        give(first.bytes);
        if (dribble !== null) {
          timer = setTimeout(again, dribble.pauseMs);
          return;
        }
      } else {
        const drop = first.bytes.subarray(0, dribble.bytes);
        first.bytes = first.bytes.subarray(dribble.bytes);
        give(drop);
        timer = setTimeout(again, dribble.pauseMs);
        return;
      }
    }
  }

  function again(): void {
    timer = null;
    pump();
  }

  function give(bytes: Buffer): void {
    queuedBytes -= bytes.length;
    if (!target.destroyed) target.write(bytes);
    if (queuedBytes <= MAX_QUEUED_BYTES / 2 && source.isPaused()) source.resume();
  }

  return {
    push: schedule,
    end: () => schedule(null),
    stop() {
      isStopped = true;
      if (timer !== null) clearTimeout(timer);
      queue.length = 0;
    },
  };
}
