import {
  createJoinPair,
  deriveNodeKey,
  isProven,
  openSealedBytes,
  proveParts,
  sealBytes,
} from '@cairn/crypto';
import { CairnError, createId } from '@cairn/model';
import { NODE_PROOFS } from '@cairn/protocol';
import type { ClusterDependencies, ClusterService, JoinRequest } from './cluster-types.ts';

/** What keys and secrets are sealed for; the name is that of the node or the token. */
export const SEALED_FOR = { key: 'storage node key', secret: 'join token' } as const;
export const NONCE_BYTES = 12;

/** The same for a token that never was, was used, is over, or was not proven. */
function refused(): CairnError {
  return new CairnError(
    'wrong-credentials',
    'the join token is not valid (each works once, for a day); make a new one with "cairn admin nodes invite"',
  );
}

/** See `ClusterService.join`. */
export async function joinNode(
  { store, environment, secret, view }: ClusterDependencies,
  request: JoinRequest,
): ReturnType<ClusterService['join']> {
  const { tokenId, publicKey, address, zone, weight } = request;
  const now = environment.clock.now();
  const token = await store.read((reader) => reader.getJoinToken(tokenId));
  if (token === undefined || token.expiresAt <= now) throw refused();
  const shared = openSealedBytes(secret, SEALED_FOR.secret, tokenId, token.sealedSecret);
  const said = [tokenId, publicKey, address, zone, String(weight)];
  if (!isProven(request.proof, shared, NODE_PROOFS.offer, said)) throw refused();
  const nodeId = createId<string>(environment.random.bytes(16));
  const pair = createJoinPair();
  const key = deriveNodeKey(pair.privateKey, publicKey, shared, nodeId, publicKey);
  const sealedKey = sealBytes(secret, SEALED_FOR.key, nodeId, key, environment.random.bytes(NONCE_BYTES));
  await store.transact(async (transaction) => {
    if (!(await transaction.deleteJoinToken(tokenId))) throw refused();
    await transaction.insertStorageNode({
      nodeId,
      address,
      zone,
      weight,
      state: 'active',
      sealedKey,
      storeUuid: null,
      bootCount: 0,
      joinedAt: now,
    });
  });
  environment.log.info('storage-nodes.joined', { nodeId, address, zone, weight });
  await view.refresh();
  const proof = proveParts(shared, NODE_PROOFS.answer, [publicKey, pair.publicKey, nodeId]);
  return { nodeId, publicKey: pair.publicKey, proof };
}

/** See `ClusterService.announce`. */
export async function announceNode(
  { store, environment, secret, view }: ClusterDependencies,
  { nodeId, address, bootCount, proof }: Parameters<ClusterService['announce']>[0],
): Promise<void> {
  const unknown = () =>
    new CairnError('wrong-credentials', 'this node does not belong to the cluster; let it join anew');
  const node = await store.read((reader) => reader.getStorageNode(nodeId));
  if (node === undefined) throw unknown();
  const key = openSealedBytes(secret, SEALED_FOR.key, nodeId, node.sealedKey);
  if (!isProven(proof, key, NODE_PROOFS.announcement, [nodeId, address, String(bootCount)])) throw unknown();
  // Said again by somebody who listened, or by an older copy of the node: where the node is now, it told later.
  if (bootCount < node.bootCount) throw unknown();
  if (address !== node.address) {
    await store.transact((transaction) => transaction.updateStorageNode(nodeId, { address }));
    environment.log.info('storage-nodes.moved', { nodeId, from: node.address, to: address });
  }
  await view.refresh();
}
