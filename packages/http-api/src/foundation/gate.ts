import { CairnError } from '@cairn/model';

export interface Gate {
  /** Waits for a place; the returned function gives it back (once). Throws `unavailable` when too many wait. */
  enter(): Promise<() => void>;
}

/** Lets `places` through at once and `waiting` wait, in order. */
export function createGate(places: number, waiting: number): Gate {
  let free = places;
  const queue: (() => void)[] = [];

  function leave(): void {
    const next = queue.shift();
    if (next === undefined) free++;
    else next();
  }

  return {
    async enter() {
      if (free > 0) free--;
      else if (queue.length >= waiting) {
        throw new CairnError(
          'unavailable',
          'the server is busy with other uploads; try again in a few seconds',
          {
            details: { retryAfterMs: 3000 },
          },
        );
      } else await new Promise<void>((resolve) => queue.push(resolve));
      let left = false;
      return () => {
        if (left) return;
        left = true;
        leave();
      };
    },
  };
}
