import { CairnError } from '@cairn/model';

export interface ByteRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

const SINGLE_RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/;

/**
 * The one range that a `Range` header asks for (RFC 9110, 14.2). `null` means the whole: no header, several
 * ranges, another unit, or nonsense. Throws `range-wrong` when the range lies outside.
 */
export function parseRange(header: string | undefined, sizeBytes: number): ByteRange | null {
  const match = header === undefined ? null : SINGLE_RANGE.exec(header.trim());
  if (match === null) return null;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return null;
  const start = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? sizeBytes : Math.min(sizeBytes, Number(last) + 1);
  if (first !== '' && last !== '' && Number(last) < Number(first)) return null;
  if (start >= sizeBytes || start >= end) {
    throw new CairnError('range-wrong', `the range lies outside the file, which has ${sizeBytes} bytes`, {
      details: { sizeBytes },
    });
  }
  return { start, end };
}

/** Whether an `If-None-Match` or `If-Match` header names the tag (weak comparison for the former is the same here). */
export function matchesTag(header: string, tag: string): boolean {
  return header
    .split(',')
    .map((part) => part.trim().replace(/^W\//, ''))
    .some((part) => part === '*' || part === tag);
}
