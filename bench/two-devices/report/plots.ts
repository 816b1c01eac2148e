import { FLOOR_NAMES } from '../measurement.ts';
import type { Spread, Summary } from './summary.ts';
import { bar, decades, dot, line, logScale, picture, type Tone, text } from './svg.ts';
import { nameOf, showMegabytes } from './table.ts';
import type { Target } from './targets.ts';

const WIDTH = 860;
const LABEL_WIDTH = 150;
const VALUE_WIDTH = 170;
const ROW = 20;
const PANEL_GAP = 46;

/** The plots of a report by file name; those that would show nothing are left out. */
export function drawPlots(summaries: readonly Summary[], targets: readonly Target[]): Map<string, string> {
  const plots = new Map<string, string>();
  const times = summaries.filter(({ step, seconds }) => seconds !== null && step !== 'latency');
  if (times.length > 0)
    plots.set(
      'times.svg',
      drawBars('Time until B has it', times, ({ seconds }) => seconds, showSeconds),
    );
  const wires = summaries.filter(({ wireMegabytes }) => wireMegabytes !== null);
  if (wires.length > 0)
    plots.set(
      'wire.svg',
      drawBars('Bytes on the wire, both hops', wires, ({ wireMegabytes }) => wireMegabytes, showMegabytes),
    );
  const cpus = summaries.filter(({ cpuSeconds }) => cpuSeconds !== null);
  if (cpus.length > 0)
    plots.set('cpu.svg', drawBars('CPU seconds of all three places', cpus, sumCpu, showSeconds));
  const samples = summaries.filter(({ step, samplesMs }) => step === 'latency' && samplesMs.length > 0);
  if (samples.length > 0) plots.set('latency.svg', drawSamples(samples));
  const judged = targets.filter(({ share }) => share !== null);
  if (judged.length > 0) plots.set('targets.svg', drawTargets(judged));
  return plots;
}

/** A panel for each step, in each a bar for each peer from 0 on, with a whisker from the least to the most. */
function drawBars(
  title: string,
  summaries: readonly Summary[],
  read: (summary: Summary) => Spread | null,
  show: (value: number) => string,
): string {
  const parts = [text(16, 26, title, { kind: 'title' })];
  let y = 26;
  for (const own of Map.groupBy(summaries, ({ step }) => step).values()) {
    y += PANEL_GAP;
    parts.push(text(16, y - 10, own[0]?.title ?? '', { kind: 'faint' }));
    const most = Math.max(...own.map((each) => read(each)?.max ?? 0));
    const scale = (value: number) => (most === 0 ? 0 : (value / most) * (WIDTH - LABEL_WIDTH - VALUE_WIDTH));
    for (const each of own) {
      const spread = read(each);
      if (spread === null) continue;
      const middle = y + ROW / 2;
      parts.push(text(LABEL_WIDTH - 8, middle + 4, nameOf(each.peer), { anchor: 'end' }));
      parts.push(bar(LABEL_WIDTH, y + 3, scale(spread.median), ROW - 6, toneOf(each)));
      if (spread.min !== spread.max)
        parts.push(
          line(LABEL_WIDTH + scale(spread.min), middle, LABEL_WIDTH + scale(spread.max), middle, 'mark'),
        );
      const value = `${each.isEstimate ? '≈ ' : ''}${show(spread.median)}`;
      parts.push(text(LABEL_WIDTH + scale(spread.max) + 8, middle + 4, value));
      y += ROW;
    }
  }
  return picture(WIDTH, y + 20, title, parts);
}

/** A line for each target: where it stands beside the limit, on a logarithmic scale. */
function drawTargets(targets: readonly Target[]): string {
  const ticks = decades([...targets.map(({ share }) => share ?? 1), 0.5, 2]);
  const left = 470;
  const right = WIDTH - 70;
  const scale = logScale(ticks[0] ?? 0.1, ticks.at(-1) ?? 10, left, right);
  const bottom = 50 + targets.length * ROW + 6;
  const title = 'Targets: share of what is allowed (left of 1: met)';
  const parts = [text(16, 26, title, { kind: 'title' })];
  for (const tick of ticks) {
    parts.push(line(scale(tick), 44, scale(tick), bottom, tick === 1 ? 'mark' : 'line'));
    parts.push(text(scale(tick), bottom + 16, String(tick), { kind: 'faint', anchor: 'middle' }));
  }
  targets.forEach(({ work, demand, share }, index) => {
    if (share === null) return;
    const y = 50 + index * ROW + ROW / 2;
    parts.push(text(left - 12, y + 4, `${shorten(work, 40)}: ${demand}`, { anchor: 'end' }));
    parts.push(dot(scale(share), y, 5, share <= 1 ? 'good' : 'bad'));
    parts.push(text(WIDTH - 12, y + 4, share <= 1 ? 'met' : 'missed', { anchor: 'end', kind: 'faint' }));
  });
  return picture(WIDTH, bottom + 30, title, parts);
}

/** A line for each peer with a dot for each sample, on a logarithmic scale of milliseconds. */
function drawSamples(summaries: readonly Summary[]): string {
  const ticks = decades(summaries.flatMap(({ samplesMs }) => samplesMs));
  const height = 34;
  const scale = logScale(ticks[0] ?? 1, ticks.at(-1) ?? 1000, LABEL_WIDTH, WIDTH - 40);
  const bottom = 54 + summaries.length * height;
  const title =
    'Milliseconds from A’s write of 1 KiB until B reads it; each dot one sample, the line their median';
  const parts = [text(16, 26, title, { kind: 'title' })];
  for (const tick of ticks) {
    parts.push(line(scale(tick), 44, scale(tick), bottom, 'line'));
    parts.push(text(scale(tick), bottom + 16, String(tick), { kind: 'faint', anchor: 'middle' }));
  }
  summaries.forEach((summary, index) => {
    const y = 54 + index * height + height / 2;
    parts.push(text(LABEL_WIDTH - 8, y + 4, nameOf(summary.peer), { anchor: 'end' }));
    for (const sample of summary.samplesMs) parts.push(dot(scale(sample), y, 4, toneOf(summary), 0.5));
    const median = (summary.seconds?.median ?? 0) * 1000;
    parts.push(line(scale(median), y - 11, scale(median), y + 11, 'mark'));
  });
  return picture(WIDTH, bottom + 30, title, parts);
}

function toneOf({ peer }: Summary): Tone {
  if (peer === 'cairn') return 'own';
  return FLOOR_NAMES.some((name) => name === peer) ? 'floor' : 'other';
}

function sumCpu({ cpuSeconds }: Summary): Spread | null {
  if (cpuSeconds === null) return null;
  const sum = (part: keyof Spread) => cpuSeconds.server[part] + cpuSeconds.a[part] + cpuSeconds.b[part];
  return { median: sum('median'), min: sum('min'), max: sum('max') };
}

function showSeconds(seconds: number): string {
  return seconds < 1 ? `${(seconds * 1000).toFixed(0)} ms` : `${seconds.toFixed(2)} s`;
}

function shorten(words: string, most: number): string {
  return words.length <= most ? words : `${words.slice(0, most - 1)}…`;
}
