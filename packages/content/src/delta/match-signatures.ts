import type { ContentPlatform } from '../platform.ts';
import { DeltaWriter } from './delta-instructions.ts';
import { indexHashes, SPREAD } from './hash-index.ts';
import { leavingFactor, rollHash, weakHash } from './rolling-hash.ts';
import { type BlockSignature, strongHash } from './signature.ts';

/** Spans whose weak hash fits and whose strong one does not; who finds more of them was made to. */
const MAX_MISLED = 1024;

/**
 * Instructions that make `plain` from bases of which only signatures are here, or `null` when they would be longer
 * than `maxBytes`. Takes time in proportion to `plain`, whatever is in it.
 * @param signatures all with spans of one length
 */
export function matchSignatures(
  platform: ContentPlatform,
  signatures: readonly BlockSignature[],
  plain: Uint8Array,
  maxBytes: number,
): Uint8Array | null {
  const [first] = signatures;
  if (first === undefined) return null;
  const { spanBytes } = first;
  // Spans of full length of all bases, as one list; offsets are in all bases as one string.
  const total = signatures.reduce((sum, { plainBytes }) => sum + Math.floor(plainBytes / spanBytes), 0);
  const weak = new Int32Array(total);
  const strong = new Int32Array(total);
  const offsets = new Int32Array(total);
  const tails: { readonly offset: number; readonly length: number; weak: number; strong: number }[] = [];
  let listed = 0;
  let baseStart = 0;
  for (const signature of signatures) {
    const full = Math.floor(signature.plainBytes / spanBytes);
    weak.set(signature.weak.subarray(0, full), listed);
    strong.set(signature.strong.subarray(0, full), listed);
    for (let span = 0; span < full; span++) offsets[listed + span] = baseStart + span * spanBytes;
    listed += full;
    const length = signature.plainBytes - full * spanBytes;
    if (length > 0) {
      tails.push({
        offset: baseStart + full * spanBytes,
        length,
        weak: signature.weak[full] as number,
        strong: signature.strong[full] as number,
      });
    }
    baseStart += signature.plainBytes;
  }
  const index = indexHashes(weak, total, (earlier, span) => strong[earlier] === strong[span]);
  const leaving = leavingFactor(spanBytes);
  const writer = new DeltaWriter(plain, maxBytes);
  const { slots, shift } = index;
  let misled = 0;

  function find(hash: number, position: number): number {
    let slot = index.first(hash);
    if (slot < 0) return -1;
    const wanted = strongHash(platform, plain, position, spanBytes);
    for (; slot >= 0; slot = index.after(slot, hash)) {
      const span = index.spanAt(slot);
      if (strong[span] === wanted) return span;
    }
    misled++;
    return -1;
  }

  /** What comes after the last match, if nothing was put in between. */
  let expected = 0;
  let position = 0;
  const lastStart = plain.length - spanBytes;
  while (position <= lastStart) {
    let hash = weakHash(plain, position, spanBytes);
    let span = -1;
    if (
      expected < total &&
      hash === weak[expected] &&
      strongHash(platform, plain, position, spanBytes) === strong[expected]
    ) {
      span = expected;
    } else {
      const lastLiteral = writer.position + writer.leftBytes;
      for (;;) {
        if (slots[Math.imul(hash, SPREAD) >>> shift] !== 0) {
          span = find(hash, position);
          if (span >= 0) break;
          if (misled > MAX_MISLED) return null;
        }
        if (position > lastLiteral) return null;
        if (position >= lastStart) break;
        hash = rollHash(hash, leaving, plain[position] as number, plain[position + spanBytes] as number);
        position++;
      }
    }
    if (span < 0) break;
    writer.literal(position);
    writer.copy(offsets[span] as number, spanBytes);
    position += spanBytes;
    expected = span + 1;
  }
  for (const tail of tails) {
    const start = plain.length - tail.length;
    if (start < writer.position || weakHash(plain, start, tail.length) !== tail.weak) continue;
    if (strongHash(platform, plain, start, tail.length) !== tail.strong) continue;
    writer.literal(start);
    writer.copy(tail.offset, tail.length);
    break;
  }
  return writer.finish();
}
