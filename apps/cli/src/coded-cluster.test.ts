import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClusterResponse } from '@cairn/protocol';
import { type RunningServer, startServer } from '@cairn/server';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CliWorld, createCliWorld, PASSWORD } from './testing/cli-world.ts';

/** A server in this process and six storage nodes in processes of their own, whose blocks become shards at once. */

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const WAIT_MS = 90_000;
const FILES = 6;
const SETTING = {
  kind: 'nodes',
  replicas: 3,
  writeQuorum: 2,
  outAfterMs: 600_000,
  repairBytesPerSecond: null,
} as const;

interface NodeProcess {
  readonly child: ChildProcess;
  readonly name: string;
  readonly address: string;
}

let world: CliWorld;
let later: RunningServer | null;
let nodes: Map<string, NodeProcess>;
let token: string;
/** By id, since that is how files are downloaded. */
let files: Map<string, string>;

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

beforeEach(async () => {
  nodes = new Map();
  files = new Map();
  later = null;
  world = await createCliWorld({ blocks: { ...SETTING, codeAfterMs: 0 } });
  await world.run('laptop', 'signup', '--username', 'ann');
  const response = await fetch(`${world.server.url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'ann', password: PASSWORD, deviceName: 'tests' }),
  });
  token = ((await response.json()) as { accessToken: string }).accessToken;
});
afterEach(async () => {
  for (const { child } of nodes.values()) child.kill('SIGKILL');
  await later?.stop();
  await world.close();
});

async function startNode(name: string, listen: string, joinToken: string): Promise<void> {
  const joining = joinToken === '' ? [] : ['--join', world.server.url];
  const child = spawn(
    process.execPath,
    [MAIN, 'node', '--data', join(world.folder, name), '--listen', listen, ...joining],
    { env: { ...process.env, CAIRN_JOIN_TOKEN: joinToken }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
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
  nodes.set(name, { child, name, address });
}

async function joinNode(name: string): Promise<void> {
  const { output } = await world.run('laptop', 'admin', 'nodes', 'invite', '--json');
  await startNode(name, '127.0.0.1:0', (JSON.parse(output) as { token: string }).token);
}

async function kill(name: string): Promise<NodeProcess> {
  const node = nodes.get(name) as NodeProcess;
  node.child.kill('SIGKILL');
  await once(node.child, 'exit');
  nodes.delete(name);
  return node;
}

async function cluster(): Promise<ClusterResponse> {
  const { output, errors } = await world.run('laptop', 'admin', 'nodes', '--json');
  expect(errors).toBe('');
  return JSON.parse(output) as ClusterResponse;
}

async function until(what: string, isSo: (now: ClusterResponse) => boolean): Promise<ClusterResponse> {
  const end = Date.now() + WAIT_MS;
  for (;;) {
    const now = await cluster();
    if (isSo(now)) return now;
    if (Date.now() > end) throw new Error(`timed out waiting until ${what}: ${JSON.stringify(now)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const areUp = (now: ClusterResponse) => now.nodes.filter(({ state }) => state === 'up').length === nodes.size;

/** The last comparison of everything found nothing to do. */
function isAtRest({ repair }: ClusterResponse): boolean {
  if (repair === null || repair.isRunning || repair.noted > 0 || repair.lastRunAt === null) return false;
  return repair.underReplicated === 0 && repair.copiedBytes === 0;
}

async function store(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const response = await fetch(`${world.server.url}/api/v1/files/content?path=${encodeURIComponent(path)}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
    body: bytes,
  });
  const answer = (await response.json()) as { entry?: { entryId: string } };
  if (answer.entry === undefined) throw new Error(`${response.status} ${JSON.stringify(answer)}`);
  files.set(answer.entry.entryId, hash(bytes));
}

async function checkAll(): Promise<void> {
  for (const [entryId, expected] of files) {
    const response = await fetch(`${world.server.url}/api/v1/files/${entryId}/content`, {
      headers: { authorization: `Bearer ${token}` },
    });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    expect(hash(new Uint8Array(await response.arrayBuffer()))).toBe(expected);
  }
}

test('old blocks become shards, are read without two of six nodes, heal, and come back as replicas', {
  timeout: 400_000,
}, async () => {
  const names = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6'];
  await Promise.all(names.map(joinNode));
  await until('six nodes are up', areUp);
  let sizeBytes = 0;
  for (let count = 0; count < FILES; count++) {
    const bytes = new Uint8Array(randomBytes(200_000 + count * 100_000));
    sizeBytes += bytes.length;
    await store(`/file-${count}`, bytes);
  }
  const liveBytesOf = (now: ClusterResponse) =>
    now.nodes.reduce((sum, node) => sum + (node.liveBytes ?? 0), 0);
  // What nodes say of themselves is up to a heartbeat old.
  const coded = await until(
    'all blocks are shards, in half the space',
    (now) =>
      isAtRest(now) &&
      (now.repair?.codedBlocks ?? 0) > 0 &&
      liveBytesOf(now) > 1.5 * sizeBytes &&
      liveBytesOf(now) < 1.7 * sizeBytes,
  );
  const shown = await world.run('laptop', 'admin', 'nodes');
  expect(shown.output).toMatch(/older than 0 seconds become shards.*\n.*kept as shards/);
  const metrics = await (await fetch(`${world.server.url}/metrics`)).text();
  expect(metrics).toContain(`cairn_coded_blocks ${coded.repair?.codedBlocks}`);

  const away = [await kill('n2'), await kill('n5')];
  await checkAll();
  // One of them comes back as it was, the other with an empty disk.
  await rm(join(world.folder, 'n5', 'blocks'), { recursive: true });
  await Promise.all(away.map(({ name, address }) => startNode(name, address, '')));
  await until('all six are up and nothing lacks a shard', (now) => areUp(now) && isAtRest(now));
  await world.server.stop();
  later = await startServer({
    data: world.dataFolder,
    port: world.server.port,
    drainMs: 500,
    blocks: { ...SETTING, codeAfterMs: null },
  });
  const back = await until(
    'all blocks are replicas again',
    (now) => areUp(now) && isAtRest(now) && now.repair?.codedBlocks === 0,
  );
  expect(back.nodes.reduce((sum, node) => sum + (node.liveBytes ?? 0), 0)).toBeGreaterThan(3 * sizeBytes);
  await kill('n4');
  await kill('n6');
  await checkAll();
});
