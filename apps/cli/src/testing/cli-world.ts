import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type RunningServer, type StartServerOptions, startServer } from '@cairn/server';
import { runCli } from '../run-cli.ts';

export interface CliResult {
  readonly exitCode: number;
  readonly output: string;
  readonly errors: string;
}

/** For tests: a real server in this process, and devices that run the command against it. */
export interface CliWorld {
  readonly folder: string;
  readonly server: RunningServer;
  readonly dataFolder: string;
  /** Runs a command in this process as the device with this name. */
  run(device: string, ...words: string[]): Promise<CliResult>;
  runWith(
    device: string,
    variables: Record<string, string>,
    input: string,
    ...words: string[]
  ): Promise<CliResult>;
  /** Starts a command as a process of its own. */
  start(
    device: string,
    ...words: string[]
  ): { readonly child: ChildProcess; readonly result: Promise<CliResult> };
  homeOf(device: string): string;
  close(): Promise<void>;
}

export const PASSWORD = 'correct horse battery';
const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

export async function createCliWorld(options: Pick<StartServerOptions, 'blocks'> = {}): Promise<CliWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'cairn-cli-'));
  const dataFolder = join(folder, 'data');
  const server = await startServer({ data: dataFolder, port: 0, drainMs: 500, ...options });
  const homeOf = (device: string): string => join(folder, `home-${device}`);

  function variablesOf(device: string): Record<string, string> {
    return {
      CAIRN_HOME: homeOf(device),
      CAIRN_DEVICE: device,
      CAIRN_SERVER: server.url,
      CAIRN_PASSWORD: PASSWORD,
    };
  }

  async function runWith(
    device: string,
    variables: Record<string, string>,
    input: string,
    ...words: string[]
  ): Promise<CliResult> {
    let output = '';
    let errors = '';
    const exitCode = await runCli(words, {
      variables: { ...variablesOf(device), ...variables },
      input: Readable.from([Buffer.from(input)]),
      output: { write: (text) => (output += text) },
      errors: { write: (text) => (errors += text) },
      signal: new AbortController().signal,
    });
    return { exitCode, output, errors };
  }

  return {
    folder,
    server,
    dataFolder,
    homeOf,
    runWith,
    run: (device, ...words) => runWith(device, {}, '', ...words),
    start(device, ...words) {
      const child = spawn(process.execPath, [MAIN, ...words], {
        env: { ...process.env, ...variablesOf(device) },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let output = '';
      let errors = '';
      child.stdout.on('data', (piece) => (output += piece));
      child.stderr.on('data', (piece) => (errors += piece));
      const result = new Promise<CliResult>((resolve) => {
        child.on('close', (code) => resolve({ exitCode: code ?? -1, output, errors }));
      });
      return { child, result };
    },
    async close() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
