import type { Timers } from '@cairn/environment';

/** A bell that the loop sleeps on: rings are never lost, and many count as one. */
export class Wake {
  #rung = false;
  #finish: ((why: 'rung' | 'stirred') => void) | null = null;

  ring(): void {
    this.#rung = true;
    this.#finish?.('rung');
  }

  /** Ends a wait that is under way; without one it is lost. */
  stir(): void {
    this.#finish?.('stirred');
  }

  /**
   * Resolves when rung (at once if it was since the last wait), stirred, when the time is over, or when aborted, with which
   * it was.
   */
  async wait(
    timers: Timers,
    durationMs: number | null,
    signal: AbortSignal,
  ): Promise<'rung' | 'stirred' | 'over'> {
    let why: 'rung' | 'stirred' | 'over' = this.#rung ? 'rung' : 'over';
    if (!this.#rung && !signal.aborted) {
      why = await new Promise((resolve) => {
        const cancel = durationMs === null ? () => undefined : timers.schedule(durationMs, onOver);
        const finish = (reason: 'rung' | 'stirred' | 'over'): void => {
          cancel();
          signal.removeEventListener('abort', onOver);
          resolve(reason);
        };
        function onOver(): void {
          finish('over');
        }
        this.#finish = finish;
        signal.addEventListener('abort', onOver, { once: true });
      });
      this.#finish = null;
    }
    if (why !== 'stirred') this.#rung = false;
    return why;
  }
}
