import type { Epoch } from './ids.ts';

/**
 * A place in one history of one space: the server's epoch, a journal sequence and the first 16 hex digits of
 * the journal's chained hash there. A server that holds another history recognises the difference by itself.
 */
export interface Cursor {
  readonly epoch: Epoch;
  readonly sequence: number;
  readonly hash: string;
}

const CURSOR = /^([a-z2-7]{26})\.(0|[1-9][0-9]{0,15})\.([0-9a-f]{16})$/;

/** Text form, opaque to everybody but us: `epoch.sequence.hash`. */
export function formatCursor(cursor: Cursor): string {
  return `${cursor.epoch}.${cursor.sequence}.${cursor.hash}`;
}

/** Parses the text form; `null` when it is not one. */
export function parseCursor(text: string): Cursor | null {
  const match = CURSOR.exec(text);
  if (match === null) return null;
  return { epoch: match[1] as Epoch, sequence: Number(match[2]), hash: match[3] as string };
}
