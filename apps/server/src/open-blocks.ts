import {
  type BlockStore,
  type ClusterNode,
  countReplicas,
  createNodeMonitor,
  createRemoteBlockStore,
  createRemoteDrill,
  createReplicatedBlockStore,
  HEARTBEAT_MS,
  openNodeConnection,
  type RemoteBlockStore,
  type RemoteDrill,
  type StoreKey,
} from '@cairn/block-store';
import type { StoredBlock } from '@cairn/content';
import { openSealedBytes } from '@cairn/crypto';
import type { Environment } from '@cairn/environment';
import { createClusterRepair } from '@cairn/maintenance';
import type { MetadataStore, StorageNodeRecord } from '@cairn/metadata-store';
import { type BlockId, CairnError } from '@cairn/model';
import { type ClusterView, SEALED_FOR } from '@cairn/services';
import { type BlockFolders, serverFolders } from './block-folders.ts';
import { createClusterFaults } from './cluster-faults.ts';

/** Where blocks are kept: in a folder, or on storage nodes. */
export type BlocksSetting =
  | { readonly kind: 'folder'; readonly directory: string }
  | {
      readonly kind: 'nodes';
      readonly replicas: number;
      readonly writeQuorum: number;
      readonly outAfterMs: number;
      /** Of a repair; `null`: unlimited. */
      readonly repairBytesPerSecond: number | null;
      /** Older blocks become shards; `null`: none do. */
      readonly codeAfterMs: number | null;
      /** How often nodes are asked; 5 s unless told. With less, repairs begin sooner, too. */
      readonly heartbeatMs?: number;
    };

export interface OpenedBlocks {
  readonly blocks: BlockStore;
  /** `null` for a folder. */
  readonly view: Omit<ClusterView, 'isInUse'> | null;
  /** Begins to look after the nodes: only whether they are there, or also that every block is on enough of them. */
  start(purpose: 'watch' | 'serve'): void;
  /** Also closes the store. */
  close(): Promise<void>;
}

export interface OpenBlocksOptions {
  readonly setting: BlocksSetting;
  /** Seals the blocks in a folder; `null`: they are not sealed. */
  readonly key: StoreKey | null;
  readonly store: MetadataStore;
  readonly environment: Environment;
  readonly secret: Uint8Array;
  readonly verify: (block: StoredBlock) => boolean;
  /** How a storage node is reached; over the network unless told. */
  readonly connect?: (record: StorageNodeRecord) => NodeLink;
  /** Where folders are; on the server's disks unless told. */
  readonly folders?: BlockFolders;
  /** Which of these another place has while blocks move. */
  readonly isElsewhere?: (blockIds: readonly BlockId[]) => Promise<readonly boolean[]>;
  /** No blocks are on the nodes, so that nothing waits for them, and no trouble with them keeps a server from starting. */
  readonly isIdle?: boolean;
}

/** The way to one storage node. */
export interface NodeLink {
  readonly blocks: RemoteBlockStore;
  /** `null` where nothing can be damaged on purpose. */
  readonly drill: RemoteDrill | null;
}

/** Splits `host:port`; an IPv6 host is in brackets. */
function splitAddress(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) };
}

function connectOverNetwork(secret: Uint8Array): (record: StorageNodeRecord) => NodeLink {
  return ({ nodeId, address, sealedKey }) => {
    const key = openSealedBytes(secret, SEALED_FOR.key, nodeId, sealedKey);
    const connection = openNodeConnection({ ...splitAddress(address), key });
    return { blocks: createRemoteBlockStore(connection), drill: createRemoteDrill(connection) };
  };
}

/** @throws what the disk or the database says; CairnError `not-configured` for keys sealed under another secret */
export async function openBlocks(options: OpenBlocksOptions): Promise<OpenedBlocks> {
  const { setting, key, environment, verify, folders = serverFolders } = options;
  if (setting.kind === 'nodes') {
    if (key === null) return openCluster(options, setting);
    throw new CairnError(
      'usage',
      'CAIRN_BLOCKS_KEY and CAIRN_BLOCKS_KEY_FILE seal blocks in a folder of the server; give each storage node its own key instead, and leave them out here',
    );
  }
  await folders.prepare(setting.directory);
  const blocks = await folders.open(setting.directory, { key, environment, verify });
  return { blocks, view: null, start: () => undefined, close: () => blocks.close() };
}

