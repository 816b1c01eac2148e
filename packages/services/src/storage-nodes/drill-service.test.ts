import type { NodeHealth } from '@cairn/block-store';
import type { BlockId, EntryId } from '@cairn/model';
import type { DrillReport } from '@cairn/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDataWorld, type DataWorld, fileOf, type TestUser } from '../testing/data-world.ts';
import type { ClusterView, RepairState } from './cluster-types.ts';
import { createDrillService } from './create-drill-service.ts';
import type { DrillService, ReplicaState } from './drill-types.ts';

const REFUSED = { code: 'precondition-failed' };
const NOTHING = { code: 'not-found' };
const AT_REST: RepairState = {
  isRunning: false,
  checkedBlocks: 0,
  underReplicated: 0,
  repaired: 0,
  waiting: 0,
  unavailable: 0,
  lost: 0,
  codedBlocks: 0,
  codedBytes: 0,
  copiedBytes: 0,
  noted: 0,
  lastRunAt: 1,
};

let world: DataWorld;
let admin: TestUser;
let member: TestUser;
let service: DrillService;
let health: NodeHealth[];
let repair: RepairState;
let replicas: Record<string, ReplicaState>;
let calls: string[];

beforeEach(async () => {
  world = await createDataWorld();
  admin = await world.addUser('ann', 'administrator');
  member = await world.addUser('bob');
  health = ['a', 'b', 'c'].map((nodeId) => ({
    nodeId,
    state: 'up',
    isDraining: false,
    isFull: false,
    reason: null,
    silentMs: 0,
    status: null,
  }));
  repair = AT_REST;
  replicas = { a: 'whole', b: 'whole', c: 'whole' };
  calls = [];
  await world.store.transact(async (transaction) => {
    for (const nodeId of ['a', 'b', 'c']) {
      await transaction.insertStorageNode({
        nodeId,
        address: `${nodeId}:1`,
        zone: '',
        weight: 1,
        state: 'active',
        sealedKey: Uint8Array.of(1),
        storeUuid: null,
        bootCount: 0,
        joinedAt: 1,
      });
    }
  });
  service = createService(2);
});
afterEach(() => world.close());

function createService(writeQuorum: number): DrillService {
  const view: ClusterView = {
    isInUse: true,
    health: () => health,
    refresh: async () => undefined,
    replicas: 3,
    writeQuorum,
    codeAfterMs: null,
    countReplicas: async (blockIds) => blockIds.map(() => 3),
    repair: () => repair,
    repairSoon: () => undefined,
    faults: {
      holdOut: (nodeId, forMs) => calls.push(`hold ${nodeId} ${forMs}`),
      reportFull: async (nodeId, forMs) => void calls.push(`full ${nodeId} ${forMs}`),
      damageCanary: async (nodeId) => void calls.push(`damage ${nodeId}`),
      inspect: async (nodeId) => replicas[nodeId] as ReplicaState,
      noteMissing: () => void calls.push('note'),
    },
  };
  const { store, environment } = world;
  return createDrillService({ store, environment, secret: new Uint8Array(32), view });
}

const begin = (nodeId: string, fault: 'held-out' | 'full' = 'held-out', forMs = 60_000, who = admin) =>
  service.beginFault(who.principal, { nodeId, fault, forMs });

/** A block of a file of the user. */
async function blockOf(user: TestUser): Promise<BlockId> {
  const content = await world.upload(user, `of ${user.spaceId}`);
  const change = {
    kind: 'create',
    entryId: world.newId<EntryId>(),
    parentId: user.rootId,
    name: 'a',
  } as const;
  await world.commit(user, [{ ...change, entry: fileOf(content) } as never]);
  return content.manifest?.parts[0]?.block as BlockId;
}

