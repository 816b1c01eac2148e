import { createSimulatedEnvironment, type SimulatedEnvironment } from '@cairn/environment';
import { CairnError } from '@cairn/model';
import type { NodeStatus } from '@cairn/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { createMemoryBlockStore } from '../memory/memory-block-store.ts';
import { type ClusterNode, createNodeMonitor, HEARTBEAT_MS, type NodeMonitor } from './node-monitor.ts';

interface Fake {
  readonly cluster: ClusterNode;
  isSilent: boolean;
  status: NodeStatus;
}

const usage = { blocks: 0, liveBytes: 0, diskBytes: 0, quarantinedRecords: 0, verifiedAt: null };

function createFake(nodeId: string, options: { bootCount?: number; isDraining?: boolean } = {}): Fake {
  const fake: Fake = {
    isSilent: false,
    status: {
      nodeId,
      storeUuid: `store of ${nodeId}`,
      bootCount: 4,
      bootId: 'first',
      version: '0',
      usage,
      freeBytes: 1e9,
      totalBytes: 2e9,
      refusesWrites: null,
      fencingTokens: {},
    },
    cluster: {
      nodeId,
      weight: 1,
      zone: '',
      isDraining: options.isDraining ?? false,
      storeUuid: `store of ${nodeId}`,
      bootCount: options.bootCount ?? 4,
      blocks: {
        ...createMemoryBlockStore(),
        async status() {
          if (fake.isSilent) throw new CairnError('unavailable', 'silent');
          return fake.status;
        },
      },
    },
  };
  return fake;
}

