import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Client,
  createClient,
  createMemorySessionStore,
  createNodeTransport,
  DEFAULT_RETRY,
} from '@cairn/client';
import { createNodePlatform } from '@cairn/content';
import { createSystemEnvironment } from '@cairn/environment';
import { CairnError } from '@cairn/model';
import type { ClusterResponse } from '@cairn/protocol';
import {
  type CairnProcess,
  type ChildProcesses,
  startServerProcess,
  waitUntil,
} from '../demo/child-processes.ts';

/** A storage node of the scratch cluster: a folder, and a process while it runs. */
export interface ScratchNode {
  readonly name: string;
  readonly data: string;
  /** `host:port`, which it keeps. */
  readonly address: string;
  readonly nodeId: string;
  process: CairnProcess;
}

export interface ScratchCluster {
  readonly nodes: readonly ScratchNode[];
  readonly replicas: number;
  readonly writeQuorum: number;
  /** Signed in as the administrator of the scratch server. No request of it is ever repeated. */
  readonly client: Client;
  status(): Promise<ClusterResponse>;
  /** Starts a node that is not running, on the address that it had. */
  startNode(node: ScratchNode, options?: { readonly capacityBytes?: number }): Promise<void>;
  readonly isServerDead: boolean;
  killServer(): Promise<void>;
  /** On the port that it had. */
  startServer(): Promise<void>;
  /** What every process has said, one file for each. */
  writeLogs(): Promise<void>;
  close(): void;
}

export interface ScratchClusterOptions {
  readonly processes: ChildProcesses;
  readonly folder: string;
  readonly nodes: number;
  readonly replicas: number;
  readonly signal: AbortSignal;
}

const HEARTBEAT_MS = 400;
/** Of one process, on a machine that has other things to do. */
export const START_WITHIN_MS = 120_000;
const USERNAME = 'drill';

/** Settings of whoever calls the drill are for their own server; none of them may get into the scratch one. */
function withoutSettings(): Record<string, string> {
  const names = Object.keys(process.env).filter((name) => name.startsWith('CAIRN_'));
  return Object.fromEntries([...names, 'DATABASE_URL', 'REDIS_URL'].map((name) => [name, '']));
}

/** Makes a server and nodes as processes of their own, all on free loopback ports, and an account. */
export async function createScratchCluster(options: ScratchClusterOptions): Promise<ScratchCluster> {
  const { processes, folder, replicas, signal } = options;
  const writeQuorum = Math.min(2, replicas);
  const blank = withoutSettings();
  const said: { readonly name: string; readonly process: CairnProcess }[] = [];
  const store = createMemorySessionStore();
  const environment = createSystemEnvironment();

  async function launchServer(port: number) {
    const started = await startServerProcess(processes, join(folder, 'server'), {
      port,
      timeoutMs: START_WITHIN_MS,
      variables: {
        ...blank,
        CAIRN_BLOCKS: `nodes:?replicas=${replicas}&write-quorum=${writeQuorum}&heartbeat-ms=${HEARTBEAT_MS}`,
        CAIRN_LOG_LEVEL: 'info',
      },
    });
    said.push({ name: 'server', process: started.process });
    return started;
  }
  function openClient(url: string): Client {
    return createClient({
      transport: createNodeTransport({ serverUrl: url }),
      store,
      environment,
      platform: createNodePlatform(),
      retry: { ...DEFAULT_RETRY, attempts: 1 },
      maxAttempts: 1,
    });
  }
  async function launchNode(
    name: string,
    words: readonly string[],
    variables: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly process: CairnProcess; readonly address: string; readonly nodeId: string }> {
    const started = processes.start(['node', '--data', join(folder, name), ...words], {
      variables: { ...blank, ...variables },
    });
    said.push({ name, process: started });
    const address = await waitUntil(
      () => {
        if (started.hasEnded) throw new CairnError('not-running', `${name} did not start: ${started.output}`);
        return /listens at (\S+),/.exec(started.output)?.[1];
      },
      `${name} to listen`,
      { signal, timeoutMs: START_WITHIN_MS },
    );
    const nodeId = /(?:cluster as|Storage node) ([a-z2-7]{26})/.exec(started.output)?.[1] ?? '';
    return { process: started, address, nodeId };
  }

  let server = await launchServer(0);
  let client = openClient(server.url);
  await client.account.register({
    username: USERNAME,
    password: randomBytes(18).toString('base64url'),
    deviceName: 'drill',
  });
  const nodes = await Promise.all(
    Array.from({ length: options.nodes }, async (_, index): Promise<ScratchNode> => {
      const name = `node-${index + 1}`;
      const { token } = await client.admin.inviteNode(signal);
      const words = ['--listen', '127.0.0.1:0', '--join', server.url];
      const started = await launchNode(name, words, { CAIRN_JOIN_TOKEN: token });
      return { name, data: join(folder, name), ...started };
    }),
  );

  return {
    nodes,
    replicas,
    writeQuorum,
    get client() {
      return client;
    },
    status: () => client.admin.nodes(signal),
    async startNode(node, { capacityBytes } = {}) {
      const bound = capacityBytes === undefined ? [] : ['--capacity', String(capacityBytes)];
      node.process = (await launchNode(node.name, ['--listen', node.address, ...bound])).process;
    },
    get isServerDead() {
      return server.process.hasEnded;
    },
    killServer: () => server.process.kill(),
    async startServer() {
      server = await launchServer(server.port);
      client.close();
      client = openClient(server.url);
    },
    async writeLogs() {
      for (const [index, each] of said.entries()) {
        const name = `${String(index + 1).padStart(3, '0')}-${each.name}.log`;
        await writeFile(join(folder, name), each.process.output, { mode: 0o600 });
      }
    },
    close: () => client.close(),
  };
}
