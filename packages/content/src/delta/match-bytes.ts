import { DeltaWriter } from './delta-instructions.ts';
import { indexHashes, SPREAD } from './hash-index.ts';
import { leavingFactor, rollHash, weakHash } from './rolling-hash.ts';

const MIN_SPAN_BYTES = 64;
/** Spans of all bases together. */
const MAX_SPANS = 4096;
/** Bytes that may be compared in vain, in lengths of what is described. */
const MAX_VAIN_LENGTHS = 4;

/**
 * Instructions that make `plain` from bases that are here, or `null` when they would be longer than `maxBytes`.
 * Takes time in proportion to `plain` and the bases, whatever is in them.
 */
export function matchBytes(
  bases: readonly Uint8Array[],
  plain: Uint8Array,
  maxBytes: number,
): Uint8Array | null {
  const [firstBase] = bases;
  const lastBase = bases.at(-1);
  if (firstBase === undefined || lastBase === undefined) return null;
  const baseBytes = bases.reduce((sum, { length }) => sum + length, 0);
  const writer = new DeltaWriter(plain, maxBytes);
  // Most edits are in one place: what is before and behind it is found by comparing.
  const prefix = commonPrefix(firstBase, 0, plain, 0, plain.length);
  const suffix = commonSuffix(lastBase, lastBase.length, plain, plain.length, prefix);
  const end = plain.length - suffix;
  writer.copy(0, prefix);
  if (end - prefix >= MIN_SPAN_BYTES && !findSpans(bases, baseBytes, plain, end, writer)) return null;
  writer.literal(end);
  writer.copy(baseBytes - suffix, suffix);
  return writer.finish();
}

/** Describes what is found between the writer's position and `end`; `false` when it becomes too long. */
function findSpans(
  bases: readonly Uint8Array[],
  baseBytes: number,
  plain: Uint8Array,
  end: number,
  writer: DeltaWriter,
): boolean {
  let spanBytes = MIN_SPAN_BYTES;
  while (baseBytes / spanBytes > MAX_SPANS) spanBytes *= 2;
  const total = bases.reduce((sum, { length }) => sum + Math.floor(length / spanBytes), 0);
  const hashes = new Int32Array(total);
  /** Of each span: its base and where it begins there. */
  const baseOf = new Uint8Array(total);
  const startOf = new Int32Array(total);
  const baseStarts: number[] = [];
  let listed = 0;
  let baseStart = 0;
  for (const [number, base] of bases.entries()) {
    baseStarts.push(baseStart);
    baseStart += base.length;
    for (let start = 0; start + spanBytes <= base.length; start += spanBytes) {
      hashes[listed] = weakHash(base, start, spanBytes);
      baseOf[listed] = number;
      startOf[listed] = start;
      listed++;
    }
  }
  // The first of equal ones is as good as any: matches are made as long as they are.
  const index = indexHashes(hashes, total, () => true);
  const { slots, shift } = index;
  const leaving = leavingFactor(spanBytes);
  let vainBytes = plain.length * MAX_VAIN_LENGTHS;
  let position = writer.position;
  while (position + spanBytes <= end) {
    let hash = weakHash(plain, position, spanBytes);
    let length = 0;
    let base: Uint8Array = plain;
    let offset = 0;
    let start = 0;
    const lastLiteral = writer.position + writer.leftBytes;
    for (;;) {
      const slot = slots[Math.imul(hash, SPREAD) >>> shift] === 0 ? -1 : index.first(hash);
      if (slot >= 0) {
        const span = index.spanAt(slot);
        base = bases[baseOf[span] as number] as Uint8Array;
        start = startOf[span] as number;
        length = commonPrefix(base, start, plain, position, end);
        if (length >= spanBytes) {
          offset = (baseStarts[baseOf[span] as number] as number) + start;
          break;
        }
        vainBytes -= length;
        length = 0;
        if (vainBytes < 0) return false;
      }
      if (position > lastLiteral) return false;
      if (position + spanBytes >= end) break;
      hash = rollHash(hash, leaving, plain[position] as number, plain[position + spanBytes] as number);
      position++;
    }
    if (length === 0) break;
    const before = commonSuffix(base, start, plain, position, writer.position);
    writer.literal(position - before);
    writer.copy(offset - before, length + before);
    position += length;
  }
  return true;
}

/** How many bytes are the same from both places on, within `bytes` at most up to `end`. */
function commonPrefix(
  base: Uint8Array,
  baseStart: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  const most = Math.min(base.length - baseStart, end - start);
  let length = 0;
  while (length < most && base[baseStart + length] === bytes[start + length]) length++;
  return length;
}

/** How many bytes are the same before both places, within `bytes` not before `from`. */
function commonSuffix(
  base: Uint8Array,
  baseEnd: number,
  bytes: Uint8Array,
  end: number,
  from: number,
): number {
  const most = Math.min(baseEnd, end - from);
  let length = 0;
  while (length < most && base[baseEnd - 1 - length] === bytes[end - 1 - length]) length++;
  return length;
}
