import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { CAIRN, runCairn, variables } from './cairn-server.ts';
import { PASSWORD } from './web-world.ts';

/** A computer of somebody with the real command line and a folder that it syncs. */
export interface SyncedDevice {
  readonly folder: string;
  /** Runs one command to its end. */
  run(...words: string[]): Promise<string>;
  /** Syncs in the foreground, as `cairn sync FOLDER` in a terminal does, until `stopSync`. */
  startSync(): void;
  stopSync(): Promise<void>;
}

/** Signs a computer in; it and its folder go when the test ends. */
export async function connectCommandLine(
  url: string,
  username: string,
  deviceName: string,
): Promise<SyncedDevice> {
  const home = await mkdtemp(join(tmpdir(), 'cairn-web-device-'));
  const folder = join(home, 'Cairn');
  const environment = { CAIRN_HOME: join(home, 'state'), CAIRN_PASSWORD: PASSWORD };
  let child: ChildProcess | null = null;
  async function stopSync(): Promise<void> {
    const running = child;
    child = null;
    if (running === null || running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, 'exit');
    running.kill('SIGINT');
    await ended;
  }
  onTestFinished(async () => {
    await stopSync();
    await rm(home, { recursive: true, force: true });
  });
  await mkdir(folder);
  await runCairn(['login', '--server', url, '--username', username, '--device', deviceName], environment);
  return {
    folder,
    run: (...words) => runCairn(words, environment),
    startSync() {
      child = spawn(process.execPath, [CAIRN, 'sync', folder], {
        env: variables(environment),
        stdio: 'ignore',
      });
    },
    stopSync,
  };
}
