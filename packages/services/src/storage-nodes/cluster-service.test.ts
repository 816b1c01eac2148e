import { randomBytes } from 'node:crypto';
import type { NodeHealth } from '@cairn/block-store';
import {
  createJoinPair,
  deriveNodeKey,
  isProven,
  openSealedBytes,
  parseJoinToken,
  proveParts,
} from '@cairn/crypto';
import { NODE_PROOFS } from '@cairn/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDataWorld, type DataWorld, type TestUser } from '../testing/data-world.ts';
import type { ClusterService, ClusterView, JoinRequest } from './cluster-types.ts';
import { createClusterService } from './create-cluster-service.ts';
import { SEALED_FOR } from './join-node.ts';

const SECRET = randomBytes(32);
const DAY_MS = 24 * 60 * 60_000;
const REFUSED = expect.objectContaining({ code: 'wrong-credentials' });

let world: DataWorld;
let admin: TestUser;
let member: TestUser;
let service: ClusterService;
let health: NodeHealth[];
let refreshes: number;
let isInUse: boolean;

beforeEach(async () => {
  world = await createDataWorld();
  admin = await world.addUser('ann', 'administrator');
  member = await world.addUser('bob');
  health = [];
  refreshes = 0;
  isInUse = true;
  const view: ClusterView = {
    get isInUse() {
      return isInUse;
    },
    health: () => health,
    refresh: async () => {
      refreshes++;
    },
    replicas: 3,
    writeQuorum: 2,
    codeAfterMs: null,
    countReplicas: async (blockIds) => blockIds.map(() => 3),
    repairSoon: () => undefined,
    faults: {
      holdOut: () => undefined,
      reportFull: async () => undefined,
      damageCanary: async () => undefined,
      inspect: async () => 'whole',
      noteMissing: () => undefined,
    },
    repair: () => ({
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
      lastRunAt: null,
    }),
  };
  const { store, environment } = world;
  service = createClusterService({ store, environment, secret: SECRET, view });
});
afterEach(() => world.close());

/** What a node says with a token, and what it needs to understand the answer. */
function offer(token: string, changes: Partial<JoinRequest> = {}) {
  const { tokenId, secret } = parseJoinToken(token);
  const pair = createJoinPair();
  const said = { tokenId, publicKey: pair.publicKey, address: '10.0.0.1:9001', zone: 'a', weight: 2 };
  const parts = [tokenId, said.publicKey, said.address, said.zone, String(said.weight)];
  const request: JoinRequest = { ...said, proof: proveParts(secret, NODE_PROOFS.offer, parts), ...changes };
  return { request, pair, secret };
}

async function join(): Promise<{ nodeId: string; key: Uint8Array }> {
  const { token } = await service.invite(admin.principal);
  const { request, pair, secret } = offer(token);
  const answer = await service.join(request);
  const parts = [pair.publicKey, answer.publicKey, answer.nodeId];
  expect(isProven(answer.proof, secret, NODE_PROOFS.answer, parts)).toBe(true);
  const key = deriveNodeKey(pair.privateKey, answer.publicKey, secret, answer.nodeId, pair.publicKey);
  return { nodeId: answer.nodeId, key };
}

const announcement = (nodeId: string, key: Uint8Array, address: string, bootCount: number) => ({
  nodeId,
  address,
  bootCount,
  proof: proveParts(key, NODE_PROOFS.announcement, [nodeId, address, String(bootCount)]),
});

