import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  areUp,
  type ClusterWorld,
  createClusterWorld,
  isHealed,
  type NodeProcess,
} from './testing/cluster-world.ts';

describe('a cluster of three storage nodes', { timeout: 240_000 }, () => {
  let world: ClusterWorld;

  beforeEach(async () => {
    world = await createClusterWorld();
  });
  afterEach(() => world.close());

  test('goes on without one of three, reads with one of three, heals, and has lost nothing', async () => {
    expect((await world.put('/early', new Uint8Array(10))).status).toBe(503);
    const first = await world.joinNode('n1');
    const second = await world.joinNode('n2');
    const third = await world.joinNode('n3');
    await world.until('three nodes are up', areUp(3));
    for (let count = 0; count < 10; count++) await world.store(`/before-${count}`);

    const traffic = world.startTraffic();
    await traffic.goOn(20);
    await world.kill(first);
    await traffic.goOn(60);
    await traffic.stop();
    const complete = new Set(world.files.keys());

    await world.kill(second);
    const killedAt = Date.now();
    await world.until('the status tells that two nodes are gone', areUp(1), 15_000);
    expect(Date.now() - killedAt).toBeLessThan(15_000);
    expect((await world.cluster()).takesWrites).toBe(false);
    const refused = await world.put('/too-few', new Uint8Array(1000));
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([503, 'unavailable']);
    expect(world.files.size).toBe(complete.size);
    await world.checkAll();
    const metrics = await (await fetch(`${world.cli.server.url}/metrics`)).text();
    expect(metrics).toContain('cairn_storage_nodes{state="up"} 1');
    expect(metrics).toContain('cairn_lost_blocks 0');
    const shown = await world.admin();
    expect(shown.output).toContain('Nothing new can be stored: fewer than 2 nodes can take it.');

    await world.restart(first);
    await world.restart(second);
    await world.until('three nodes are up again and nothing lacks a replica', (now) => {
      const held = new Set(now.nodes.map(({ blocks }) => blocks));
      return areUp(3)(now) && isHealed(now) && held.size === 1;
    });
    await world.checkAll();
    // Only the one that was never killed had everything; without it the other two must have it.
    await world.kill(third);
    await world.checkAll();
    await world.store('/after');
    await world.checkAll();
  });

  test('a node that was drained is empty, may go, and took nothing with it', async () => {
    const joined: NodeProcess[] = [];
    for (const name of ['n1', 'n2', 'n3', 'n4']) joined.push(await world.joinNode(name));
    await world.until('four nodes are up', areUp(4));
    for (let count = 0; count < 20; count++) await world.store(`/file-${count}`);
    const leaving = joined[1] as NodeProcess;
    const { nodeId } = (await world.cluster()).nodes.find(({ address }) => address === leaving.address) as {
      nodeId: string;
    };
    const early = await world.admin('remove', nodeId);
    expect(early).toMatchObject({ exitCode: 6, output: '' });
    expect(early.errors).toContain('drain it first');
    expect((await world.admin('drain', nodeId)).exitCode).toBe(0);
    await world.store('/while-draining');
    await world.until('the node is empty', (now) => {
      return now.nodes.find((each) => each.nodeId === nodeId)?.blocks === 0;
    });
    expect((await world.admin('remove', nodeId)).output).toContain('does not belong');
    await world.kill(leaving);
    await world.kill(joined[0] as NodeProcess);
    await world.checkAll();
  });

  test('tokens work once, wrong ones never, and a node that has joined needs none', async () => {
    const joinToken = (await world.admin('invite')).output.trim();
    const node = await world.startNode('n1', '127.0.0.1:0', joinToken);
    const startNode = (name: string, token: string | null) => world.startNode(name, '127.0.0.1:0', token);
    await expect(startNode('n2', joinToken)).rejects.toThrow('join token is not valid');
    const forged = `${joinToken.slice(0, 26)}.${Buffer.from(randomBytes(32)).toString('base64url')}`;
    await expect(startNode('n2', forged)).rejects.toThrow('join token is not valid');
    await expect(startNode('n2', 'nonsense')).rejects.toThrow('no join token');
    await expect(startNode('n2', null)).rejects.toThrow('belongs to no cluster');
    await expect(startNode('n1', null)).rejects.toThrow(/in use|already/);
    await world.kill(node);
    // On another port it is found all the same: it says where it is.
    const moved = await startNode('n1', null);
    expect(moved.address).not.toBe(node.address);
    await world.until('it is up where it is now', (now) =>
      now.nodes.some(({ address, state }) => address === moved.address && state === 'up'),
    );
    await writeFile(join(node.data, 'boot-count'), 'rubbish');
    await world.kill(moved);
    await expect(startNode('n1', null)).rejects.toThrow('boot-count is damaged');
  });
});
