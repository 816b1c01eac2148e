import type { NodeMonitor, RemoteBlockStore, RemoteDrill } from '@cairn/block-store';
import type { StoredBlock } from '@cairn/content';
import type { ClusterRepair } from '@cairn/maintenance';
import { CairnError, isCairnError } from '@cairn/model';
import type { ClusterFaults } from '@cairn/services';

export interface ClusterFaultsOptions {
  readonly nodes: NodeMonitor;
  readonly repair: ClusterRepair;
  readonly verify: (block: StoredBlock) => boolean;
  /** The connection to a node. */
  readonly find: (
    nodeId: string,
  ) => { readonly blocks: RemoteBlockStore; readonly drill: RemoteDrill | null } | undefined;
}

/** What drills do to the nodes of this server; who may ask for it is decided above. */
export function createClusterFaults({ nodes, repair, verify, find }: ClusterFaultsOptions): ClusterFaults {
  function need(nodeId: string) {
    const found = find(nodeId);
    if (found !== undefined) return found;
    throw new CairnError('unavailable', 'this server does not know the storage node yet; try again');
  }
  function needDrill(nodeId: string): RemoteDrill {
    const { drill } = need(nodeId);
    if (drill !== null) return drill;
    throw new CairnError('unavailable', 'nothing can be damaged on purpose on this storage node');
  }
  return {
    holdOut: (nodeId, forMs) => nodes.holdOut(nodeId, forMs),
    reportFull: async (nodeId, forMs) => needDrill(nodeId).reportFull(forMs),
    damageCanary: async (nodeId, blockId) => needDrill(nodeId).damageCanary(blockId),
    async inspect(nodeId, blockId) {
      try {
        const block = await need(nodeId).blocks.get(blockId);
        if (block === null) return 'absent';
        return block.blockId === blockId && verify(block) ? 'whole' : 'damaged';
      } catch (error) {
        if (isCairnError(error, 'data-damaged')) return 'damaged';
        throw error;
      }
    },
    noteMissing: (blockId) => repair.note([blockId]),
  };
}
