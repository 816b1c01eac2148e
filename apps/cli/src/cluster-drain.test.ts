import type { ClusterResponse } from '@cairn/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  areUp,
  type ClusterWorld,
  createClusterWorld,
  isHealed,
  type NodeProcess,
} from './testing/cluster-world.ts';

describe('a cluster of five storage nodes', { timeout: 240_000 }, () => {
  let world: ClusterWorld;
  beforeEach(async () => {
    world = await createClusterWorld();
  });
  afterEach(() => world.close());

  test('loses two, comes back, and is drained while another one is killed, without a failed request', async () => {
    const joined: NodeProcess[] = [];
    for (let number = 1; number <= 5; number++) joined.push(await world.joinNode(`n${number}`));
    const [first, second, leaving, fourth] = joined as [NodeProcess, NodeProcess, NodeProcess, NodeProcess];
    await world.until('five nodes are up', areUp(5));
    for (let count = 0; count < 10; count++) await world.store(`/before-${count}`);

    const traffic = world.startTraffic();
    await traffic.goOn(20);
    await world.kill(first);
    await traffic.goOn(40);
    // What was acknowledged by two nodes while the first one died has its third replica before the second one goes.
    await world.until('late replicas are made', (now) => areUp(4)(now) && isSettled(now));
    await world.kill(second);
    await traffic.goOn(40);
    expect((await world.cluster()).takesWrites).toBe(true);

    const isBack = [await world.restart(first), await world.restart(second)];
    expect(isBack).toHaveLength(2);
    await world.until('five nodes are up again', (now) => areUp(5)(now) && isHealed(now));

    const { nodeId, blocks } = find(await world.cluster(), leaving);
    expect(blocks).toBeGreaterThan(0);
    expect((await world.admin('drain', nodeId)).exitCode).toBe(0);
    await world.kill(fourth);
    await traffic.goOn(40);
    expect(await world.admin('remove', nodeId)).toMatchObject({ exitCode: 6, output: '' });
    await world.restart(fourth);
    await traffic.goOn(20);
    await traffic.stop();
    await world.until('the drained node is empty', (now) => find(now, leaving).blocks === 0);
    expect((await world.admin('remove', nodeId)).output).toContain('does not belong');
    await world.kill(leaving);

    await world.until('nothing lacks a replica', (now) => areUp(4)(now) && isHealed(now));
    const verified = await world.cli.run('laptop', 'admin', 'verify', '--json');
    const { report } = JSON.parse(verified.output) as { report: unknown };
    expect(report).toMatchObject({ badBlocks: 0, damagedVersions: 0, underReplicated: 0 });
    await world.checkAll();
  });
});

function find(now: ClusterResponse, node: NodeProcess): ClusterResponse['nodes'][number] {
  const found = now.nodes.find(({ address }) => address === node.address);
  if (found === undefined) throw new Error(`no node is at ${node.address}`);
  return found;
}

/** Whether repair waits for nothing but the node that is away. */
function isSettled({ repair }: ClusterResponse): boolean {
  if (repair === null || repair.isRunning || repair.noted > 0) return false;
  return repair.underReplicated === repair.repaired + repair.waiting;
}
