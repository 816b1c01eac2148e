import type { BlockId, ManifestPart } from '@cairn/model';
import { DELTA_LIMITS } from './delta-block.ts';

/** A part of the older list, and where in the file it was. */
export interface BasePart extends ManifestPart {
  readonly position: number;
}

/** A part that the older list does not have. */
export interface NewPart {
  /**
   * Parts of the older list that were where this one is, in their order, 4 at most: between the nearest parts on both sides that both
   * lists have, counted from the one before and, as soon as that is known, from the one behind.
   */
  bases(): readonly BasePart[];
}

export interface PartAlignment {
  /** Takes the next part of the new list, one call for each in order; `null` when the older list has it. */
  next(part: ManifestPart): NewPart | null;
  /** There are no more. */
  end(): void;
}

interface Gap {
  /** Index of the first older part in it. */
  readonly from: number;
  /** Index behind the last one; `null` while nothing behind it is known to both. */
  to: number | null;
  newBytes: number;
}

/** A part counts as being in the same place if it shares at least this share of the new one's bytes. */
const MIN_SHARE = 1 / 16;

/** How far a part that is there more than once is looked for. */
const NEAR_PARTS = 8;

/** Lays a new list of parts of one depth beside an older one. Every part takes the same time, whatever the lists. */
export function alignParts(older: Iterable<ManifestPart>): PartAlignment {
  const base: BasePart[] = [];
  const indexOf = new Map<BlockId, number>();
  let olderBytes = 0;
  for (const { block, sizeBytes } of older) {
    if (!indexOf.has(block)) indexOf.set(block, base.length);
    base.push({ block, sizeBytes, position: olderBytes });
    olderBytes += sizeBytes;
  }
  let next = 0;
  let gap: Gap = { from: 0, to: null, newBytes: 0 };

  function find(block: BlockId): number | undefined {
    const first = indexOf.get(block);
    if (first === undefined || first >= next) return first;
    // There more than once, or moved to the back: the nearest one counts, if it is near.
    for (let index = next; index < Math.min(base.length, next + NEAR_PARTS); index++) {
      if (base[index]?.block === block) return index;
    }
    return first;
  }

  const startOf = (index: number): number => base[index]?.position ?? olderBytes;

  /** Index of the part that covers a position, within the gap. */
  function seek(position: number, from: number, to: number): number {
    let low = from;
    let high = to;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (startOf(middle) <= position) low = middle;
      else high = middle;
    }
    return low;
  }

  function collect(start: number, sizeBytes: number, { from, to }: Gap, into: Map<number, number>): void {
    const end = start + sizeBytes;
    const last = to ?? base.length;
    if (from >= last) return;
    for (let index = seek(start, from, last); index < last; index++) {
      const part = base[index] as BasePart;
      if (part.position >= end) break;
      const shared = Math.min(end, part.position + part.sizeBytes) - Math.max(start, part.position);
      if (shared >= sizeBytes * MIN_SHARE) into.set(index, Math.max(shared, into.get(index) ?? 0));
    }
  }

  function findBases(of: Gap, start: number, sizeBytes: number): BasePart[] {
    const found = new Map<number, number>();
    collect(startOf(of.from) + start, sizeBytes, of, found);
    if (of.to !== null) collect(startOf(of.to) - of.newBytes + start, sizeBytes, of, found);
    const best = [...found].toSorted(([, left], [, right]) => right - left).slice(0, DELTA_LIMITS.maxBases);
    const bases = new Map<BlockId, BasePart>();
    for (const [index] of best.toSorted(([left], [right]) => left - right)) {
      const part = base[index] as BasePart;
      if (!bases.has(part.block)) bases.set(part.block, part);
    }
    return [...bases.values()];
  }

  return {
    next({ block, sizeBytes }) {
      const index = find(block);
      if (index === undefined) {
        const of = gap;
        const start = of.newBytes;
        of.newBytes += sizeBytes;
        return { bases: () => findBases(of, start, sizeBytes) };
      }
      // What the older list has further in front was moved, or is there more than once.
      if (index >= next) {
        gap.to = index;
        next = index + 1;
        gap = { from: next, to: null, newBytes: 0 };
      }
      return null;
    },
    end() {
      gap.to = base.length;
    },
  };
}
