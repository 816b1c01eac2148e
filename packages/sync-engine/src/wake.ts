import type { Timers } from '@cairn/environment';

/** A bell that the loop sleeps on: rings are never lost, and many count as one. */
export class Wake {
  #rung = false;
  #ring: (() => void) | null = null;

  ring(): void {
    this.#rung = true;
    this.#ring?.();
  }

  /** Resolves when rung (at once if it was since the last wait), when the time is over, or when aborted. */
  async wait(timers: Timers, durationMs: number | null, signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const cancel = durationMs === null ? () => undefined : timers.schedule(durationMs, finish);
        const ring = finish;
        const onAbort = finish;
        function finish(): void {
          cancel();
          signal.removeEventListener('abort', onAbort);
          resolve();
        }
        this.#ring = ring;
        signal.addEventListener('abort', onAbort, { once: true });
      });
      this.#ring = null;
    }
    this.#rung = false;
  }
}
