import { fchmodSync, futimesSync, lutimesSync } from 'node:fs';
import type { Attributes } from '../filesystem.ts';

const READ_BITS = 0o444;
const EXECUTE_BITS = 0o111;
export const PERMISSION_BITS = 0o777;

/**
 * Seconds as Node takes them. Half a microsecond more, so that cutting nanoseconds off to microseconds gives
 * the same number back; as text, since Node takes a negative number for "now". Doubles carry this exactly up to
 * the year 2242; after that a time may come back 1 µs off, which the returned status shows.
 */
export function secondsOf(modifiedAtUs: number): string {
  return String((modifiedAtUs + 0.5) / 1e6);
}

/** Permission bits of a new file: what the umask leaves. */
export function newFileMode(executable: boolean, umask: number): number {
  return (executable ? PERMISSION_BITS : 0o666) & ~umask;
}

/**
 * Permission bits of a file whose executable bit changes: whoever may read may then also execute, as chmod +x
 * under a umask does. Set-user-id and set-group-id bits are never carried over to other bytes.
 */
export function changedMode(mode: number, executable: boolean): number {
  const kept = mode & PERMISSION_BITS & ~EXECUTE_BITS;
  if (!executable) return kept;
  return kept | ((kept & READ_BITS) >> 2) | 0o100;
}

export function setMode(descriptor: number, mode: number): void {
  fchmodSync(descriptor, mode);
}

export function setModifiedAt(descriptor: number, modifiedAtUs: number): void {
  futimesSync(descriptor, secondsOf(modifiedAtUs), secondsOf(modifiedAtUs));
}

export function setLinkModifiedAt(path: string, modifiedAtUs: number): void {
  lutimesSync(path, secondsOf(modifiedAtUs), secondsOf(modifiedAtUs));
}

/** Refuses what no clock gives, before anything is touched. */
export function checkAttributes(attributes: Attributes): void {
  const { modifiedAtUs } = attributes;
  if (modifiedAtUs !== undefined && !Number.isSafeInteger(modifiedAtUs)) {
    throw new RangeError('modifiedAtUs must be a safe integer of microseconds');
  }
}
