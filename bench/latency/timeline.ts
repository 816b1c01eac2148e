import { existsSync, readFileSync } from 'node:fs';
import { median } from '../world/statistics.ts';
import { type Mark, marksPath } from './marks.ts';

/** From the end of a write on one device to the moment when the other one's reader had it, in monotonic milliseconds. */
export interface Sample {
  readonly closedAtMs: number;
  readonly seenAtMs: number;
}

interface Row {
  readonly label: string;
  readonly startsMs: number[];
  readonly durationsMs: number[];
}

/**
 * What the processes did between write and read, as text: a line for each thing that most samples have, in the order of
 * time, with the medians of when it began (milliseconds after close) and how long it took.
 */
export function describeTimeline(
  folder: string,
  processes: readonly { readonly name: string; readonly processId: number }[],
  samples: readonly Sample[],
): string {
  const rows = new Map<string, Row>();
  for (const { name, processId } of processes) {
    const marks = readMarks(marksPath(folder, processId));
    for (const { closedAtMs, seenAtMs } of samples) {
      const counts = new Map<string, number>();
      for (const { label, startMs, durationMs } of marks) {
        if (startMs < closedAtMs - 1 || startMs > seenAtMs) continue;
        const nth = (counts.get(label) ?? 0) + 1;
        counts.set(label, nth);
        const key = `${name.padEnd(8)} ${label}${nth === 1 ? '' : ` (${nth})`}`;
        const row = rows.get(key) ?? { label: key, startsMs: [], durationsMs: [] };
        rows.set(key, row);
        row.startsMs.push(startMs - closedAtMs);
        row.durationsMs.push(durationMs);
      }
    }
  }
  const usual = [...rows.values()]
    .filter(({ startsMs }) => startsMs.length > samples.length / 2)
    .map(({ label, startsMs, durationsMs }) => ({
      label,
      startMs: median(startsMs),
      durationMs: median(durationsMs),
    }))
    .sort((a, b) => a.startMs - b.startMs);
  const lines = usual.map(
    ({ label, startMs, durationMs }) =>
      `${startMs.toFixed(1).padStart(8)} ${durationMs < 0.05 ? ''.padStart(8) : durationMs.toFixed(1).padStart(8)}  ${label}`,
  );
  return ['after ms  took ms', ...lines].join('\n');
}

function readMarks(path: string): Mark[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Mark);
}
