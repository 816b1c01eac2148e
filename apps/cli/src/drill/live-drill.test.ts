import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterResponse, DrillReport } from '@cairn/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CairnProcess, createChildProcesses, waitUntil } from '../demo/child-processes.ts';
import { type CliWorld, createCliWorld } from '../testing/cli-world.ts';

/** A server in this process and storage nodes in processes of their own, drilled while they are in use. */

describe('cairn admin drill --live', { timeout: 360_000 }, () => {
  const processes = createChildProcesses();
  const patient = { everyMs: 100, timeoutMs: 120_000 };
  let world: CliWorld;

  beforeEach(async () => {
    world = await createCliWorld({
      blocks: {
        kind: 'nodes',
        replicas: 3,
        writeQuorum: 2,
        outAfterMs: 600_000,
        repairBytesPerSecond: null,
        codeAfterMs: null,
        heartbeatMs: 300,
      },
    });
    await world.run('laptop', 'signup', '--username', 'ann');
    token = await signIn();
  });
  afterEach(async () => {
    await processes.killAll();
    await world.close();
  });

  async function joinNode(name: string, ...words: string[]): Promise<CairnProcess> {
    const { output } = await world.run('laptop', 'admin', 'nodes', 'invite', '--json');
    const node = processes.start(
      [
        'node',
        '--data',
        join(world.folder, name),
        '--listen',
        '127.0.0.1:0',
        '--join',
        world.server.url,
        ...words,
      ],
      { variables: { CAIRN_JOIN_TOKEN: (JSON.parse(output) as { token: string }).token } },
    );
    await waitUntil(
      () => {
        if (node.hasEnded) throw new Error(`${name} ended: ${node.output}`);
        return /listens at/.test(node.output);
      },
      name,
      patient,
    );
    return node;
  }
  async function cluster(): Promise<ClusterResponse> {
    const { output, errors } = await world.run('laptop', 'admin', 'nodes', '--json');
    expect(errors).toBe('');
    return JSON.parse(output) as ClusterResponse;
  }
  async function untilAtRest(count: number): Promise<void> {
    await waitUntil(
      async () => {
        const { nodes, repair } = await cluster();
        return (
          nodes.filter(({ state, isFull }) => state === 'up' && !isFull).length === count &&
          repair?.lastRunAt != null &&
          repair.noted === 0 &&
          !repair.isRunning &&
          repair.underReplicated === repair.repaired
        );
      },
      'rest',
      patient,
    );
  }
  let token: string;
  async function signIn(): Promise<string> {
    const response = await fetch(`${world.server.url}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'ann', password: 'correct horse battery', deviceName: 'tests' }),
    });
    return ((await response.json()) as { accessToken: string }).accessToken;
  }
  async function ask(method: string, path: string, body?: unknown) {
    const response = await fetch(`${world.server.url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, json: text === '' ? null : JSON.parse(text) };
  }

  test('proves that the cluster can do without a node, and leaves nothing of itself', async () => {
    await Promise.all([joinNode('n1', '--capacity', '1GiB'), joinNode('n2'), joinNode('n3')]);
    await untilAtRest(3);
    const file = join(world.folder, 'real.bin');
    await writeFile(file, randomBytes(300_000));
    await world.run('laptop', 'upload', file, '/');
    await untilAtRest(3);

    const { nodeId } = (await cluster()).nodes[1] as { nodeId: string };
    const drill = await world.run('laptop', 'admin', 'drill', '--live', '--node', nodeId, '--json');
    // Without a report what it said instead is what one wants to know.
    expect(drill.output, drill.errors).not.toBe('');
    const report = JSON.parse(drill.output) as DrillReport;
    expect(report.claims.filter(({ result }) => result !== 'proven')).toEqual([]);
    expect(drill.exitCode).toBe(0);
    expect(report.claims).toHaveLength(1 + 3 + 1);
    expect(report.claims[0]?.figures).toMatchObject({ files: 7 });

    const { nodes, drills } = await cluster();
    expect(nodes.map(({ quarantinedRecords }) => quarantinedRecords)).toEqual([0, 1, 0]);
    expect(drills).toEqual([{ kind: 'live', endedAt: report.endedAt, proven: 5, unproven: 0 }]);
    const listed = await world.run('laptop', 'list', '/');
    expect(listed.output).not.toContain('cairn-drill');
    expect((await world.run('laptop', 'trash', 'list')).output).not.toContain('cairn-drill');
    const shown = (await world.run('laptop', 'admin', 'nodes')).output;
    expect(shown).toMatch(/of 1\.0 GiB \(capacity 1\.0 GiB\)/);
    expect(shown).toMatch(/Last drill of this cluster: .*, all 5 claims proven\./);
    const metrics = await (await fetch(`${world.server.url}/metrics`)).text();
    expect(metrics).toContain('cairn_last_drill_unproven{kind="live"} 0');
    expect(metrics).toContain(`cairn_last_drill_timestamp_seconds{kind="live"} ${report.endedAt / 1000}`);
    expect(metrics).toContain('cairn_last_drill_timestamp_seconds{kind="scratch"} 0');
  });

  test('is refused where it could do harm, touches no file but its own, and ends by itself', async () => {
    const [first] = await Promise.all(['n1', 'n2'].map((name) => joinNode(name)));
    await untilAtRest(2);
    const [one, other] = (await cluster()).nodes as unknown as [{ nodeId: string }, { nodeId: string }];
    // With two nodes and a quorum of two nobody can be held out.
    const fault = (nodeId: string, kind: string, forMs: number) =>
      ask('POST', '/admin/drills/faults', { nodeId, fault: kind, forMs });
    expect(await fault(one.nodeId, 'held-out', 5000)).toMatchObject({
      status: 412,
      json: { code: 'precondition-failed' },
    });
    await joinNode('n3');
    await untilAtRest(3);

    // A file of one's own that is no canary is damaged by nobody, nor is what is not one's own.
    const file = join(world.folder, 'real.txt');
    await writeFile(file, 'not a canary, although it is small');
    await world.run('laptop', 'upload', file, '/');
    await untilAtRest(3);
    const { entry } = (await ask('GET', '/files?path=/real.txt')).json;
    const block = (await ask('GET', `/files/${entry.entryId}`)).json.content.manifest.parts[0]
      .block as string;
    const damage = (blockId: string) =>
      ask('POST', '/admin/drills/canaries', { nodeId: one.nodeId, blockId, action: 'damage' });
    const refused = await damage(block);
    expect(refused).toMatchObject({ status: 412 });
    expect(refused.json.detail).toContain('was not made by a drill');
    expect(await damage(`01${'0'.repeat(64)}`)).toMatchObject({ status: 404 });

    // Each fault is over after its time, though nobody ends it; a second one has to wait for that.
    expect(await fault(one.nodeId, 'held-out', 5000)).toMatchObject({ status: 200 });
    expect((await cluster()).nodes.find(({ nodeId }) => nodeId === one.nodeId)?.state).toBe('held-out');
    expect(await fault(other.nodeId, 'held-out', 5000)).toMatchObject({ status: 412 });
    expect(await fault(one.nodeId, 'full', 5000)).toMatchObject({ status: 412 });
    expect((await world.run('laptop', 'admin', 'drill', '--live')).exitCode).toBe(6);
    await untilAtRest(3);
    await waitUntil(
      async () => (await fault(other.nodeId, 'full', 1500)).status === 200,
      'a second fault',
      patient,
    );
    await waitUntil(
      async () => (await cluster()).nodes.find(({ nodeId }) => nodeId === other.nodeId)?.isFull,
      'it is full',
      patient,
    );
    await untilAtRest(3);

    // An interrupted drill lets the node back at once and takes its files away.
    const drill = world.start('laptop', 'admin', 'drill', '--live', '--sample', '0');
    await waitUntil(
      async () => (await cluster()).nodes.some(({ state }) => state === 'held-out'),
      'a node is held out',
      patient,
    );
    drill.child.kill('SIGINT');
    expect((await drill.result).exitCode).toBe(130);
    expect((await cluster()).nodes.map(({ state }) => state)).toEqual(['up', 'up', 'up']);
    expect((await world.run('laptop', 'list', '/')).output).not.toContain('cairn-drill');
    expect((await world.run('laptop', 'trash', 'list')).output).not.toContain('cairn-drill');
    await untilAtRest(3);

    // Nor does a drill begin when a node is away.
    await first?.kill();
    await waitUntil(
      async () => (await cluster()).nodes.some(({ state }) => state !== 'up'),
      'it is noticed',
      patient,
    );
    const early = await world.run('laptop', 'admin', 'drill', '--live');
    expect(early).toMatchObject({ exitCode: 6, output: '' });
    expect(early.errors).toContain('healthy cluster');
  });
});
