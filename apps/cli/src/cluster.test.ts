import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClusterResponse } from '@cairn/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CliWorld, createCliWorld } from './testing/cli-world.ts';

/** A server in this process and storage nodes in processes of their own, which are killed. */

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const WAIT_MS = 60_000;

interface NodeProcess {
  readonly child: ChildProcess;
  readonly data: string;
  readonly address: string;
}

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('a cluster of three storage nodes', { timeout: 240_000 }, () => {
  let world: CliWorld;
  let nodes: NodeProcess[];
  let token: string;

  beforeEach(async () => {
    nodes = [];
    world = await createCliWorld({
      blocks: {
        kind: 'nodes',
        replicas: 3,
        writeQuorum: 2,
        outAfterMs: 600_000,
        repairBytesPerSecond: null,
        codeAfterMs: null,
      },
    });
    await world.run('laptop', 'signup', '--username', 'ann');
    token = await signIn();
  });
  afterEach(async () => {
    for (const { child } of nodes) if (child.exitCode === null) child.kill('SIGKILL');
    await world.close();
  });

  async function signIn(): Promise<string> {
    const response = await fetch(`${world.server.url}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'ann', password: 'correct horse battery', deviceName: 'tests' }),
    });
    return ((await response.json()) as { accessToken: string }).accessToken;
  }

  async function startNode(name: string, listen: string, joinToken: string | null): Promise<NodeProcess> {
    const data = join(world.folder, name);
    const join_ = joinToken === null ? [] : ['--join', world.server.url];
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

  async function joinNode(name: string): Promise<NodeProcess> {
    const invitation = await world.run('laptop', 'admin', 'nodes', 'invite', '--json');
    expect(invitation).toMatchObject({ exitCode: 0 });
    return startNode(name, '127.0.0.1:0', (JSON.parse(invitation.output) as { token: string }).token);
  }

  async function kill(node: NodeProcess): Promise<void> {
    node.child.kill('SIGKILL');
    await once(node.child, 'exit');
    nodes.splice(nodes.indexOf(node), 1);
  }

  /** On the address it had; its place in the cluster is in its folder. */
  function restart({ data, address }: NodeProcess): Promise<NodeProcess> {
    return startNode(data.slice(world.folder.length + 1), address, null);
  }

  async function cluster(): Promise<ClusterResponse> {
    const { output, errors } = await world.run('laptop', 'admin', 'nodes', '--json');
    expect(errors).toBe('');
    return JSON.parse(output) as ClusterResponse;
  }

  async function until(
    what: string,
    isSo: (now: ClusterResponse) => boolean,
    withinMs = WAIT_MS,
  ): Promise<void> {
    const end = Date.now() + withinMs;
    for (;;) {
      const now = await cluster();
      if (isSo(now)) return;
      if (Date.now() > end) throw new Error(`timed out waiting until ${what}: ${JSON.stringify(now)}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  const areUp = (count: number) => (now: ClusterResponse) =>
    now.nodes.filter(({ state }) => state === 'up').length === count;

  async function put(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<Response> {
    return fetch(`${world.server.url}/api/v1/files/content?path=${encodeURIComponent(path)}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
      body: bytes,
    });
  }

  /** By id, since that is how files are downloaded. */
  const files = new Map<string, string>();

  async function store(path: string): Promise<void> {
    const bytes = new Uint8Array(randomBytes(20_000 + Math.floor(Math.random() * 200_000)));
    const response = await put(path, bytes);
    const answer = (await response.json()) as { entry?: { entryId: string } };
    if (answer.entry === undefined) throw new Error(`${response.status} ${JSON.stringify(answer)}`);
    files.set(answer.entry.entryId, hash(bytes));
  }

  async function check(entryId: string): Promise<void> {
    const response = await fetch(`${world.server.url}/api/v1/files/${entryId}/content`, {
      headers: { authorization: `Bearer ${token}` },
    });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    const got = hash(new Uint8Array(await response.arrayBuffer()));
    if (got !== files.get(entryId)) throw new Error(`other bytes for ${entryId}`);
  }

  async function checkAll(): Promise<void> {
    for (const entryId of files.keys()) await check(entryId);
  }

  /** Uploads and downloads without pause. Both wait for requests that succeed, and throw the first that does not. */
  function startTraffic() {
    let isOver = false;
    let requests = 0;
    async function writeOn(writer: number): Promise<void> {
      for (let number = 0; !isOver; number++) {
        await store(`/traffic-${writer}-${number}`);
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
      async goOn(count: number): Promise<void> {
        const wanted = requests + count;
        while (requests < wanted) {
          await Promise.race([all, new Promise((resolve) => setTimeout(resolve, 20))]);
        }
      },
      async stop(): Promise<void> {
        isOver = true;
        await all;
      },
    };
  }

  test('goes on without one of three, reads with one of three, heals, and has lost nothing', async () => {
    files.clear();
    expect((await put('/early', new Uint8Array(10))).status).toBe(503);
    const [first, second, third] = [await joinNode('n1'), await joinNode('n2'), await joinNode('n3')];
    await until('three nodes are up', areUp(3));
    for (let count = 0; count < 10; count++) await store(`/before-${count}`);

    const traffic = startTraffic();
    await traffic.goOn(20);
    await kill(first);
    await traffic.goOn(60);
    await traffic.stop();
    const complete = new Set(files.keys());

    await kill(second);
    const killedAt = Date.now();
    await until('the status tells that two nodes are gone', areUp(1), 15_000);
    expect(Date.now() - killedAt).toBeLessThan(15_000);
    expect((await cluster()).takesWrites).toBe(false);
    const refused = await put('/too-few', new Uint8Array(1000));
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([503, 'unavailable']);
    expect(files.size).toBe(complete.size);
    await checkAll();
    const metrics = await (await fetch(`${world.server.url}/metrics`)).text();
    expect(metrics).toContain('cairn_storage_nodes{state="up"} 1');
    expect(metrics).toContain('cairn_lost_blocks 0');
    const shown = await world.run('laptop', 'admin', 'nodes');
    expect(shown.output).toContain('Nothing new can be stored: fewer than 2 nodes can take it.');

    await restart(first);
    await restart(second);
    await until('three nodes are up again and nothing lacks a replica', (now) => {
      const { repair } = now;
      const held = new Set(now.nodes.map(({ blocks }) => blocks));
      const isHealed = repair !== null && repair.underReplicated === repair.repaired && repair.noted === 0;
      return areUp(3)(now) && isHealed && repair.lost === 0 && held.size === 1 && !repair.isRunning;
    });
    await checkAll();
    // Only the one that was never killed had everything; without it the other two must have it.
    await kill(third);
    await checkAll();
    await store('/after');
    await checkAll();
  });

  test('a node that was drained is empty, may go, and took nothing with it', async () => {
    files.clear();
    const joined = [await joinNode('n1'), await joinNode('n2'), await joinNode('n3'), await joinNode('n4')];
    await until('four nodes are up', areUp(4));
    for (let count = 0; count < 20; count++) await store(`/file-${count}`);
    const leaving = joined[1] as NodeProcess;
    const { nodeId } = (await cluster()).nodes.find(({ address }) => address === leaving.address) as {
      nodeId: string;
    };
    const early = await world.run('laptop', 'admin', 'nodes', 'remove', nodeId);
    expect(early).toMatchObject({ exitCode: 6, output: '' });
    expect(early.errors).toContain('drain it first');
    expect((await world.run('laptop', 'admin', 'nodes', 'drain', nodeId)).exitCode).toBe(0);
    await store('/while-draining');
    await until('the node is empty', (now) => now.nodes.find((each) => each.nodeId === nodeId)?.blocks === 0);
    expect((await world.run('laptop', 'admin', 'nodes', 'remove', nodeId)).output).toContain(
      'does not belong',
    );
    await kill(leaving);
    await kill(joined[0] as NodeProcess);
    await checkAll();
  });

  test('tokens work once, wrong ones never, and a node that has joined needs none', async () => {
    const invitation = await world.run('laptop', 'admin', 'nodes', 'invite');
    const joinToken = invitation.output.trim();
    await startNode('n1', '127.0.0.1:0', joinToken);
    await expect(startNode('n2', '127.0.0.1:0', joinToken)).rejects.toThrow('join token is not valid');
    const forged = `${joinToken.slice(0, 26)}.${Buffer.from(randomBytes(32)).toString('base64url')}`;
    await expect(startNode('n2', '127.0.0.1:0', forged)).rejects.toThrow('join token is not valid');
    await expect(startNode('n2', '127.0.0.1:0', 'nonsense')).rejects.toThrow('no join token');
    await expect(startNode('n2', '127.0.0.1:0', null)).rejects.toThrow('belongs to no cluster');
    const node = nodes[0] as NodeProcess;
    await expect(startNode('n1', '127.0.0.1:0', null)).rejects.toThrow(/in use|already/);
    await kill(node);
    // On another port it is found all the same: it says where it is.
    const moved = await startNode('n1', '127.0.0.1:0', null);
    expect(moved.address).not.toBe(node.address);
    await until('it is up where it is now', (now) =>
      now.nodes.some(({ address, state }) => address === moved.address && state === 'up'),
    );
    await writeFile(join(node.data, 'boot-count'), 'rubbish');
    await kill(moved);
    await expect(startNode('n1', '127.0.0.1:0', null)).rejects.toThrow('boot-count is damaged');
  });
});