describe('joining', () => {
  test('gives node and server the same key, which no table has in the open', async () => {
    const { nodeId, key } = await join();
    const node = await world.store.read((reader) => reader.getStorageNode(nodeId));
    expect(node).toMatchObject({
      address: '10.0.0.1:9001',
      zone: 'a',
      weight: 2,
      state: 'active',
      bootCount: 0,
    });
    const sealed = node?.sealedKey as Uint8Array;
    expect(openSealedBytes(SECRET, SEALED_FOR.key, nodeId, sealed)).toEqual(key);
    expect(Buffer.from(sealed).includes(Buffer.from(key))).toBe(false);
    expect(refreshes).toBe(1);
  });

  test('needs a token that is known, unused, not over, and proven with everything that was said', async () => {
    const { token } = await service.invite(admin.principal);
    const { request } = offer(token);
    for (const changes of [
      { proof: new Uint8Array(32) },
      { address: '10.0.0.2:9001' },
      { zone: 'b' },
      { weight: 3 },
      { publicKey: createJoinPair().publicKey },
      { tokenId: 'a'.repeat(26) },
    ]) {
      await expect(service.join({ ...request, ...changes })).rejects.toEqual(REFUSED);
    }
    await service.join(request);
    await expect(service.join(request)).rejects.toEqual(REFUSED);
    const { token: late, expiresAt } = await service.invite(admin.principal);
    expect(expiresAt).toBe(world.environment.clock.now() + DAY_MS);
    await world.environment.advance(DAY_MS);
    await expect(service.join(offer(late).request)).rejects.toEqual(REFUSED);
    expect(await world.store.read((reader) => reader.listStorageNodes())).toHaveLength(1);
  });

  test('of two at the same time with one token lets one in', async () => {
    const { token } = await service.invite(admin.principal);
    const results = await Promise.allSettled([
      service.join(offer(token).request),
      service.join(offer(token).request),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await world.store.read((reader) => reader.listStorageNodes())).toHaveLength(1);
  });

  test('is possible before any block is on nodes, and who has joined is shown', async () => {
    isInUse = false;
    const { nodeId } = await join();
    expect(await service.describe(admin.principal)).toMatchObject({
      mode: 'folder',
      takesWrites: true,
      nodes: [{ nodeId }],
      repair: null,
    });
    // Nothing that anybody needs is on it.
    await service.remove(admin.principal, nodeId, { force: false });
    expect((await service.describe(admin.principal)).nodes).toEqual([]);
  });
});

describe('a node that has joined', () => {
  test('says where it is, proven with its key, and nobody says it again later for it', async () => {
    const { nodeId, key } = await join();
    await service.announce(announcement(nodeId, key, 'host:7', 3));
    expect((await world.store.read((reader) => reader.getStorageNode(nodeId)))?.address).toBe('host:7');
    await world.store.transact((transaction) => transaction.updateStorageNode(nodeId, { bootCount: 4 }));
    for (const wrong of [
      announcement(nodeId, key, 'host:7', 3),
      announcement(nodeId, randomBytes(32), 'evil:1', 9),
      { ...announcement(nodeId, key, 'host:8', 9), address: 'evil:1' },
      announcement('none', key, 'host:8', 9),
    ]) {
      await expect(service.announce(wrong)).rejects.toEqual(REFUSED);
    }
    expect((await world.store.read((reader) => reader.getStorageNode(nodeId)))?.address).toBe('host:7');
  });

  test('is removed when it is drained and empty, or by force', async () => {
    const { nodeId } = await join();
    const status = { usage: { blocks: 0 } } as NodeHealth['status'];
    const state = (changes: Partial<NodeHealth>) => {
      health = [
        {
          nodeId,
          state: 'up',
          isDraining: true,
          isFull: false,
          reason: null,
          silentMs: 0,
          status,
          ...changes,
        },
      ];
    };
    const remove = (force = false) => service.remove(admin.principal, nodeId, { force });
    const refused = { code: 'precondition-failed' };
    await expect(remove()).rejects.toMatchObject(refused);
    state({ isDraining: false });
    await expect(remove()).rejects.toMatchObject(refused);
    state({ status: { usage: { blocks: 1 } } as NodeHealth['status'] });
    await expect(remove()).rejects.toMatchObject(refused);
    state({ state: 'suspect' });
    await expect(remove()).rejects.toMatchObject(refused);
    state({});
    await remove();
    await expect(remove(true)).rejects.toMatchObject({ code: 'not-found' });
    const other = await join();
    await service.remove(admin.principal, other.nodeId, { force: true });
    expect(await world.store.read((reader) => reader.listStorageNodes())).toEqual([]);
  });

  test('is removed once when two administrators do it at the same time', async () => {
    const { nodeId } = await join();
    const remove = () => service.remove(admin.principal, nodeId, { force: true });
    const results = await Promise.allSettled([remove(), remove()]);
    const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(errors).toMatchObject([{ code: 'not-found' }]);
  });

  test('is the business of administrators only', async () => {
    const { nodeId } = await join();
    const nothing = { code: 'not-found', message: expect.stringContaining('nothing at this address') };
    await expect(service.invite(member.principal)).rejects.toMatchObject(nothing);
    await expect(service.describe(member.principal)).rejects.toMatchObject(nothing);
    await expect(service.change(member.principal, nodeId, { weight: 9 })).rejects.toMatchObject(nothing);
    await expect(service.remove(member.principal, nodeId, { force: true })).rejects.toMatchObject(nothing);
    await service.change(admin.principal, nodeId, { weight: 9, state: 'draining' });
    const { nodes, takesWrites } = await service.describe(admin.principal);
    expect(nodes).toMatchObject([{ nodeId, weight: 9, isDraining: true, state: 'unknown' }]);
    expect(takesWrites).toBe(false);
  });
});
