import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ProcessUsage, readPeak, readUsage, readWaitedCpuSeconds } from './process-usage.ts';

const STOP_TIMEOUT_MS = 20_000;
const START_TIMEOUT_MS = 60_000;
const POLL_MS = 20;
const SAMPLE_MS = 50;
const TAIL_CHARACTERS = 1500;

const running = new Set<ChildProcess>();

/** Kills what is still there when this process ends, however it ends. */
export function track(child: ChildProcess): void {
  if (running.size === 0) process.once('exit', killAll);
  running.add(child);
  child.once('exit', () => {
    running.delete(child);
    if (running.size === 0) process.off('exit', killAll);
  });
}

function killAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

export interface CommandOptions {
  readonly variables?: Readonly<Record<string, string>>;
  /** Takes standard output and standard error. */
  readonly logPath: string;
  /** Killed after this. */
  readonly timeoutMs?: number;
  /** Called 20 times a second while it runs. */
  readonly onSample?: (processId: number) => void;
}

/**
 * Runs a command to its end. No other child may end meanwhile: its CPU time would be counted here.
 * @returns CPU time of it and the children it waited for, and its own peak as far as it was seen
 * @throws Error with the end of what it printed, when it fails or takes too long
 */
export async function runCommand(
  program: string,
  words: readonly string[],
  options: CommandOptions,
): Promise<ProcessUsage> {
  const { logPath, timeoutMs, onSample } = options;
  const cpuBefore = readWaitedCpuSeconds();
  const child = start(program, words, options);
  let peakRssBytes = 0;
  const sampler = setInterval(() => {
    if (child.pid === undefined) return;
    peakRssBytes = Math.max(peakRssBytes, readPeak(child.pid));
    onSample?.(child.pid);
  }, SAMPLE_MS);
  let isLate = false;
  const limit =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          isLate = true;
          child.kill('SIGKILL');
        }, timeoutMs);
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    if (isLate) throw new Error(`${program} took longer than ${Math.round((timeoutMs ?? 0) / 1000)} s`);
    if (code !== 0) throw new Error(`${program} failed (${signal ?? code}): ${readTail(logPath)}`);
  } finally {
    clearInterval(sampler);
    clearTimeout(limit);
  }
  return { peakRssBytes, cpuSeconds: readWaitedCpuSeconds() - cpuBefore };
}

/** A program that keeps running until it is stopped. */
export interface RunningProgram {
  readonly processId: number;
  readUsage(): ProcessUsage;
  /** @throws Error when it has ended by itself */
  requireRunning(): void;
  stop(): Promise<void>;
}

export function startProgram(
  program: string,
  words: readonly string[],
  options: Pick<CommandOptions, 'variables' | 'logPath'>,
): RunningProgram {
  const child = start(program, words, options);
  const processId = child.pid;
  if (processId === undefined) throw new Error(`${program} cannot be started`);
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  return {
    processId,
    readUsage: () => readUsage(processId),
    requireRunning() {
      if (hasEnded())
        throw new Error(
          `${program} ended by itself (${child.signalCode ?? child.exitCode}): ${readTail(options.logPath)}`,
        );
    },
    async stop() {
      if (hasEnded()) return;
      const ended = once(child, 'exit');
      const limit = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      child.kill('SIGTERM');
      await ended;
      clearTimeout(limit);
    },
  };
}

/** Waits until something listens on a port of this machine. */
export async function waitForPort(port: number, program: RunningProgram): Promise<void> {
  await waitUntil(`something listens on port ${port}`, START_TIMEOUT_MS, async () => {
    program.requireRunning();
    const socket = connect({ port, host: '127.0.0.1' });
    try {
      await once(socket, 'connect');
      return true;
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  });
}

/** @throws Error naming what was waited for, when it takes too long */
export async function waitUntil(
  what: string,
  timeoutMs: number,
  holds: () => boolean | Promise<boolean>,
  pollMs = POLL_MS,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadline)
      throw new Error(`after ${Math.round(timeoutMs / 1000)} s it is still not so that ${what}`);
    await sleep(pollMs);
  }
}

function start(
  program: string,
  words: readonly string[],
  { variables = {}, logPath }: Pick<CommandOptions, 'variables' | 'logPath'>,
): ChildProcess {
  const log = openSync(logPath, 'a');
  const kept: NodeJS.ProcessEnv = { LANG: 'C.UTF-8', ...variables };
  for (const name of ['PATH', 'HOME', 'TMPDIR']) kept[name] ??= process.env[name];
  const child = spawn(program, words, { stdio: ['ignore', log, log], env: kept });
  closeSync(log);
  // What cannot be started has no id, and is told by whoever looks for it.
  child.on('error', () => undefined);
  track(child);
  return child;
}

function readTail(path: string): string {
  return readFileSync(path, 'utf8').slice(-TAIL_CHARACTERS).trim();
}
