import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CairnError } from '@cairn/model';
import { ENDS_WITH_PARENT } from '../end-with-parent.ts';

/** The command as a person starts it. */
const CAIRN = fileURLToPath(new URL('../../../../bin/cairn', import.meta.url));
/** Output kept of one process; a daemon that talks more than this loses its oldest lines. */
const MAX_OUTPUT_CHARACTERS = 256 * 1024;

export interface ChildOptions {
  /** Added to this process's own environment. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Run as another user; only where this process may. */
  readonly uid?: number;
}

export interface CairnProcess {
  readonly pid: number;
  /** What it has printed so far, on both streams. */
  readonly output: string;
  readonly hasEnded: boolean;
  /** Exit status (`null` when a signal ended it). */
  readonly ended: Promise<number | null>;
  signal(name: NodeJS.Signals): void;
  /** Ends it at once, as a loss of power would, and waits until it is gone. */
  kill(): Promise<void>;
  /** Asks it to end and waits; after `timeoutMs` it is killed. */
  stop(timeoutMs?: number): Promise<number | null>;
}

export interface ChildProcesses {
  /** Starts `cairn` with these words as a process of its own. */
  start(words: readonly string[], options?: ChildOptions): CairnProcess;
  /** Kills all that still run and waits until they are gone. */
  killAll(): Promise<void>;
  /** The same without waiting, for a process that is about to exit itself. */
  killAllNow(): void;
}

/** Keeps hold of the `cairn` processes it starts, so that none outlives it, even when it is killed itself. */
export function createChildProcesses(): ChildProcesses {
  const running = new Map<ChildProcess, CairnProcess>();

  function start(words: readonly string[], options: ChildOptions = {}): CairnProcess {
    const child = spawn(process.execPath, [CAIRN, ...words], {
      // The first pipe only tells the child that this process has ended.
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', ...options.variables, [ENDS_WITH_PARENT]: '1' },
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    });
    let output = '';
    let hasEnded = false;
    const keep = (piece: Buffer): void => {
      output = (output + String(piece)).slice(-MAX_OUTPUT_CHARACTERS);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const ended = new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => {
        hasEnded = true;
        running.delete(child);
        resolve(code);
      });
    });
    const made: CairnProcess = {
      pid: child.pid ?? -1,
      get output() {
        return output;
      },
      get hasEnded() {
        return hasEnded;
      },
      ended,
      signal: (name) => void child.kill(name),
      async kill() {
        child.kill('SIGKILL');
        await ended;
      },
      async stop(timeoutMs = 15_000) {
        child.kill('SIGTERM');
        const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
        try {
          return await ended;
        } finally {
          clearTimeout(timer);
        }
      },
    };
    running.set(child, made);
    return made;
  }

  return {
    start,
    async killAll() {
      await Promise.allSettled([...running.values()].map((each) => each.kill()));
    },
    killAllNow() {
      for (const child of running.keys()) child.kill('SIGKILL');
    },
  };
}

/** Starts `cairn serve` on a free port (or the one told) and waits for its address. */
export async function startServerProcess(
  processes: ChildProcesses,
  data: string,
  options: ChildOptions & {
    readonly port?: number;
    readonly words?: readonly string[];
    /** How long it may take until it answers; 30 s unless told. */
    readonly timeoutMs?: number;
  } = {},
): Promise<{ readonly process: CairnProcess; readonly url: string; readonly port: number }> {
  const words = ['serve', '--data', data, '--port', String(options.port ?? 0), ...(options.words ?? [])];
  const server = processes.start(words, {
    ...options,
    variables: { CAIRN_LOG_LEVEL: 'error', ...options.variables },
  });
  const address = /running at (http:\/\/\S+:(\d+))/;
  const found = await waitUntil(
    () => {
      if (server.hasEnded) throw new CairnError('not-running', `the server did not start: ${server.output}`);
      return address.exec(server.output) ?? undefined;
    },
    'the server to answer',
    options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs },
  );
  return { process: server, url: found[1] ?? '', port: Number(found[2]) };
}

/**
 * Asks again and again until there is an answer other than `undefined` and `false`.
 * @throws CairnError `unavailable` after `timeoutMs`, or whatever `check` throws
 */
export async function waitUntil<Answer>(
  check: () => Answer | Promise<Answer>,
  what: string,
  options: { readonly timeoutMs?: number; readonly signal?: AbortSignal; readonly everyMs?: number } = {},
): Promise<Exclude<Answer, undefined | false>> {
  const { timeoutMs = 30_000, everyMs = 10, signal } = options;
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    const answer = await check();
    if (answer !== undefined && answer !== false) return answer as Exclude<Answer, undefined | false>;
    if (performance.now() > giveUpAt)
      throw new CairnError('unavailable', `waited ${timeoutMs / 1000} s in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