async function openCluster(
  {
    store,
    environment,
    secret,
    verify,
    isElsewhere,
    isIdle = false,
    connect = connectOverNetwork(secret),
  }: OpenBlocksOptions,
  setting: Extract<BlocksSetting, { kind: 'nodes' }>,
): Promise<OpenedBlocks> {
  const { replicas, writeQuorum, outAfterMs, repairBytesPerSecond, codeAfterMs } = setting;
  const { heartbeatMs = HEARTBEAT_MS } = setting;
  const { log, timers } = environment;
  const connected = new Map<string, NodeLink & { readonly address: string }>();

  function reach(record: StorageNodeRecord): RemoteBlockStore {
    const { nodeId, address } = record;
    const known = connected.get(nodeId);
    if (known?.address === address) return known.blocks;
    void known?.blocks.close();
    const link = connect(record);
    const { blocks } = link;
    connected.set(nodeId, { ...link, address });
    return blocks;
  }

  function toClusterNode(record: StorageNodeRecord): ClusterNode {
    const { nodeId, weight, zone, state, storeUuid, bootCount } = record;
    return {
      nodeId,
      weight,
      zone,
      storeUuid,
      bootCount,
      isDraining: state === 'draining',
      blocks: reach(record),
    };
  }

  const nodes = createNodeMonitor({
    environment,
    outAfterMs,
    heartbeatMs,
    onSeen(nodeId, { storeUuid, bootCount }) {
      store
        .transact((transaction) => transaction.updateStorageNode(nodeId, { storeUuid, bootCount }))
        .catch((error: unknown) => log.warn('storage-nodes.not-noted', { nodeId, error: String(error) }));
    },
    onDoubt: () => repair.poke(),
    // Whoever comes back may lack what was written meanwhile; who is out has to be made up for; and while somebody is
    // away, the status tells how many blocks that leaves with fewer replicas.
    onChange(_nodeId, state) {
      if (state !== 'failing') repair.poke();
    },
  });
  const repair = createClusterRepair({
    store,
    environment,
    nodes,
    replicas,
    verify,
    ...(heartbeatMs < HEARTBEAT_MS ? { settleMs: heartbeatMs } : {}),
    ...(repairBytesPerSecond === null ? {} : { bytesPerSecond: repairBytesPerSecond }),
    ...(codeAfterMs === null ? {} : { codeAfterMs }),
    ...(isElsewhere === undefined ? {} : { isElsewhere }),
    refreshNodes: () => reload(),
  });
  const replicated = createReplicatedBlockStore({
    nodes,
    environment,
    verify,
    replicas,
    writeQuorum,
    onMissing: (blockIds) => repair.note(blockIds),
    codedBlocks: () => repair.state().codedBlocks,
  });

  /** What none of the nodes has may be on one that another server made known a moment ago. */
  async function get(blockId: BlockId): Promise<StoredBlock | null> {
    const found = await replicated.get(blockId);
    return found === null && (await reload()) ? replicated.get(blockId) : found;
  }
  const blocks: BlockStore = {
    ...replicated,
    get,
    async *getMany(blockIds, memory) {
      let position = 0;
      for await (const block of replicated.getMany(blockIds, memory)) {
        const blockId = blockIds[position++] as BlockId;
        yield block ?? (await get(blockId));
      }
    },
  };

  let shown = '';
  /** Whether the list of nodes was another one. */
  async function reload(): Promise<boolean> {
    const records = await store.read((reader) => reader.listStorageNodes());
    const described = JSON.stringify(records.map(({ sealedKey: _key, ...rest }) => rest));
    if (described === shown) return false;
    nodes.setNodes(records.map(toClusterNode));
    const present = new Set(records.map(({ nodeId }) => nodeId));
    for (const [nodeId, { blocks: left }] of connected) {
      if (present.has(nodeId)) continue;
      connected.delete(nodeId);
      await left.close();
    }
    const isFirst = shown === '';
    shown = described;
    if (!isFirst) repair.poke();
    return true;
  }
  const stopping = new AbortController();
  /** Other servers change the list of nodes, too. */
  async function keepReloading(): Promise<void> {
    while (!stopping.signal.aborted) {
      await timers.sleep(heartbeatMs, stopping.signal).catch(() => undefined);
      if (stopping.signal.aborted) return;
      await reload().catch((error: unknown) =>
        log.warn('storage-nodes.not-listed', { error: String(error) }),
      );
    }
  }
  let reloading: Promise<void> | null = null;

  if (isIdle) {
    await reload().catch((error: unknown) => log.warn('storage-nodes.not-listed', { error: String(error) }));
  } else {
    await reload();
    await nodes.poll();
  }
  return {
    blocks,
    view: {
      health: () => nodes.health(),
      refresh: async () => void (await reload()),
      replicas,
      writeQuorum,
      codeAfterMs,
      countReplicas: (blockIds) => countReplicas(nodes, blockIds),
      repair: () => repair.state(),
      repairSoon: () => repair.poke(),
      faults: createClusterFaults({ nodes, repair, verify, find: (nodeId) => connected.get(nodeId) }),
    },
    start(purpose) {
      nodes.start();
      if (purpose === 'serve') repair.start();
      reloading ??= keepReloading();
    },
    async close() {
      stopping.abort(new CairnError('unavailable', 'the server is stopping'));
      await repair.stop();
      await reloading;
      await blocks.close();
    },
  };
}
