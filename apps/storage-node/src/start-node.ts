import { statfs } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import {
  createBoundedBlockStore,
  isIntactShard,
  openSegmentBlockStore,
  type StoreKey,
} from '@cairn/block-store';
import { createNodePlatform, isIntactBlock } from '@cairn/content';
import { type JoinToken, parseJoinToken } from '@cairn/crypto';
import type { Environment } from '@cairn/environment';
import { CairnError, createId, isCairnError, isShardId } from '@cairn/model';
import { createNodeApi } from '@cairn/node-api';
import { createDrillFaults } from './drill-faults.ts';
import { announceNode, joinCluster } from './join-cluster.ts';
import { type Membership, type NodeFolder, openNodeFolder } from './node-folder.ts';

export interface StartNodeOptions {
  /** Folder of the node; made if missing. */
  readonly data: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Where the servers reach the node, when that is not where it listens. */
  readonly advertise?: string | undefined;
  /** Address of a server of the cluster; needed once, to join. */
  readonly join?: string | undefined;
  readonly joinToken?: string | undefined;
  readonly zone?: string | undefined;
  readonly weight?: number | undefined;
  /** Bytes on disk that its blocks may take; as many as the disk has unless told. */
  readonly capacityBytes?: number | undefined;
  /** Seals the blocks on this node's disk; `null`: they are not sealed. */
  readonly key: StoreKey | null;
  readonly version: string;
  readonly environment: Environment;
}

export interface RunningNode {
  readonly nodeId: string;
  /** `host:port` as the cluster has it. */
  readonly address: string;
  readonly hasJoinedNow: boolean;
  /** Stops taking requests, ends those under way, closes the store. May be called again. */
  stop(): Promise<void>;
}

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function checkMembership(folder: NodeFolder, options: StartNodeOptions): JoinToken | null {
  if (folder.membership !== null) return null;
  if (options.join === undefined || options.joinToken === undefined) {
    throw new CairnError(
      'not-configured',
      'this node belongs to no cluster yet; start it with --join URL and the join token in CAIRN_JOIN_TOKEN ("cairn admin nodes invite" makes one)',
    );
  }
  return parseJoinToken(options.joinToken);
}

/** Says where it is until a server has heard it: without that a node that moved would not be found. */
async function keepAnnouncing(
  membership: Membership,
  address: string,
  bootCount: number,
  { timers, log }: Environment,
  signal: AbortSignal,
): Promise<void> {
  for (let delayMs = FIRST_RETRY_MS; !signal.aborted; delayMs = Math.min(LONGEST_RETRY_MS, delayMs * 2)) {
    try {
      await announceNode(membership, address, bootCount);
      return;
    } catch (error) {
      log.warn('storage-node.not-announced', { server: membership.server, error: String(error) });
      if (!isCairnError(error, 'server-unreachable', 'unavailable', 'internal', 'too-many-attempts')) return;
    }
    await timers.sleep(delayMs, signal).catch(() => undefined);
  }
}

/**
 * Starts a storage node: takes its folder, joins the cluster if it has not yet, and serves whoever has the cluster's key.
 * @throws CairnError `already-running`, `not-configured`, `usage` for a token that is none, and what joining throws
 */
export async function startNode(options: StartNodeOptions): Promise<RunningNode> {
  const { environment, host } = options;
  const createUuid = () => createId<string>(environment.random.bytes(16));
  const closers: (() => Promise<unknown>)[] = [];
  const stopping = new AbortController();
  async function stop(): Promise<void> {
    stopping.abort(new Error('the node stops'));
    for (const closer of closers.splice(0).reverse()) await closer();
  }
  try {
    const platform = createNodePlatform();
    // The lock of the store is the lock of the node: nothing is counted or written before it is ours.
    const segments = await openSegmentBlockStore({
      directory: `${options.data}/blocks`,
      environment,
      verify: (block) => (isShardId(block.blockId) ? isIntactShard(block) : isIntactBlock(platform, block)),
      ...(options.key === null ? {} : { key: options.key }),
    });
    closers.push(() => segments.close());
    const capacityBytes = options.capacityBytes ?? null;
    const faults = createDrillFaults({ segments, platform, environment });
    const blocks = createBoundedBlockStore(segments, { capacityBytes, refusal: () => faults.refusal() });
    const folder = await openNodeFolder(options.data, createUuid);
    const token = checkMembership(folder, options);
    let { membership } = folder;
    const bootId = createUuid();
    const app = createNodeApi({
      blocks,
      fencing: folder.fencing,
      environment,
      key: () => (membership === null ? null : Buffer.from(membership.key, 'hex')),
      identity: () => ({
        nodeId: membership?.nodeId ?? '',
        storeUuid: folder.storeUuid,
        bootCount: folder.bootCount,
        bootId,
        version: options.version,
      }),
      async space() {
        const { bavail, blocks: all, bsize } = await statfs(options.data);
        const [freeBytes, totalBytes] = [bavail * bsize, all * bsize];
        if (capacityBytes === null) return { freeBytes, totalBytes };
        const { diskBytes } = await segments.usage();
        return {
          freeBytes: Math.min(freeBytes, Math.max(0, capacityBytes - diskBytes)),
          totalBytes: Math.min(totalBytes, capacityBytes),
        };
      },
      capacityBytes,
      drill: faults,
    });
    closers.push(() => app.close());
    await app.listen({ host, port: options.port }).catch((error: NodeJS.ErrnoException) => {
      throw new CairnError(
        'unavailable',
        `cannot listen on ${formatAddress(host, options.port)}: ${error.message}; choose another with --listen`,
        { cause: error },
      );
    });
    const { port } = app.server.address() as AddressInfo;
    const address = options.advertise ?? formatAddress(host, port);
    if (token !== null) {
      const offer = { address, zone: options.zone ?? '', weight: options.weight ?? 1 };
      membership = await joinCluster(options.join as string, token, offer);
      await folder.saveMembership(membership);
    }
    const joined = membership as Membership;
    if (token === null) {
      const announcing = keepAnnouncing(joined, address, folder.bootCount, environment, stopping.signal);
      closers.push(() => announcing);
    }
    environment.log.info('storage-node.started', { nodeId: joined.nodeId, address });
    return { nodeId: joined.nodeId, address, hasJoinedNow: token !== null, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
