import { t } from '../strings/t.ts';
import { LOCALE } from '../strings/translator.ts';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;
const numbers = [0, 1].map(
  (digits) => new Intl.NumberFormat(LOCALE, { maximumFractionDigits: digits, minimumFractionDigits: digits }),
);
const count = new Intl.NumberFormat(LOCALE);
const percent = new Intl.NumberFormat(LOCALE, { style: 'percent', maximumFractionDigits: 1 });
const date = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium' });
const dateTime = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'short' });
const exact = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'full', timeStyle: 'medium' });
const time = new Intl.DateTimeFormat(LOCALE, { timeStyle: 'short' });
const relative = new Intl.RelativeTimeFormat(LOCALE, { numeric: 'auto', style: 'short' });

/** `1.4 MiB`; powers of 1024. */
export function formatBytes(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return t('units.unknown');
  let value = bytes;
  let unit = 0;
  while (value >= 1023.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${numbers[digits]?.format(value)} ${UNITS[unit]}`;
}

/** `1.4 MiB/s` */
export function formatSpeed(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

export function formatCount(value: number): string {
  return count.format(value);
}

/** @param value 1 is the whole */
export function formatPercent(value: number): string {
  return percent.format(value);
}

/** @param atMs milliseconds since 1970 */
export function formatDate(atMs: number): string {
  return date.format(atMs);
}

export function formatDateTime(atMs: number): string {
  return dateTime.format(atMs);
}

/** To the second, for tooltips. */
export function formatExact(atMs: number): string {
  return exact.format(atMs);
}

export function formatTime(atMs: number): string {
  return time.format(atMs);
}

const STEPS = [
  { unit: 'minute', ms: 60_000, until: 60 },
  { unit: 'hour', ms: 3_600_000, until: 24 },
  { unit: 'day', ms: 86_400_000, until: 7 },
] as const;

/** `5 min. ago`, `yesterday`; older than a week the date. */
export function formatRelative(atMs: number, nowMs: number = Date.now()): string {
  const elapsed = nowMs - atMs;
  if (Math.abs(elapsed) < 45_000) return t('time.justNow');
  for (const { unit, ms, until } of STEPS) {
    const amount = Math.round(elapsed / ms);
    if (Math.abs(amount) < until) return relative.format(-amount, unit);
  }
  return formatDate(atMs);
}

/** `4 min`, `1 h 20 min`, `12 s`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) return `${Math.round(hours / 24)} d`;
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
}

/** Microseconds, as entries carry them, in milliseconds. */
export function millisecondsOf(modifiedAtUs: number): number {
  return Math.floor(modifiedAtUs / 1000);
}
