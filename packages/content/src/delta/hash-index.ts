/** Spans of one hash that are kept apart; more of them only make delta longer. */
const MAX_EQUAL = 8;
/** Times a hash, and shifted: where it is in the table. */
export const SPREAD = 0x9e3779b1;

/**
 * Finds spans by their weak hash. Memory is used again by the next index, so one is in use at a time:
 * nothing may wait between its making and its last question.
 */
export interface HashIndex {
  /** For loops over every byte: where this has 0 at `Math.imul(hash, SPREAD) >>> shift`, no span has the hash. */
  readonly slots: Int32Array;
  readonly shift: number;
  /**
   * The place in the table of the first span of this hash, or -1; then {@link after} for the others.
   * {@link spanAt} says which span that is.
   */
  first(hash: number): number;
  after(slot: number, hash: number): number;
  spanAt(slot: number): number;
}

/** Kept for the next one up to this many places. */
const KEPT_SLOTS = 65_536;
let kept: Int32Array = new Int32Array(4096);

/**
 * @param hashes of the spans; a span for which `isKnown` says that an earlier one is the same is left out, so that runs of
 * equal bytes are one entry
 */
export function indexHashes(
  hashes: ArrayLike<number>,
  count: number,
  isKnown: (earlier: number, span: number) => boolean,
): HashIndex {
  let bits = 6;
  // Sparse, so that most hashes that nothing has meet an empty place.
  while (1 << bits < count * 8) bits++;
  const size = 1 << bits;
  let slots = kept;
  if (slots.length < size) {
    slots = new Int32Array(size);
    if (size <= KEPT_SLOTS) kept = slots;
  } else slots.fill(0, 0, size);
  const shift = 32 - bits;
  const mask = size - 1;

  function seek(from: number, hash: number): number {
    for (let slot = from; ; slot = (slot + 1) & mask) {
      const span = slots[slot] as number;
      if (span === 0) return -1 - slot;
      if (hashes[span - 1] === hash) return slot;
    }
  }

  for (let span = 0; span < count; span++) {
    const hash = hashes[span] as number;
    let slot = seek(Math.imul(hash, SPREAD) >>> shift, hash);
    let equal = 0;
    while (slot >= 0 && equal < MAX_EQUAL && !isKnown((slots[slot] as number) - 1, span)) {
      equal++;
      slot = seek((slot + 1) & mask, hash);
    }
    if (slot < 0) slots[-1 - slot] = span + 1;
  }

  return {
    slots,
    shift,
    first(hash) {
      const slot = seek(Math.imul(hash, SPREAD) >>> shift, hash);
      return slot < 0 ? -1 : slot;
    },
    after(slot, hash) {
      const next = seek((slot + 1) & mask, hash);
      return next < 0 ? -1 : next;
    },
    spanAt: (slot) => (slots[slot] as number) - 1,
  };
}
