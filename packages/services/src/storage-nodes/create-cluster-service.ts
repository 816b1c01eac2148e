import { CODING_NODES } from '@cairn/block-store';
import { formatJoinToken, sealBytes } from '@cairn/crypto';
import type { MetadataReader, StorageNodeRecord } from '@cairn/metadata-store';
import { CairnError, createId } from '@cairn/model';
import { authoriseAdministrator } from '../authorisation/authorise.ts';
import type {
  ClusterDependencies,
  ClusterDescription,
  ClusterService,
  ClusterView,
  NodeDescription,
} from './cluster-types.ts';
import { readDrills, summariseDrills } from './drill-records.ts';
import { announceNode, joinNode, NONCE_BYTES, SEALED_FOR } from './join-node.ts';

const TOKEN_LIFE_MS = 24 * 60 * 60_000;
const SECRET_BYTES = 32;

function describeNode(record: StorageNodeRecord, view: ClusterView): NodeDescription {
  const health = view.health().find(({ nodeId }) => nodeId === record.nodeId);
  const status = health?.status ?? null;
  return {
    nodeId: record.nodeId,
    address: record.address,
    zone: record.zone,
    weight: record.weight,
    state: health?.state ?? 'unknown',
    isDraining: record.state === 'draining',
    isFull: health?.isFull ?? false,
    reason: health?.reason ?? null,
    silentMs: health?.silentMs ?? null,
    version: status?.version ?? null,
    blocks: status?.usage.blocks ?? null,
    liveBytes: status?.usage.liveBytes ?? null,
    diskBytes: status?.usage.diskBytes ?? null,
    quarantinedRecords: status?.usage.quarantinedRecords ?? null,
    freeBytes: status?.freeBytes ?? null,
    totalBytes: status?.totalBytes ?? null,
    capacityBytes: status?.capacityBytes ?? null,
    joinedAt: record.joinedAt,
  };
}

async function findNode(reader: MetadataReader, nodeId: string): Promise<StorageNodeRecord> {
  const node = await reader.getStorageNode(nodeId);
  if (node !== undefined) return node;
  throw new CairnError('not-found', 'there is no such storage node; "cairn admin nodes" lists them');
}

function describeCoding(
  { codeAfterMs }: ClusterView,
  nodes: readonly NodeDescription[],
): ClusterDescription['coding'] {
  if (codeAfterMs === null) return null;
  const members = nodes.filter(
    ({ state, isDraining }) => state !== 'out' && state !== 'fenced' && !isDraining,
  );
  return { afterMs: codeAfterMs, isPossible: members.length >= CODING_NODES };
}

/** What administrators do with storage nodes, and what nodes ask of a server. */
export function createClusterService(dependencies: ClusterDependencies): ClusterService {
  const { store, environment, secret, view } = dependencies;

  return {
    async invite(principal) {
      const now = environment.clock.now();
      const tokenId = createId<string>(environment.random.bytes(16));
      const shared = environment.random.bytes(SECRET_BYTES);
      const nonce = environment.random.bytes(NONCE_BYTES);
      const expiresAt = now + TOKEN_LIFE_MS;
      await store.transact(async (transaction) => {
        await authoriseAdministrator(transaction, principal);
        await transaction.deleteOldJoinTokens(now);
        const sealedSecret = sealBytes(secret, SEALED_FOR.secret, tokenId, shared, nonce);
        await transaction.insertJoinToken({ tokenId, sealedSecret, createdAt: now, expiresAt });
      });
      return { token: formatJoinToken({ tokenId, secret: shared }), expiresAt };
    },

    async describe(principal): Promise<ClusterDescription> {
      const { records, drills } = await store.read(async (reader) => {
        await authoriseAdministrator(reader, principal);
        return {
          records: await reader.listStorageNodes(),
          drills: summariseDrills(await readDrills(reader)),
        };
      });
      const nodes = records.map((record) => describeNode(record, view));
      if (!view.isInUse) {
        return {
          mode: 'folder',
          replicas: 1,
          writeQuorum: 1,
          takesWrites: true,
          coding: null,
          nodes,
          repair: null,
          drills,
        };
      }
      const writable = nodes.filter((node) => node.state === 'up' && !node.isDraining && !node.isFull).length;
      return {
        mode: 'nodes',
        replicas: view.replicas,
        writeQuorum: view.writeQuorum,
        takesWrites: writable >= view.writeQuorum,
        coding: describeCoding(view, nodes),
        nodes,
        repair: view.repair(),
        drills,
      };
    },

    async change(principal, nodeId, changes) {
      await store.transact(async (transaction) => {
        await authoriseAdministrator(transaction, principal);
        await findNode(transaction, nodeId);
        await transaction.updateStorageNode(nodeId, changes);
      });
      await view.refresh();
    },

    async remove(principal, nodeId, { force }) {
      await store.read(async (reader) => {
        await authoriseAdministrator(reader, principal);
        await findNode(reader, nodeId);
      });
      const health = view.health().find((each) => each.nodeId === nodeId);
      const blocks = health?.status?.usage.blocks;
      const isEmpty = health?.isDraining === true && health.state === 'up' && blocks === 0;
      // What a node has while blocks are elsewhere is needed by nobody.
      if (view.isInUse && !isEmpty && !force) {
        throw new CairnError(
          'precondition-failed',
          `the node may hold blocks that others lack; drain it first ("cairn admin nodes drain ${nodeId}"), or remove it with --force if it will not come back`,
          { details: { blocks: blocks ?? null, state: health?.state ?? null } },
        );
      }
      await store.transact(async (transaction) => {
        await authoriseAdministrator(transaction, principal);
        // Somebody else may have removed it meanwhile.
        await findNode(transaction, nodeId);
        await transaction.deleteStorageNode(nodeId);
      });
      environment.log.warn('storage-nodes.removed', { nodeId, force, blocks: blocks ?? null });
      await view.refresh();
    },

    join: (request) => joinNode(dependencies, request),
    announce: (announcement) => announceNode(dependencies, announcement),
  };
}
