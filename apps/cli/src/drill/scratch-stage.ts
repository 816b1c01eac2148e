import type { BlockId } from '@cairn/model';
import type { ClusterResponse } from '@cairn/protocol';
import { areUp, type ClusterNode, untilCluster, type WaitOptions } from './cluster-states.ts';
import { checkFiles, type DrillFile } from './drill-files.ts';
import type { DrillLog, Figures } from './drill-log.ts';
import { NotProven } from './drill-log.ts';
import { type ScratchCluster, type ScratchNode, START_WITHIN_MS } from './scratch-cluster.ts';

/** What the claims of a scratch drill are proven with. */
export interface ScratchStage {
  readonly cluster: ScratchCluster;
  readonly log: DrillLog;
  /** Everything that was acknowledged. */
  readonly files: DrillFile[];
  readonly makeBytes: (name: string, sizeBytes: number) => Uint8Array;
  readonly signal: AbortSignal;
  /** How long healing may take. */
  readonly wait: WaitOptions;
}

/** The status of one node. */
export function statusOf(now: ClusterResponse, node: ScratchNode): ClusterNode {
  const found = now.nodes.find(({ nodeId }) => nodeId === node.nodeId);
  if (found === undefined) throw new NotProven(`${node.name} is not in the list of nodes`);
  return found;
}

/** Starts what a claim left dead behind, and waits until all answer. */
export async function bringAllUp({ cluster, log, signal }: ScratchStage): Promise<void> {
  if (cluster.isServerDead) await cluster.startServer();
  const dead = cluster.nodes.filter(({ process }) => process.hasEnded);
  if (dead.length > 0) log.tell(`  starting ${dead.map(({ name }) => name).join(', ')} again`);
  await Promise.all(dead.map((node) => cluster.startNode(node)));
  await untilCluster(cluster.client, 'every node is up', (now) => areUp(now) === cluster.nodes.length, {
    withinMs: START_WITHIN_MS,
    signal,
  });
}

/** Reads everything that was acknowledged, by hash. */
export async function readAll({ cluster, files, signal }: ScratchStage, figures: Figures): Promise<void> {
  Object.assign(figures, await checkFiles(cluster.client, files, signal));
}

/** The first block of a file that is one block, or of its list of blocks. */
export async function blockOf({ cluster, signal }: ScratchStage, file: DrillFile): Promise<BlockId> {
  const { content } = await cluster.client.files.getContent(file.entryId, signal);
  const [part] = content?.manifest?.parts ?? [];
  if (part === undefined) throw new NotProven(`${file.path} has no blocks`);
  return part.block;
}
