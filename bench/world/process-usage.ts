import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

export interface ProcessUsage {
  /** Since its start, or since {@link resetPeak}. */
  readonly peakRssBytes: number;
  readonly cpuSeconds: number;
}

let ticksPerSecond = 0;

/** What a process has used since its start, from /proc (Linux); zeros elsewhere. */
export function readUsage(processId: number): ProcessUsage {
  if (process.platform !== 'linux') return { peakRssBytes: 0, cpuSeconds: 0 };
  ticksPerSecond ||= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  const status = readFileSync(`/proc/${processId}/status`, 'utf8');
  const peakKib = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
  const stat = readFileSync(`/proc/${processId}/stat`, 'utf8');
  // The name, in parentheses, may hold spaces; user and system time are the 12th and 13th field after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { peakRssBytes: peakKib * 1024, cpuSeconds: ticks / ticksPerSecond };
}

/** Lets the peak of the memory count anew from what it has now (Linux). */
export function resetPeak(processId: number): void {
  if (process.platform === 'linux') writeFileSync(`/proc/${processId}/clear_refs`, '5');
}

/** Bytes of memory that a process has now (Linux); 0 elsewhere. */
export function readResident(processId: number): number {
  if (process.platform !== 'linux') return 0;
  const status = readFileSync(`/proc/${processId}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}
