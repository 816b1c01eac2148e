import { fchmodSync, fstatSync, futimesSync, lutimesSync } from 'node:fs';
import type { Attributes } from '../filesystem.ts';

const READ_BITS = 0o444;
const EXECUTE_BITS = 0o111;
const PERMISSION_BITS = 0o777;

/**
 * Seconds as Node takes them. Half a microsecond more, so that cutting nanoseconds off to microseconds gives
 * the same number back; as text, since Node takes a negative number for "now". Doubles carry this exactly up to
 * the year 2242; after that a time may come back 1 µs off, which the returned status shows.
 */
export function secondsOf(modifiedAtUs: number): string {
  return String((modifiedAtUs + 0.5) / 1e6);
}

/** Microseconds (rounded down) of nanoseconds; the inverse of what {@link secondsOf} sets. */
export function microsecondsOf(nanoseconds: bigint): number {
  const whole = nanoseconds / 1000n;
  return Number(nanoseconds < 0n && nanoseconds % 1000n !== 0n ? whole - 1n : whole);
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

/** Gives a new file its permission bits and time, as far as it does not have them. */
export function setNewAttributes(
  context: { readonly umask: number; readonly capabilities: { readonly executableBit: boolean } },
  descriptor: number,
  attributes: Attributes,
): void {
  const now = fstatSync(descriptor, { bigint: true });
  if (context.capabilities.executableBit) {
    const mode = newFileMode(attributes.executable ?? false, context.umask);
    if ((Number(now.mode) & PERMISSION_BITS) !== mode) setMode(descriptor, mode);
  }
  const { modifiedAtUs } = attributes;
  if (modifiedAtUs !== undefined && microsecondsOf(now.mtimeNs) !== modifiedAtUs) {
    setModifiedAt(descriptor, modifiedAtUs);
  }
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
