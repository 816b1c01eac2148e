import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

/** One thing that a traced process did. Instants are of the system's monotonic clock, the same for all processes. */
export interface Mark {
  readonly label: string;
  readonly startMs: number;
  readonly durationMs: number;
}

const WRITE_AFTER_MS = 300;

/** Milliseconds of the system's monotonic clock, which processes share. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** The file with the marks of a process. */
export function marksPath(folder: string, processId: number): string {
  return join(folder, `marks-${processId}.jsonl`);
}

/** Takes marks and appends them to this process's file once it is quiet, so that writing them is not measured. */
export function openMarks(folder: string): (label: string, startMs: number, endMs?: number) => void {
  const path = marksPath(folder, process.pid);
  let lines: string[] = [];
  return (label, startMs, endMs = startMs) => {
    const mark: Mark = { label, startMs, durationMs: endMs - startMs };
    lines.push(JSON.stringify(mark));
    if (lines.length > 1) return;
    setTimeout(() => {
      appendFileSync(path, `${lines.join('\n')}\n`);
      lines = [];
    }, WRITE_AFTER_MS).unref();
  };
}
