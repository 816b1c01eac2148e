/** Beyond this many, all is taken for written that lies between the first and the last. */
const MAX_RANGES = 4096;

/** Which bytes of a file were ever written. */
export interface WrittenRanges {
  /** Whether any byte of `[start, end)` was. */
  touches(start: number, end: number): boolean;
  add(start: number, end: number): void;
  /** Forgets what lies from `sizeBytes` on: the file was cut off there. */
  cut(sizeBytes: number): void;
}

/** @param firstBytes so many at the front may have been written before */
export function createWrittenRanges(firstBytes: number): WrittenRanges {
  /** Ascending, none touching the next. */
  let ranges: (readonly [start: number, end: number])[] = firstBytes > 0 ? [[0, firstBytes]] : [];

  /** Index of the first range that ends at or behind `position`. */
  function findFrom(position: number): number {
    let low = 0;
    let high = ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ranges[middle]?.[1] ?? 0) < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  return {
    touches(start, end) {
      if (start >= end) return false;
      for (let index = findFrom(start); index < ranges.length; index++) {
        const [from, to] = ranges[index] ?? [0, 0];
        if (from >= end) return false;
        if (to > start) return true;
      }
      return false;
    },
    add(start, end) {
      if (start >= end) return;
      const first = findFrom(start);
      let behind = first;
      let [from, to] = [start, end];
      for (; behind < ranges.length; behind++) {
        const [nextFrom, nextTo] = ranges[behind] ?? [0, 0];
        if (nextFrom > to) break;
        from = Math.min(from, nextFrom);
        to = Math.max(to, nextTo);
      }
      ranges.splice(first, behind - first, [from, to]);
      if (ranges.length <= MAX_RANGES) return;
      ranges = [[ranges[0]?.[0] ?? 0, ranges.at(-1)?.[1] ?? 0]];
    },
    cut(sizeBytes) {
      ranges = ranges
        .filter(([from]) => from < sizeBytes)
        .map(([from, to]) => [from, Math.min(to, sizeBytes)] as const);
    },
  };
}
