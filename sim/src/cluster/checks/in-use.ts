import type { BlockId } from '@cairn/model';
import { type ClusterWorld, present } from '../history/cluster-world.ts';
import { REPLICAS } from '../world/cluster-server.ts';
import type { NodeDisk } from '../world/node-disk.ts';
import type { StorageNode } from '../world/storage-node.ts';
import { strengthOf } from './strength.ts';

/** Where servers look for blocks at this moment. */
export interface DisksInUse {
  readonly nodes: readonly StorageNode[];
  readonly folders: readonly NodeDisk[];
}

/** The recorded place of the blocks, and the other one while they move. Not simulated time passes. */
export async function disksInUse(world: ClusterWorld): Promise<DisksInUse> {
  const { folders } = world;
  if (folders === null) return { nodes: present(world), folders: [] };
  const location = await world.store.read((reader) => reader.getBlockLocation());
  if (location === undefined) return { nodes: present(world), folders: folders.disks() };
  const settings = [location.place, ...(location.move === null ? [] : [location.move.target])].map(
    ({ setting }) => setting,
  );
  return {
    nodes: settings.some((setting) => setting.startsWith('nodes:')) ? present(world) : [],
    folders: settings
      .filter((setting) => setting.startsWith('file:'))
      .map((setting) => folders.diskOf(setting.slice('file:'.length))),
  };
}

/** How many disks it takes to lose the block, at least. The world never harms a server's folder. */
export function strengthAt({ nodes, folders }: DisksInUse, blockId: BlockId): number {
  const inFolder = folders.some((disk) => disk.isWhole(blockId)) ? REPLICAS : 0;
  return Math.max(inFolder, strengthOf(nodes, blockId));
}
