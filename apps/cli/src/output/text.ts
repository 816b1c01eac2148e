/*
 * What must not reach a terminal as it is: control characters (escape sequences), line and paragraph
 * separators, and marks that turn the direction of text around or are invisible.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;
const NEEDS_QUOTES = /^$|^\s|\s$|["\\]/;
const SHORT: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * A name or path from a server or disk as it may be printed: as it is when harmless, otherwise in quotes with
 * the odd characters written out.
 */
export function showName(name: string): string {
  const wellFormed = name.toWellFormed();
  const escaped = wellFormed.replace(/["\\]/g, (found) => `\\${found}`).replace(UNSAFE, escapeCharacter);
  const odd = NEEDS_QUOTES.test(wellFormed) || escaped.length !== wellFormed.length;
  return odd ? `"${escaped}"` : wellFormed;
}

/** Free text (an error's detail) without what could fool the terminal; line breaks become spaces. */
export function showText(text: string): string {
  return text.replace(/[\r\n\t]+/g, ' ').replace(UNSAFE, escapeCharacter);
}

function escapeCharacter(found: string): string {
  return SHORT[found] ?? `\\u{${(found.codePointAt(0) ?? 0).toString(16)}}`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** `0 B`, `812 B`, `1.5 KiB`, `12 MiB`. */
export function showSize(sizeBytes: number): string {
  let value = sizeBytes;
  let unit = 0;
  while (value >= 1023.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 9.95 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** Local time, `2026-11-20 14:03`. @param instant milliseconds since 1970 */
export function showInstant(instant: number): string {
  const date = new Date(instant);
  if (Number.isNaN(date.getTime())) return '-';
  const two = (value: number): string => String(value).padStart(2, '0');
  return (
    `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}`
  );
}

/** Local time to the second, `2026-11-20 14:03:09`, where the order of things counts. */
export function showMoment(instant: number): string {
  const date = new Date(instant);
  if (Number.isNaN(date.getTime())) return '-';
  return `${showInstant(instant)}:${String(date.getSeconds()).padStart(2, '0')}`;
}

/** `0.8 s`, `12 s`, `3 min 05 s`, `2 h 10 min`. */
export function showDuration(durationMs: number): string {
  if (durationMs < 9_950) return `${(durationMs / 1000).toFixed(1)} s`;
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
  return `${Math.floor(seconds / 3600)} h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, '0')} min`;
}

/** `1 file`, `2 files`. */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}
