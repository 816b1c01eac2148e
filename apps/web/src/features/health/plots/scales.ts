/** From a domain to pixels, linearly. */
export type LinearScale = (value: number) => number;

/** A scale; a domain of one value lies in the middle. */
export function linearScale(
  domain: readonly [number, number],
  range: readonly [number, number],
): LinearScale {
  const [low, high] = domain;
  const [start, end] = range;
  if (high === low) return () => (start + end) / 2;
  return (value) => start + ((value - low) / (high - low)) * (end - start);
}

/**
 * Round values of bytes from 0 up to at least `max`: multiples of 1, 2 or 5 times a power of ten of the unit that
 * people read.
 * @param wanted about how many steps
 */
export function byteTicks(max: number, wanted = 4): number[] {
  if (!(max > 0)) return [0, 1];
  let unit = 1;
  // A tick of 0.5 GiB is read more easily than one of 512 MiB.
  while (max / wanted >= unit * 200) unit *= 1024;
  const step = Math.max(unit === 1 ? 1 : 0, niceStep(max / unit / wanted)) * unit;
  const ticks: number[] = [];
  for (let value = 0; ticks.length === 0 || (ticks.at(-1) ?? 0) < max; value += step) ticks.push(value);
  return ticks;
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5].find((candidate) => candidate * power >= rough * 0.999) ?? 10;
  return factor * power;
}

/** Instants to name below a plot: at most `most`, evenly spread, the first and the last among them. */
export function timeTicks([from, until]: readonly [number, number], most: number): number[] {
  if (until <= from || most < 2) return [from];
  return Array.from({ length: most }, (_, index) => from + ((until - from) * index) / (most - 1));
}

export interface Sample {
  readonly at: number;
  readonly value: number;
}

/** Path data of a line through the samples, which breaks where nothing was measured for longer than `maxPauseMs`. */
export function linePath(
  samples: readonly Sample[],
  x: LinearScale,
  y: LinearScale,
  maxPauseMs = Number.POSITIVE_INFINITY,
): string {
  let path = '';
  let before: Sample | null = null;
  for (const sample of samples) {
    const starts = before === null || sample.at - before.at > maxPauseMs;
    path += `${starts ? 'M' : 'L'}${round(x(sample.at))} ${round(y(sample.value))}`;
    before = sample;
  }
  return path;
}

/** Path data of the area between a line without breaks and the zero line. */
export function areaPath(samples: readonly Sample[], x: LinearScale, y: LinearScale): string {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined) return '';
  return `${linePath(samples, x, y)}L${round(x(last.at))} ${round(y(0))}L${round(x(first.at))} ${round(y(0))}Z`;
}

const round = (value: number): number => Math.round(value * 100) / 100;

/**
 * Widths of the parts of a stacked bar in percent, together 100. A part that is there is never thinner than
 * `minPercent`, at the cost of the others in proportion; one of 0 has no width.
 */
export function barWidths(parts: readonly number[], minPercent = 1): number[] {
  const total = parts.reduce((sum, part) => sum + Math.max(0, part), 0);
  if (total === 0) return parts.map(() => 0);
  const raw = parts.map((part) => (Math.max(0, part) / total) * 100);
  const isThin = raw.map((width) => width > 0 && width < minPercent);
  const thinSum = isThin.filter(Boolean).length * minPercent;
  const thickSum = raw.reduce((sum, width, index) => sum + (isThin[index] ? 0 : width), 0);
  return raw.map((width, index) => (isThin[index] ? minPercent : (width / thickSum) * (100 - thinSum)));
}
