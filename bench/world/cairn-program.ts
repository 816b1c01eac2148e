import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { track } from './child-processes.ts';

const CAIRN = join(import.meta.dirname, '..', '..', 'bin', 'cairn');
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;
const POLL_MS = 25;
const TAIL_CHARACTERS = 3000;

export type Variables = Readonly<Record<string, string>>;

export interface ProgramOptions {
  /** For messages. */
  readonly name: string;
  readonly words: readonly string[];
  /** For the runtime, in front of the command. */
  readonly runtimeFlags?: readonly string[];
  readonly variables: Variables;
  /** Takes standard output and standard error of all its runs. */
  readonly logPath: string;
  /** What it prints when it is ready. */
  readonly readyText: string;
  /** How long it may take until then; a minute unless told. */
  readonly startTimeoutMs?: number;
}

/** A `cairn` command that keeps running, and may be killed and started again. */
export class CairnProgram {
  readonly #options: ProgramOptions;
  #child: ChildProcess | null = null;
  #logStart = 0;
  #endedByUs = false;
  /** How it ended when nobody asked for it. */
  readonly unexpectedEnds: string[] = [];

  constructor(options: ProgramOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  get processId(): number {
    const processId = this.#child?.pid;
    if (processId === undefined) throw new Error(`${this.name} is not running`);
    return processId;
  }

  get isRunning(): boolean {
    return this.#child !== null;
  }

  /** Starts it without waiting until it is ready. */
  launch(): void {
    if (this.#child !== null) throw new Error(`${this.name} is running already`);
    const { words, runtimeFlags = [], variables, logPath } = this.#options;
    const log = openSync(logPath, 'a');
    this.#logStart = readFileSync(logPath).length;
    this.#endedByUs = false;
    const child = spawn(process.execPath, [...runtimeFlags, CAIRN, ...words], {
      stdio: ['ignore', log, log],
      env: baseVariables(variables),
    });
    closeSync(log);
    track(child);
    this.#child = child;
    child.on('exit', (code, signal) => {
      if (this.#child === child) this.#child = null;
      if (!this.#endedByUs) {
        this.unexpectedEnds.push(
          `${this.name} ended by itself (${signal ?? `exit ${code}`}):\n${this.readLogTail()}`,
        );
      }
    });
  }

  /** Waits until it says that it is ready. Rejects with what it printed when it ends before; one that is late is killed. */
  async waitUntilReady(): Promise<void> {
    const { startTimeoutMs = START_TIMEOUT_MS } = this.#options;
    const deadline = performance.now() + startTimeoutMs;
    while (!readFileSync(this.#options.logPath).subarray(this.#logStart).includes(this.#options.readyText)) {
      if (this.#child === null || performance.now() > deadline) {
        const how = this.unexpectedEnds.at(-1) ?? `nothing was heard of it for ${startTimeoutMs / 1000} s`;
        // Whoever asked for it has nothing to end it by.
        await this.kill();
        throw new Error(`${this.name} does not start: ${how}\n${this.readLogTail()}`);
      }
      await sleep(POLL_MS);
    }
  }

  async start(): Promise<void> {
    this.launch();
    await this.waitUntilReady();
  }

  /** `kill -9`; resolves when it is gone. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Asks it to end; what does not is killed after a while, and said. */
  async stop(): Promise<void> {
    const timer = setTimeout(() => {
      console.error(
        `${this.name} does not end within ${STOP_TIMEOUT_MS / 1000} s; it is killed. It said last:\n${this.readLogTail()}`,
      );
      this.#child?.kill('SIGKILL');
    }, STOP_TIMEOUT_MS);
    await this.#end('SIGTERM');
    clearTimeout(timer);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    this.#endedByUs = true;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  readLogTail(): string {
    return readFileSync(this.#options.logPath, 'utf8').slice(-TAIL_CHARACTERS).trim();
  }
}

/**
 * Runs a `cairn` command to its end.
 * @returns what it printed; rejects when its exit status is not 0
 */
export async function runCairn(words: readonly string[], variables: Variables): Promise<string> {
  const child = spawn(process.execPath, [CAIRN, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: baseVariables(variables),
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`cairn ${words.join(' ')} failed (${code}): ${errors.trim()}`);
  return output;
}

/** Only what a program needs from the environment around it: a developer's own settings must not leak in. */
function baseVariables(variables: Variables): NodeJS.ProcessEnv {
  const kept: NodeJS.ProcessEnv = { ...variables };
  for (const name of ['PATH', 'HOME', 'TMPDIR', 'LANG']) {
    const value = process.env[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}