describe('the states of storage nodes', () => {
  let environment: SimulatedEnvironment;
  let one: Fake;
  let two: Fake;
  let changes: string[];
  let seen: string[];
  let doubts: string[];
  let monitor: NodeMonitor;

  beforeEach(async () => {
    environment = createSimulatedEnvironment({ seed: 1 });
    [one, two] = [createFake('one'), createFake('two')];
    changes = [];
    seen = [];
    doubts = [];
    monitor = createNodeMonitor({
      environment,
      onChange: (nodeId, state) => changes.push(`${nodeId} ${state}`),
      onDoubt: (nodeId) => doubts.push(nodeId),
      onSeen: (nodeId, status) => seen.push(`${nodeId} ${status.storeUuid} ${status.bootCount}`),
    });
    monitor.setNodes([one.cluster, two.cluster]);
    await monitor.poll();
  });

  test('one that was away for less than a heartbeat, or found damage, may lack something', async () => {
    await monitor.poll();
    expect(doubts).toEqual([]);
    one.status = { ...one.status, bootCount: 5, bootId: 'second' };
    await monitor.poll();
    expect(doubts).toEqual(['one']);
    one.status = { ...one.status, storeUuid: 'another disk', bootCount: 6, bootId: 'third' };
    two.status = { ...two.status, usage: { ...usage, quarantinedRecords: 1 } };
    await monitor.poll();
    expect(doubts).toEqual(['one', 'one', 'two']);
    two.status = { ...two.status, usage };
    await monitor.poll();
    expect(doubts).toHaveLength(3);
    expect(changes.filter((change) => !change.endsWith(' up'))).toEqual([]);
  });

  const stateOf = (nodeId: string) => monitor.health().find((each) => each.nodeId === nodeId)?.state;
  const may = (nodeId: string) => {
    const node = monitor.list().find((each) => each.nodeId === nodeId);
    return `${node?.isWritable ? 'w' : '-'}${node?.isReadable ? 'r' : '-'}${node?.isUp ? 'u' : '-'}`;
  };
  async function pass(durationMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < durationMs; passedMs += HEARTBEAT_MS) {
      await environment.advance(HEARTBEAT_MS);
      await monitor.poll();
    }
  }

  test('go from up to suspect, down and out by the time that a node is silent, each told once', async () => {
    expect(may('one')).toBe('wru');
    one.isSilent = true;
    await pass(5_000);
    expect([stateOf('one'), may('one')]).toEqual(['failing', '-r-']);
    await pass(10_000);
    expect([stateOf('one'), may('one')]).toEqual(['suspect', '-r-']);
    await pass(15_000);
    expect([stateOf('one'), may('one')]).toEqual(['down', '---']);
    await pass(9 * 60_000);
    expect(stateOf('one')).toBe('down');
    await pass(30_000);
    expect(stateOf('one')).toBe('out');
    expect(changes).toEqual(['one up', 'two up', 'one failing', 'one suspect', 'one down', 'one out']);
    expect(stateOf('two')).toBe('up');
  });

  test('need two answers in a row to be up again, so that one that comes and goes is not written to', async () => {
    monitor.note('one', 'failed', new Error('reset'));
    expect(may('one')).toBe('-r-');
    await pass(5_000);
    expect(stateOf('one')).toBe('failing');
    await pass(5_000);
    expect(may('one')).toBe('wru');
    for (let round = 0; round < 5; round++) {
      one.isSilent = round % 2 === 0;
      await pass(5_000);
      expect(may('one')).toBe('-r-');
    }
  });

  test('keep full and draining nodes readable and take nothing new there', async () => {
    monitor.note('one', 'full');
    expect(may('one')).toBe('-ru');
    await pass(60_000);
    expect(may('one')).toBe('wru');
    one.status = { ...one.status, refusesWrites: 'the disk said no' };
    await pass(5_000);
    expect(may('one')).toBe('-ru');
    expect(monitor.health()[0]?.reason).toBe('the disk said no');
    monitor.setNodes([{ ...two.cluster, isDraining: true }]);
    expect(may('two')).toBe('-ru');
    expect(monitor.list()).toHaveLength(1);
  });

  test.each([
    ['another node', { nodeId: 'three' }],
    ['an older copy of its folder', { bootCount: 3 }],
    ['a second process with its identity', { bootId: 'second' }],
  ])('fence %s', async (_, change) => {
    one.status = { ...one.status, ...change };
    await pass(5_000);
    expect([stateOf('one'), may('one')]).toEqual(['fenced', '---']);
    expect(monitor.health()[0]?.reason).toMatch(/another node|older copy|two processes/);
    one.status = { ...one.status, nodeId: 'one', bootCount: 4, bootId: 'first' };
    await pass(10_000);
    expect(stateOf('one')).toBe('fenced');
    one.status = { ...one.status, bootCount: 5, bootId: 'third' };
    await pass(5_000);
    expect(stateOf('one')).toBe('up');
  });

  test('hold a node out for a time that ends by itself, while it is asked how it is', async () => {
    monitor.holdOut('one', 12_000);
    monitor.holdOut('nobody', 12_000);
    expect([stateOf('one'), may('one'), may('two')]).toEqual(['held-out', '---', 'wru']);
    // It keeps its place: nothing is made anew for it.
    expect(monitor.list()[0]).toMatchObject({ nodeId: 'one', isMember: true });
    await pass(10_000);
    expect(stateOf('one')).toBe('held-out');
    expect(monitor.health()[0]).toMatchObject({ reason: expect.stringContaining('drill'), silentMs: 0 });
    monitor.holdOut('one', 12_000);
    await pass(10_000);
    expect(stateOf('one')).toBe('held-out');
    changes.length = 0;
    await pass(5_000);
    expect([stateOf('one'), may('one'), changes]).toEqual(['up', 'wru', ['one up']]);
    monitor.holdOut('one', 60_000);
    monitor.holdOut('one', 0);
    expect(may('one')).toBe('wru');
  });

  test('know that a node which was started anew may have room again', async () => {
    monitor.note('one', 'full');
    expect(may('one')).toBe('-ru');
    await pass(5_000);
    expect(may('one')).toBe('-ru');
    one.status = { ...one.status, bootCount: 5, bootId: 'second' };
    await pass(5_000);
    expect(may('one')).toBe('wru');
  });

  test('know a restart and a new disk for what they are, and say so', async () => {
    one.status = { ...one.status, bootCount: 5, bootId: 'second' };
    await pass(5_000);
    expect(may('one')).toBe('wru');
    one.status = { ...one.status, storeUuid: 'empty', bootCount: 6, bootId: 'third' };
    await pass(5_000);
    expect(seen).toEqual(['one store of one 5', 'one empty 6']);
  });
});
