import { chmod, chown, mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type RunningServer, type StartServerOptions, startServer } from '@cairn/server';
import type { Explanation, SyncStatus } from '@cairn/sync-engine';
import { type CairnProcess, createChildProcesses, waitUntil } from '../demo/child-processes.ts';
import { compareFolders } from '../demo/compare-folders.ts';
import { runCli } from '../run-cli.ts';
import { askDaemon } from '../sync/control-client.ts';
import { readLinks, socketPath } from '../sync/links.ts';
import type { CliResult } from './cli-world.ts';

export const PASSWORD = 'correct horse battery';

export interface SyncDevice {
  readonly name: string;
  readonly home: string;
  readonly folder: string;
  readonly daemon: CairnProcess | null;
  /** Runs a command in this process. */
  run(...words: string[]): Promise<CliResult>;
  /** Starts the daemon as a process of its own and waits until it answers; rejects when it ends instead. */
  start(): Promise<CairnProcess>;
  /** Starts `cairn sync` and waits for its end. */
  startInVain(...words: string[]): Promise<{ readonly exitCode: number | null; readonly output: string }>;
  status(): Promise<SyncStatus>;
  why(path: string): Promise<Explanation>;
  /** Waits until the status is as told. */
  until(holds: (status: SyncStatus) => boolean, what: string): Promise<SyncStatus>;
}

export interface DeviceOptions {
  readonly username: string;
  readonly folder?: string;
  /** The address this device uses; the world's server unless told. */
  readonly server?: string;
  readonly uid?: number;
}

/** For tests: a server (in this process) and daemons as processes of their own. */
export interface SyncWorld {
  readonly folder: string;
  readonly server: RunningServer;
  /** A signed-in device; the account is made on first use. */
  device(name: string, options: DeviceOptions): Promise<SyncDevice>;
  /** Two devices of a new account, syncing. */
  pair(username: string): Promise<readonly [SyncDevice, SyncDevice]>;
  close(): Promise<void>;
}

export async function createSyncWorld(options: Partial<StartServerOptions> = {}): Promise<SyncWorld> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'cairn-sync-')));
  // Daemons of other users must be able to get to their folders.
  await chmod(folder, 0o755);
  const server = await startServer({
    data: join(folder, 'data'),
    port: 0,
    drainMs: 200,
    passwordCost: { memoryKib: 64, passes: 1, lanes: 1 },
    ...options,
  });
  const processes = createChildProcesses();
  const usernames = new Set<string>();

  async function device(name: string, choices: DeviceOptions): Promise<SyncDevice> {
    const { username, uid, server: address = server.url } = choices;
    const home = join(folder, `home-${username}-${name}`);
    const synced = choices.folder ?? join(folder, `${username}-${name}`);
    const variables = {
      CAIRN_HOME: home,
      CAIRN_DEVICE: name,
      CAIRN_SERVER: address,
      CAIRN_PASSWORD: PASSWORD,
    };
    const child = uid === undefined ? { variables } : { variables, uid };
    for (const path of [home, synced]) {
      await mkdir(path, { recursive: true, mode: 0o755 });
      if (uid !== undefined) await chown(path, uid, uid);
    }
    let daemon: CairnProcess | null = null;

    async function run(...words: string[]): Promise<CliResult> {
      let output = '';
      let errors = '';
      const exitCode = await runCli(words, {
        variables,
        input: Readable.from([]),
        output: { write: (text) => (output += text) },
        errors: { write: (text) => (errors += text) },
        signal: new AbortController().signal,
      });
      return { exitCode, output, errors };
    }

    async function ask<Answer>(request: Parameters<typeof askDaemon>[1]): Promise<Answer> {
      const link = readLinks(home).find((each) => each.folder === synced);
      if (link === undefined) throw new Error(`${name} has no link yet`);
      return askDaemon<Answer>(socketPath(home, link), request);
    }
    async function status(): Promise<SyncStatus> {
      try {
        return await ask<SyncStatus>({ command: 'status' });
      } catch (error) {
        const said = daemon?.hasEnded ? `; it said: ${daemon.output}` : '';
        throw new Error(`${(error as Error).message}${said}`, { cause: error });
      }
    }

    const words = [usernames.has(username) ? 'login' : 'signup', '--username', username];
    usernames.add(username);
    if (uid === undefined) {
      const signedIn = await run(...words);
      if (signedIn.exitCode !== 0) throw new Error(signedIn.errors);
    } else {
      const process = processes.start(words, child);
      if ((await process.ended) !== 0) throw new Error(process.output);
    }

    return {
      name,
      home,
      folder: synced,
      get daemon() {
        return daemon;
      },
      run,
      async start() {
        const started = processes.start(['sync', synced], child);
        daemon = started;
        await waitUntil(
          async () => {
            if (started.hasEnded) throw new Error(`the daemon of ${name} ended: ${started.output}`);
            return (await status().catch(() => undefined)) !== undefined;
          },
          `the daemon of ${name}`,
          { everyMs: 20 },
        );
        return started;
      },
      async startInVain(...more) {
        const started = processes.start(more.length > 0 ? more : ['sync', synced], child);
        return { exitCode: await started.ended, output: started.output };
      },
      status,
      why: (path) => ask<Explanation>({ command: 'why', path }),
      async until(holds, what) {
        let last: SyncStatus | undefined;
        try {
          return await waitUntil(
            async () => {
              last = await status();
              return holds(last) ? last : undefined;
            },
            what,
            { everyMs: 20 },
          );
        } catch (error) {
          throw new Error(`${(error as Error).message}; last status: ${JSON.stringify(last)}`, {
            cause: error,
          });
        }
      },
    };
  }

  return {
    folder,
    server,
    device,
    async pair(username) {
      const first = await device('Laptop', { username });
      const second = await device('Desktop', { username });
      await Promise.all([first.start(), second.start()]);
      for (const each of [first, second])
        await each.until(
          ({ state, connection }) => state === 'in-sync' && connection === 'live',
          'the start',
        );
      return [first, second];
    },
    async close() {
      await processes.killAll();
      await server.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** Waits until two folders are equal on disk and both daemons are at rest. */
export async function untilEqual(first: SyncDevice, second: SyncDevice): Promise<void> {
  let differences: readonly string[] = [];
  try {
    await waitUntil(
      async () => {
        const [here, there] = await Promise.all([first.status(), second.status()]);
        if (here.state !== 'in-sync' || there.state !== 'in-sync' || here.sequence !== there.sequence)
          return false;
        ({ differences } = await compareFolders(first.folder, second.folder).catch((error: Error) => ({
          differences: [error.message],
        })));
        return differences.length === 0;
      },
      'equal folders',
      { everyMs: 40, timeoutMs: 40_000 },
    );
  } catch (error) {
    const states = JSON.stringify([await first.status(), await second.status()]);
    throw new Error(`${(error as Error).message}: ${differences.join('; ')} ${states}`, { cause: error });
  }
}
