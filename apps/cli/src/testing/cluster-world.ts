import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClusterResponse } from '@cairn/protocol';
import { type CliResult, type CliWorld, createCliWorld, PASSWORD } from './cli-world.ts';

export interface NodeProcess {
  readonly child: ChildProcess;
  readonly data: string;
  readonly address: string;
}

/** Uploads and downloads without pause. Both wait for requests that succeed, and throw the first that does not. */
export interface Traffic {
  /** Resolves after so many more requests. */
  goOn(count: number): Promise<void>;
  stop(): Promise<void>;
}

/** For tests: a server in this process and storage nodes in processes of their own, which are killed. */
export interface ClusterWorld {
  readonly cli: CliWorld;
  /** Those that run. */
  readonly nodes: readonly NodeProcess[];
  /** By id, since that is how files are downloaded: the hashes of what is stored. */
  readonly files: ReadonlyMap<string, string>;
  /** `cairn admin nodes …` as the administrator. */
  admin(...words: string[]): Promise<CliResult>;
  startNode(name: string, listen: string, joinToken: string | null): Promise<NodeProcess>;
  joinNode(name: string): Promise<NodeProcess>;
  kill(node: NodeProcess): Promise<void>;
  /** On the address it had; its place in the cluster is in its folder. */
  restart(node: NodeProcess): Promise<NodeProcess>;
  cluster(): Promise<ClusterResponse>;
  until(what: string, isSo: (now: ClusterResponse) => boolean, withinMs?: number): Promise<void>;
  put(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<Response>;
  /** Stores a new file of random bytes. */
  store(path: string): Promise<void>;
  /** Downloads all files and compares their hashes. */
  checkAll(): Promise<void>;
  startTraffic(): Traffic;
  close(): Promise<void>;
}

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const WAIT_MS = 60_000;

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

export const areUp = (count: number) => (now: ClusterResponse) =>
  now.nodes.filter(({ state }) => state === 'up').length === count;

/** Whether repair is at rest and nothing is left for it to do. */
export function isHealed({ repair }: ClusterResponse): boolean {
  if (repair === null || repair.lastRunAt === null || repair.isRunning) return false;
  if (repair.noted > 0 || repair.lost > 0) return false;
  return repair.underReplicated === repair.repaired;
}

export async function createClusterWorld(): Promise<ClusterWorld> {
  const cli = await createCliWorld({
    blocks: {
      kind: 'nodes',
      replicas: 3,
      writeQuorum: 2,
      outAfterMs: 600_000,
      repairBytesPerSecond: null,
      codeAfterMs: null,
    },
  });
  const nodes: NodeProcess[] = [];
  const files = new Map<string, string>();
  await cli.run('laptop', 'signup', '--username', 'ann');
  const answer = await fetch(`${cli.server.url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'ann', password: PASSWORD, deviceName: 'tests' }),
  });
  const { accessToken } = (await answer.json()) as { accessToken: string };
  const authorization = `Bearer ${accessToken}`;

  const admin = (...words: string[]) => cli.run('laptop', 'admin', 'nodes', ...words);

  async function startNode(name: string, listen: string, joinToken: string | null): Promise<NodeProcess> {
    const data = join(cli.folder, name);
    const join_ = joinToken === null ? [] : ['--join', cli.server.url];
    const child = spawn(process.execPath, [MAIN, 'node', '--data', data, '--listen', listen, ...join_], {
      env: { ...process.env, CAIRN_JOIN_TOKEN: joinToken ?? '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stderr?.on('data', (piece) => (output += piece));
    const address = await new Promise<string>((resolve, reject) => {
      child.stdout?.on('data', (piece) => {
        output += piece;
        const found = /listens at (\S+),/.exec(output);
        if (found !== null) resolve(found[1] as string);
      });
      child.on('exit', (code) => reject(new Error(`the node ended with ${code}: ${output}`)));
    });
    const node = { child, data, address };
    nodes.push(node);
    return node;
  }

  async function cluster(): Promise<ClusterResponse> {
    const { output, errors } = await admin('--json');
    if (errors !== '') throw new Error(errors);
    return JSON.parse(output) as ClusterResponse;
  }

  const put = (path: string, bytes: Uint8Array<ArrayBuffer>): Promise<Response> =>
    fetch(`${cli.server.url}/api/v1/files/content?path=${encodeURIComponent(path)}`, {
      method: 'PUT',
      headers: { authorization, 'content-type': 'application/octet-stream' },
      body: bytes,
    });

  async function store(path: string): Promise<void> {
    const bytes = new Uint8Array(randomBytes(20_000 + Math.floor(Math.random() * 200_000)));
    const response = await put(path, bytes);
    const stored = (await response.json()) as { entry?: { entryId: string } };
    if (stored.entry === undefined) throw new Error(`${response.status} ${JSON.stringify(stored)}`);
    files.set(stored.entry.entryId, hash(bytes));
  }

  async function check(entryId: string): Promise<void> {
    const response = await fetch(`${cli.server.url}/api/v1/files/${entryId}/content`, {
      headers: { authorization },
    });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    const got = hash(new Uint8Array(await response.arrayBuffer()));
    if (got !== files.get(entryId)) throw new Error(`other bytes for ${entryId}`);
  }

  return {
    cli,
    nodes,
    files,
    admin,
    startNode,
    async joinNode(name) {
      const { exitCode, output, errors } = await admin('invite', '--json');
      if (exitCode !== 0) throw new Error(errors);
      return startNode(name, '127.0.0.1:0', (JSON.parse(output) as { token: string }).token);
    },
    async kill(node) {
      node.child.kill('SIGKILL');
      await once(node.child, 'exit');
      nodes.splice(nodes.indexOf(node), 1);
    },
    restart: ({ data, address }) => startNode(data.slice(cli.folder.length + 1), address, null),
    cluster,
    async until(what, isSo, withinMs = WAIT_MS) {
      const end = Date.now() + withinMs;
      for (;;) {
        const now = await cluster();
        if (isSo(now)) return;
        if (Date.now() > end) throw new Error(`timed out waiting until ${what}: ${JSON.stringify(now)}`);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    },
    put,
    store,
    async checkAll() {
      for (const entryId of files.keys()) await check(entryId);
    },
    startTraffic() {
      let isOver = false;
      let requests = 0;
      async function writeOn(writer: number): Promise<void> {
        for (let number = 0; !isOver; number++) {
          await store(`/traffic-${writer}-${number}-${files.size}`);
          requests++;
        }
      }
      async function readOn(): Promise<void> {
        while (!isOver) {
          const ids = [...files.keys()];
          await check(ids[Math.floor(Math.random() * ids.length)] as string);
          requests++;
        }
      }
      const all = Promise.all([writeOn(1), writeOn(2), readOn(), readOn()]);
      // Thrown where somebody waits.
      all.catch(() => undefined);
      return {
        async goOn(count) {
          const wanted = requests + count;
          while (requests < wanted) {
            await Promise.race([all, new Promise((resolve) => setTimeout(resolve, 20))]);
          }
        },
        async stop() {
          isOver = true;
          await all;
        },
      };
    },
    async close() {
      for (const { child } of nodes) if (child.exitCode === null) child.kill('SIGKILL');
      await cli.close();
    },
  };
}
