import { CairnError } from '@cairn/model';

export interface Gate {
  /**
   * Waits for a place; the returned function gives it back (once). Throws `unavailable` when too many wait.
   * @param key who enters: one may have half of the places and of the queue, so that nobody locks the others out
   */
  enter(key: string): Promise<() => void>;
}

interface Waiting {
  readonly key: string;
  readonly enter: () => void;
}

/** Lets `places` through at once and `waiting` wait, in order but for those who have their share already. */
export function createGate(places: number, waiting: number): Gate {
  let free = places;
  const queue: Waiting[] = [];
  const inside = new Map<string, number>();
  const share = Math.max(1, Math.ceil(places / 2));
  const queueShare = Math.max(1, Math.ceil(waiting / 2));

  function mayEnter(key: string): boolean {
    return free > 0 && (inside.get(key) ?? 0) < share;
  }

  function take(key: string): void {
    free--;
    inside.set(key, (inside.get(key) ?? 0) + 1);
  }

  function leave(key: string): void {
    free++;
    const left = (inside.get(key) ?? 1) - 1;
    if (left > 0) inside.set(key, left);
    else inside.delete(key);
    const position = queue.findIndex((one) => mayEnter(one.key));
    if (position < 0) return;
    const [next] = queue.splice(position, 1);
    if (next === undefined) return;
    take(next.key);
    next.enter();
  }

  function isQueueFull(key: string): boolean {
    return queue.length >= waiting || queue.filter((one) => one.key === key).length >= queueShare;
  }

  return {
    async enter(key) {
      if (mayEnter(key)) take(key);
      else if (isQueueFull(key)) {
        throw new CairnError(
          'unavailable',
          'the server is busy with other uploads; try again in a few seconds',
          {
            details: { retryAfterMs: 3000 },
          },
        );
      } else await new Promise<void>((resolve) => queue.push({ key, enter: resolve }));
      let left = false;
      return () => {
        if (left) return;
        left = true;
        leave(key);
      };
    },
  };
}