describe('a fault', () => {
  test('ends when its time is over, though nobody comes back', async () => {
    const { until } = await begin('a');
    expect(until).toBe(world.environment.clock.now() + 60_000);
    await expect(begin('b')).rejects.toMatchObject(REFUSED);
    await expect(begin('a', 'full')).rejects.toMatchObject(REFUSED);
    await world.environment.advance(59_999);
    await expect(begin('b')).rejects.toMatchObject(REFUSED);
    await world.environment.advance(1);
    expect(calls).toEqual(['hold a 60000', 'hold a 0']);
    await begin('b');
  });

  test('is prolonged by whoever has it, whatever repair has to do by then', async () => {
    await begin('a');
    await world.environment.advance(40_000);
    health[0] = { ...(health[0] as NodeHealth), state: 'held-out' };
    repair = { ...AT_REST, underReplicated: 5, noted: 5 };
    await begin('a');
    await world.environment.advance(59_999);
    expect(calls).toEqual(['hold a 60000', 'hold a 60000']);
    await world.environment.advance(1);
    expect(calls.at(-1)).toBe('hold a 0');
  });

  test('of a full node is told to it again and again, and never for longer than a moment', async () => {
    await begin('b', 'full', 21_000);
    await world.environment.advance(25_000);
    expect(calls).toEqual([
      'full b 15000',
      'full b 15000',
      'full b 11000',
      'full b 6000',
      'full b 1000',
      'full b 0',
    ]);
    expect(world.environment.untilNextTimerMs()).toBeNull();
  });

  test('ends when somebody says so, and when the server stops', async () => {
    await service.endFault(admin.principal);
    await begin('a');
    await service.endFault(admin.principal);
    await begin('b', 'full');
    await service.stop();
    expect(calls).toEqual(['hold a 60000', 'hold a 0', 'full b 15000', 'full b 0']);
    expect(world.environment.untilNextTimerMs()).toBeNull();
  });

  test.each<[string, () => void]>([
    ['a node is silent', () => (health[2] = { ...(health[2] as NodeHealth), state: 'suspect' })],
    ['a node is full', () => (health[2] = { ...(health[2] as NodeHealth), isFull: true })],
    ['a node is drained', () => (health[2] = { ...(health[2] as NodeHealth), isDraining: true })],
    ['blocks lack replicas', () => (repair = { ...AT_REST, underReplicated: 2, repaired: 1 })],
    ['blocks are noted', () => (repair = { ...AT_REST, noted: 1 })],
    ['blocks are lost', () => (repair = { ...AT_REST, lost: 1 })],
    ['repair is at it', () => (repair = { ...AT_REST, isRunning: true })],
    ['nothing was compared yet', () => (repair = { ...AT_REST, lastRunAt: null })],
    ['too few would be left', () => (health = health.slice(0, 2))],
  ])('is refused while %s', async (_, change) => {
    change();
    await expect(begin('a')).rejects.toMatchObject(REFUSED);
    await expect(begin('a', 'full')).rejects.toMatchObject(REFUSED);
    expect(calls).toEqual([]);
  });
});

describe('a canary', () => {
  test('is damaged when others have it whole, and is looked at and noted', async () => {
    const blockId = await blockOf(admin);
    expect(await service.damageCanary(admin.principal, 'a', blockId)).toBe('damaged');
    replicas['a'] = 'damaged';
    expect(await service.inspectCanary(admin.principal, 'a', blockId)).toBe('damaged');
    expect(await service.inspectCanary(admin.principal, 'b', blockId)).toBe('whole');
    expect(calls).toEqual(['damage a', 'note']);
  });

  test('is left alone when no other has it whole, or anything else is under way', async () => {
    const blockId = await blockOf(admin);
    const damage = () => service.damageCanary(admin.principal, 'a', blockId);
    replicas = { a: 'whole', b: 'damaged', c: 'absent' };
    await expect(damage()).rejects.toMatchObject(REFUSED);
    replicas = { a: 'whole', b: 'whole', c: 'whole' };
    repair = { ...AT_REST, noted: 1 };
    await expect(damage()).rejects.toMatchObject(REFUSED);
    repair = AT_REST;
    await begin('b');
    await expect(damage()).rejects.toMatchObject(REFUSED);
    expect(calls).toEqual(['hold b 60000']);
  });

  test('of somebody else is nothing, for an administrator too', async () => {
    const blockId = await blockOf(member);
    for (const each of [service.damageCanary, service.inspectCanary]) {
      await expect(each(admin.principal, 'a', blockId)).rejects.toMatchObject(NOTHING);
      await expect(each(member.principal, 'a', blockId)).rejects.toMatchObject(NOTHING);
    }
    expect(calls).toEqual([]);
  });
});

describe('drills', () => {
  const report = (kind: DrillReport['kind'], endedAt: number, unproven = 0): DrillReport => ({
    kind,
    startedAt: 1,
    endedAt,
    claims: Array.from({ length: 3 }, (_, index) => ({
      id: `claim-${index}`,
      claim: 'it holds',
      done: 'looked',
      result: index < unproven ? ('unproven' as const) : ('proven' as const),
      problem: null,
      startedAt: 1,
      endedAt,
      figures: { files: 2 },
    })),
  });

  test('are kept, the last five of each kind, newest first', async () => {
    await service.record(admin.principal, report('live', 3, 1));
    for (let endedAt = 10; endedAt < 20; endedAt++)
      await service.record(admin.principal, report('scratch', endedAt));
    const kept = await service.list(admin.principal);
    expect(kept.map(({ kind, endedAt }) => `${kind} ${endedAt}`)).toEqual([
      'scratch 19',
      'scratch 18',
      'scratch 17',
      'scratch 16',
      'scratch 15',
      'live 3',
    ]);
    expect(kept.at(-1)).toEqual(report('live', 3, 1));
    expect(await service.latest()).toEqual([
      { kind: 'scratch', endedAt: 19, proven: 3, unproven: 0 },
      { kind: 'live', endedAt: 3, proven: 2, unproven: 1 },
    ]);
  });

  test('are the business of administrators only', async () => {
    const { principal } = member;
    await expect(begin('a', 'held-out', 1000, member)).rejects.toMatchObject(NOTHING);
    await expect(service.endFault(principal)).rejects.toMatchObject(NOTHING);
    await expect(service.record(principal, report('live', 1))).rejects.toMatchObject(NOTHING);
    await expect(service.list(principal)).rejects.toMatchObject(NOTHING);
    await expect(begin('none')).rejects.toMatchObject(NOTHING);
    expect([calls, await service.latest()]).toEqual([[], []]);
  });
});
