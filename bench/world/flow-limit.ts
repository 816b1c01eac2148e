import { Transform } from 'node:stream';

/** What is let through at once, so that small messages do not wait for a whole second. */
const SLICE_MS = 5;

/** One direction of a link: all connections over it share its bytes each second. */
export interface FlowLimit {
  /** What one connection sends through. */
  createPassage(): Transform;
}

/** @param bytesPerSecond `null`: no limit */
export function createFlowLimit(bytesPerSecond: number | null): FlowLimit {
  let freeAtMs = 0;

  return {
    createPassage() {
      return new Transform({
        transform(piece: Buffer, _encoding, done) {
          if (bytesPerSecond === null) return done(null, piece);
          const now = performance.now();
          freeAtMs = Math.max(now - SLICE_MS, freeAtMs) + (1000 * piece.length) / bytesPerSecond;
          const waitMs = freeAtMs - now;
          if (waitMs <= SLICE_MS) done(null, piece);
          else setTimeout(done, waitMs, null, piece);
        },
      });
    },
  };
}
