import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Calls that change a disk. A process killed between two of them leaves what the first of them left. */
const CHANGING = [
  ...['write', 'pwrite64', 'writev', 'pwritev', 'ftruncate', 'fallocate', 'fsync', 'fdatasync'],
  ...['rename', 'renameat', 'renameat2', 'link', 'linkat', 'unlink', 'unlinkat', 'symlink', 'symlinkat'],
  ...['mkdir', 'mkdirat', 'rmdir', 'fchmod', 'fchmodat', 'utimensat', 'copy_file_range'],
];
const OPERATION = join(import.meta.dirname, 'operation.ts');

/** Why processes cannot be killed at system calls here, or `null` when they can. */
export function whyNoStrace(): string | null {
  const tried = spawnSync('strace', ['-qq', '-o', '/dev/null', 'true'], { encoding: 'utf8' });
  if (tried.error !== undefined) return 'strace is not installed (Debian: apt-get install strace)';
  return tried.status === 0 ? null : `strace may not trace here: ${tried.stderr.trim()}`;
}

/** The `count`th call of that name of a thread. */
export interface CallPoint {
  readonly call: string;
  readonly count: number;
}

export interface Killed {
  /** Such as `fdatasync 2`: it died right after that. */
  readonly at: string;
  /** What it had said it had done. */
  readonly said: readonly string[];
}

/**
 * Lets a child do an operation again and again, killed (SIGKILL) after each of its calls that change the disk in
 * turn, and once not at all.
 * @param prepare makes a fresh folder's start
 * @param verify looks at what is left; throws when it is not as it must be
 * @returns where it was killed
 */
export async function killAtEachCall(options: {
  readonly operation: string;
  /** Which of the points are taken; all unless told. */
  choose?(points: readonly CallPoint[]): readonly CallPoint[];
  prepare(root: string): void | Promise<void>;
  verify(root: string, killed: Killed): void | Promise<void>;
}): Promise<readonly string[]> {
  const { operation, prepare, verify, choose = (all) => all } = options;
  const work = mkdtempSync(join(tmpdir(), 'cairn-calls-'));
  try {
    const traced = join(work, 'traced');
    await prepare(traced);
    const log = join(work, 'log');
    const whole = await run(operation, traced, ['-y', '-o', log, '-e', `trace=${CHANGING.join(',')}`]);
    if (whole.signal !== null || !whole.said.includes('done'))
      throw new Error(`${operation} does not come to its end: ${whole.errors}`);
    await verify(traced, { at: 'the end', said: whole.said });
    const points = choose(findPoints(readFileSync(log, 'utf8'), traced));
    const reached: string[] = [];
    for (const [index, { call, count }] of points.entries()) {
      const root = join(work, String(index));
      await prepare(root);
      const inject = `inject=${call}:signal=SIGKILL:when=${count}`;
      const { said, signal } = await run(operation, root, [
        '-o',
        '/dev/null',
        '-e',
        `trace=${call}`,
        '-e',
        inject,
      ]);
      const at = `${call} ${count}`;
      if (signal !== null) reached.push(at);
      try {
        await verify(root, { at, said });
      } catch (error) {
        throw new Error(`${operation}, killed after ${at}: ${(error as Error).message}`, { cause: error });
      }
      rmSync(root, { recursive: true, force: true });
    }
    return reached;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function run(operation: string, root: string, options: readonly string[]) {
  const words = ['-f', '-qq', ...options, process.execPath, OPERATION, operation, root];
  // One thread for files: the order of calls is then the same every time.
  const child = spawn('strace', words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, UV_THREADPOOL_SIZE: '1', NODE_NO_WARNINGS: '1' },
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  if (code !== 0 && signal === null) throw new Error(`${operation} failed (${code}): ${errors.trim()}`);
  return { said: output.split('\n').filter((line) => line !== ''), signal, errors };
}

/** The calls that concern the folder, each with its number among its like in its thread. */
function findPoints(log: string, root: string): CallPoint[] {
  const counts = new Map<string, number>();
  const points = new Map<string, CallPoint>();
  for (const line of log.split('\n')) {
    const found = /^(\d+)\s+(\w+)\((.*)/.exec(line);
    if (found === null) continue;
    const [, thread, call, rest] = found as unknown as [string, string, string, string];
    const count = (counts.get(`${thread} ${call}`) ?? 0) + 1;
    counts.set(`${thread} ${call}`, count);
    if (rest.includes(root) || rest.includes('/proc/self/fd/'))
      points.set(`${call} ${count}`, { call, count });
  }
  return [...points.values()];
}
