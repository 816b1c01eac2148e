/** Speeds are averages over this long: they say something, and still follow the network. */
const SPAN_MS = 8_000;
const MIN_SPAN_MS = 600;

/** Tells speed and time left from the progress so far. */
export interface SpeedMeter {
  /** @param nowMs never goes backwards */
  note(doneBytes: number, nowMs: number): void;
  /** Bytes a second; null while it is too early to say. */
  readonly speed: number | null;
  /** Forgets: after a pause, or when the sums begin anew. */
  reset(): void;
}

export function createSpeedMeter(): SpeedMeter {
  let samples: { readonly atMs: number; readonly bytes: number }[] = [];
  return {
    note(doneBytes, nowMs) {
      const last = samples.at(-1);
      if (last !== undefined && doneBytes < last.bytes) samples = [];
      samples.push({ atMs: nowMs, bytes: doneBytes });
      const oldest = samples.findIndex(({ atMs }) => atMs >= nowMs - SPAN_MS);
      if (oldest > 0) samples = samples.slice(oldest);
    },
    get speed() {
      const first = samples[0];
      const last = samples.at(-1);
      if (first === undefined || last === undefined || last.atMs - first.atMs < MIN_SPAN_MS) return null;
      return ((last.bytes - first.bytes) * 1000) / (last.atMs - first.atMs);
    },
    reset() {
      samples = [];
    },
  };
}

/** Milliseconds until `leftBytes` are through at this speed; null when nobody can say. */
export function timeLeft(leftBytes: number, speed: number | null): number | null {
  return speed === null || speed < 1 ? null : (leftBytes / speed) * 1000;
}
