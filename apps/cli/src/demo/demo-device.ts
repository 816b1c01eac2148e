import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CairnError, isCairnError } from '@cairn/model';
import type { Explanation, SyncStatus } from '@cairn/sync-engine';
import { askDaemon } from '../sync/control-client.ts';
import { readLinks, type SyncLink, socketPath } from '../sync/links.ts';
import { type CairnProcess, type ChildProcesses, waitUntil } from './child-processes.ts';
import { type MeteredProxy, startMeteredProxy } from './metered-proxy.ts';

/** One device: a home, a synced folder, a network of its own, and a daemon while it runs. */
export interface DemoDevice {
  readonly name: string;
  readonly folder: string;
  readonly network: MeteredProxy;
  readonly daemon: CairnProcess | null;
  /** Runs a command to its end. Throws when it fails. */
  run(...words: string[]): Promise<string>;
  /** Starts the daemon and waits until it answers. */
  startDaemon(): Promise<void>;
  killDaemon(): Promise<void>;
  stopDaemon(): Promise<void>;
  status(): Promise<SyncStatus>;
  why(path: string): Promise<Explanation>;
  close(): Promise<void>;
}

interface DemoDeviceOptions {
  readonly processes: ChildProcesses;
  readonly name: string;
  readonly parent: string;
  readonly serverPort: number;
  readonly password: string;
  readonly signal: AbortSignal;
}

export async function createDemoDevice(options: DemoDeviceOptions): Promise<DemoDevice> {
  const { processes, name, parent, signal } = options;
  const home = join(parent, '.homes', name);
  const folder = join(parent, name);
  await mkdir(folder, { recursive: true });
  const network = await startMeteredProxy(options.serverPort);
  const variables = {
    CAIRN_HOME: home,
    CAIRN_DEVICE: name,
    CAIRN_SERVER: network.url,
    CAIRN_PASSWORD: options.password,
  };
  let daemon: CairnProcess | null = null;

  function link(): SyncLink {
    const [first] = readLinks(home);
    if (first === undefined) throw new CairnError('not-running', `${name} has no linked folder yet`);
    return first;
  }

  async function status(): Promise<SyncStatus> {
    return askDaemon<SyncStatus>(socketPath(home, link()), { command: 'status' });
  }

  return {
    name,
    folder,
    network,
    get daemon() {
      return daemon;
    },
    async run(...words) {
      const child = processes.start(words, { variables });
      const code = await child.ended;
      if (code !== 0)
        throw new CairnError('internal', `"cairn ${words.join(' ')}" ended with ${code}: ${child.output}`);
      return child.output;
    },
    async startDaemon() {
      const started = processes.start(['sync', folder], { variables });
      daemon = started;
      await waitUntil(
        async () => {
          if (started.hasEnded)
            throw new CairnError('not-running', `the daemon of ${name} ended: ${started.output}`);
          try {
            return await status();
          } catch (error) {
            if (isCairnError(error, 'not-running')) return undefined;
            throw error;
          }
        },
        `the daemon of ${name}`,
        { signal },
      );
    },
    async killDaemon() {
      await daemon?.kill();
      daemon = null;
    },
    async stopDaemon() {
      await daemon?.stop();
      daemon = null;
    },
    status,
    why: (path) => askDaemon<Explanation>(socketPath(home, link()), { command: 'why', path }),
    close: () => network.close(),
  };
}
