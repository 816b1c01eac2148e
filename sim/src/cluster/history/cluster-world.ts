import type { MetadataStore } from '@cairn/metadata-store';
import type { Draw } from '../../random.ts';
import type { Statistics } from '../../statistics.ts';
import type { Trace } from '../../trace.ts';
import type { Timeline } from '../../world/timeline.ts';
import type { Ledger } from '../checks/ledger.ts';
import type { Losses } from '../checks/losses.ts';
import type { ClusterServer } from '../world/cluster-server.ts';
import type { Network } from '../world/network.ts';
import type { ServerFolders } from '../world/server-folders.ts';
import type { SimulatedProcess } from '../world/simulated-process.ts';
import type { StorageNode } from '../world/storage-node.ts';
import type { ClusterUser } from '../world/template.ts';
import type { ClusterScript } from './script.ts';

/** A cluster while its history runs. */
export interface ClusterWorld {
  readonly script: ClusterScript;
  readonly timeline: Timeline;
  readonly trace: Trace;
  readonly statistics: Statistics;
  readonly network: Network;
  /** The database that all servers share, as it is, without their delays. */
  readonly store: MetadataStore;
  readonly users: readonly ClusterUser[];
  readonly servers: readonly ClusterServer[];
  /** All that ever were. */
  readonly nodes: StorageNode[];
  /** Where the one server may have blocks besides; `null` where they stay on the nodes. */
  readonly folders: ServerFolders | null;
  readonly ledger: Ledger;
  readonly losses: Losses;
  /** What users have begun, by the process that does it. */
  readonly underWay: Set<{ readonly process: SimulatedProcess; readonly what: string }>;
  /** For what is chosen while the history runs and is no matter of its steps. */
  readonly draw: Draw;
  /** Wall time that went by while nothing ran. */
  sleptMs: number;
  /** Servers that start from now on make shards of blocks that are so old; `null`: of none. */
  codeAfterMs: number | null;
  failure: Error | null;
  addNode(): Promise<StorageNode>;
}

/** What a step of one kind does; `draw` comes from its word. */
export type Perform = (world: ClusterWorld, draw: Draw) => Promise<void> | void;

/** Notes what is wrong; the first thing counts. */
export function fail(world: ClusterWorld, message: string): void {
  world.trace.tell(`FAILED ${message}`);
  world.failure ??= new Error(message);
}

export function present({ nodes }: Pick<ClusterWorld, 'nodes'>): StorageNode[] {
  return nodes.filter(({ removedMs }) => removedMs === null);
}

/** How everything stands, for people. */
export function describeCluster(world: ClusterWorld): string {
  const lines = world.nodes.map((node) => {
    const words = [
      node.removedMs === null ? '' : 'removed',
      node.process === null ? 'not running' : node.process.isRunning ? '' : 'stands still',
      node.isFull ? 'full' : '',
      node.isReadOnly ? 'read-only' : '',
      node.twin === null ? '' : 'twin',
    ];
    const blocks = node.disk
      .storedBlocks()
      .map((id) => `${id.slice(0, 6)}:${node.disk.generationOf(id)}${node.disk.isWhole(id) ? '' : '!'}`);
    return `${node.nodeId} ${words.filter((word) => word !== '').join(', ')} ${blocks.sort().join(' ')}`;
  });
  for (const server of world.servers) {
    const { process, running } = server;
    const state = process === null ? 'not running' : process.isRunning ? 'runs' : 'stands still';
    const health = running?.opened.view?.health() ?? [];
    lines.push(
      `${server.name} ${state}: ${health.map((each) => `${each.nodeId} ${each.state}${each.isDraining ? ' draining' : ''}`).join(', ')}`,
    );
  }
  return lines.join('\n');
}
