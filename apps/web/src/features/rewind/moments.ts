/** A moment to which one may rewind: the end of a run of changes. */
export interface Moment {
  /** Milliseconds since 1970; everything of the run had happened by then. */
  readonly at: number;
  readonly firstAt: number;
  readonly changes: number;
  readonly deviceNames: readonly string[];
}

/** Changes with no longer pause between them are one moment. */
const MAX_PAUSE_MS = 60_000;

/**
 * The moments at which something changed.
 * @param changes newest first
 * @returns oldest first
 */
export function findMoments(
  changes: readonly { readonly committedAt: number; readonly deviceName: string }[],
): Moment[] {
  const moments: { at: number; firstAt: number; changes: number; deviceNames: string[] }[] = [];
  for (const { committedAt, deviceName } of changes) {
    const newest = moments.at(-1);
    if (newest !== undefined && newest.firstAt - committedAt <= MAX_PAUSE_MS) {
      newest.firstAt = committedAt;
      newest.changes += 1;
      if (!newest.deviceNames.includes(deviceName)) newest.deviceNames.push(deviceName);
    } else {
      moments.push({ at: committedAt, firstAt: committedAt, changes: 1, deviceNames: [deviceName] });
    }
  }
  return moments.reverse();
}

/** The index of the last moment that is not after the instant; -1 when all are. */
export function momentBefore(moments: readonly Moment[], at: number): number {
  let low = 0;
  let high = moments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((moments[middle]?.at ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** An instant as the value of an input of type `datetime-local`, with seconds, in local time. */
export function toInputValue(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${String(date.getFullYear()).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/**
 * The instant an input of type `datetime-local` means; `null` for none. The end of the second or minute that was
 * chosen, so that what happened within it is part of it.
 */
export function fromInputValue(value: string): number | null {
  const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,3})?)?$/.exec(value);
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1).map((text) => Number(text ?? 59));
  const at = new Date(year ?? 0, (month ?? 1) - 1, day, hour, minute, second ?? 59, 999).getTime();
  return Number.isNaN(at) ? null : at;
}
