import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { REPOSITORY } from './built-app.ts';

export const CAIRN = join(REPOSITORY, 'bin', 'cairn');
const CLOCK = pathToFileURL(join(import.meta.dirname, 'server-clock.ts')).href;
const START_TIMEOUT_MS = 120_000;

/** Only what a program needs: a developer's own settings must not leak in. */
export function variables(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const kept: NodeJS.ProcessEnv = { ...more };
  for (const name of ['PATH', 'HOME', 'TMPDIR', 'LANG']) {
    const value = process.env[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}

/** Runs a `cairn` command to its end; rejects with what it printed when it fails. */
export async function runCairn(
  words: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  const child = spawn(process.execPath, [CAIRN, ...words], {
    env: variables(more),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`cairn ${words.join(' ')} failed (${code}): ${output.trim()}`);
  return output;
}

export interface CairnServer {
  /** Such as `http://127.0.0.1:41234`. */
  readonly url: string;
  readonly port: number;
  /** A folder of its own, removed at the end. */
  readonly folder: string;
  /** What it wrote so far. */
  readLog(): string;
  /** Ends the process, as a crash or a power cut would with SIGKILL; its data and its port stay for {@link resume}. */
  halt(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Starts it anew after {@link halt}, at the same address; nothing while it runs. */
  resume(): Promise<void>;
  /** Has the process stand still (SIGSTOP) or go on (SIGCONT), while its connections stay open. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  /** Makes its clock show this long before the real time; with `hasClock` only. */
  setBack(durationMs: number): Promise<void>;
  stop(): Promise<void>;
}

export interface CairnServerOptions {
  /** More variables of its environment, such as `CAIRN_SIGNUP`. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Its clock can be set back. */
  readonly hasClock?: boolean;
}

/** A real `cairn serve` on a free port with a folder of its own, kept apart from this process. */
export async function startCairn(options: CairnServerOptions = {}): Promise<CairnServer> {
  const folder = await mkdtemp(join(tmpdir(), 'cairn-web-test-'));
  const clock = join(folder, 'clock');
  const withClock = { NODE_OPTIONS: `--import=${CLOCK}`, CAIRN_TEST_CLOCK: clock };
  const setBack = (durationMs: number) => writeFile(clock, String(-durationMs));
  let log = '';
  let child: ChildProcess | null = null;

  async function launch(port: number): Promise<string> {
    const started: ChildProcess = spawn(
      process.execPath,
      [CAIRN, 'serve', '--data', join(folder, 'data'), '--port', String(port)],
      {
        env: variables({ ...options.variables, ...(options.hasClock === true ? withClock : {}) }),
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    child = started;
    let output = '';
    return new Promise<string>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`cairn serve does not start: ${output}`)),
        START_TIMEOUT_MS,
      );
      started.on('exit', (code) => reject(new Error(`cairn serve ended (${code}): ${output}`)));
      for (const stream of [started.stdout, started.stderr]) {
        stream?.setEncoding('utf8').on('data', (text: string) => {
          log += text;
          output += text;
          const found = /http:\/\/127\.0\.0\.1:\d+/.exec(output);
          if (found === null) return;
          clearTimeout(timer);
          resolve(found[0]);
        });
      }
    });
  }
  async function halt(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const ending = child;
    if (ending === null || ending.exitCode !== null || ending.signalCode !== null) return;
    const ended = once(ending, 'exit');
    ending.kill(signal);
    const timer = setTimeout(() => ending.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(timer);
  }
  async function stop(): Promise<void> {
    child?.kill('SIGCONT');
    await halt();
    await rm(folder, { recursive: true, force: true });
  }
  try {
    const url = await launch(0);
    const port = Number(new URL(url).port);
    return {
      url,
      port,
      folder,
      readLog: () => log,
      halt,
      async resume() {
        if (child?.exitCode !== null || child.signalCode !== null) await launch(port);
      },
      signal: (name) => child?.kill(name),
      setBack,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
