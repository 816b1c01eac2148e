import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

export interface ProcessUsage {
  /** Since its start, or since {@link resetPeak}. */
  readonly peakRssBytes: number;
  readonly cpuSeconds: number;
}

let ticksPerSecond = 0;

/**
 * What a process, and those of its children that it has waited for, have used since its start, from /proc (Linux);
 * zeros elsewhere. The peak is its own.
 */
export function readUsage(processId: number): ProcessUsage {
  if (process.platform !== 'linux') return { peakRssBytes: 0, cpuSeconds: 0 };
  const peakRssBytes = readKib(processId, 'VmHWM') * 1024;
  const { own, waited } = readCpuSeconds(processId);
  return { peakRssBytes, cpuSeconds: own + waited };
}

/** CPU time of all children of this process that have ended (Linux). */
export function readWaitedCpuSeconds(): number {
  return process.platform === 'linux' ? readCpuSeconds(process.pid).waited : 0;
}

/** What a process has in memory now (Linux). */
export function readResidentBytes(processId: number): number {
  return process.platform === 'linux' ? readKib(processId, 'VmRSS') * 1024 : 0;
}

/**
 * For each process the sum of its peak and those of what descends from it (Linux); 0 for one that is gone. Looks at
 * every process there is, which takes milliseconds.
 */
export function readTreePeaks(roots: readonly number[]): number[] {
  if (process.platform !== 'linux') return roots.map(() => 0);
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const id = Number(name);
    if (!Number.isInteger(id)) continue;
    const parent = tryRead(() => Number(readStatFields(id)[1]));
    if (parent !== null) parents.set(id, parent);
  }
  const isBelow = (id: number, root: number) => {
    let above: number | undefined = id;
    while (above !== undefined && above !== root) above = parents.get(above);
    return above === root;
  };
  return roots.map((root) => {
    const below = [...parents.keys()].filter((id) => isBelow(id, root));
    return below.reduce((total, id) => total + readPeak(id), 0);
  });
}

/** Peak of a process that may be gone by now: then 0. */
export function readPeak(processId: number): number {
  return process.platform === 'linux' ? (tryRead(() => readKib(processId, 'VmHWM') * 1024) ?? 0) : 0;
}

/**
 * CPU time of all threads of a process in seconds, to the nanosecond where the kernel keeps it (Linux). Threads that
 * end take theirs along: for stretches in which none does.
 */
export function readThreadSeconds(processId: number): number {
  let nanoseconds = 0n;
  for (const thread of readdirSync(`/proc/${processId}/task`)) {
    const text = tryRead(() => readFileSync(`/proc/${processId}/task/${thread}/schedstat`, 'utf8'));
    if (text !== null) nanoseconds += BigInt(text.split(' ')[0] ?? 0);
  }
  return Number(nanoseconds) / 1e9;
}

/** Lets the peak of the memory count anew from what it has now (Linux). */
export function resetPeak(processId: number): void {
  if (process.platform === 'linux') writeFileSync(`/proc/${processId}/clear_refs`, '5');
}

function readCpuSeconds(processId: number): { own: number; waited: number } {
  ticksPerSecond ||= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  const fields = readStatFields(processId);
  const seconds = (first: number) => (Number(fields[first]) + Number(fields[first + 1])) / ticksPerSecond;
  return { own: seconds(11), waited: seconds(13) };
}

/** Fields of /proc/…/stat from the state on: the name before it, in parentheses, may hold spaces. */
function readStatFields(processId: number): string[] {
  const stat = readFileSync(`/proc/${processId}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function readKib(processId: number, field: string): number {
  const status = readFileSync(`/proc/${processId}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
}

/** `null` where the process ended before it could be read. */
function tryRead<Value>(read: () => Value): Value | null {
  try {
    return read();
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}
