import type { WorldKind } from '../world-kind.ts';
import { type ClusterScript, writeClusterScript } from './history/script.ts';
import { runCluster } from './run-cluster.ts';
import { shrinkCluster } from './shrink-cluster.ts';
import { WANTED_CLUSTER_STATES } from './wanted-states.ts';

/** Servers and storage nodes: one database, blocks on several disks, users and housekeeping at the same time. */
export const clusterWorlds: WorldKind<ClusterScript> = {
  command: 'npm run sim:cluster',
  program: new URL('./main.ts', import.meta.url),
  writeScript: writeClusterScript,
  run: runCluster,
  shrink: shrinkCluster,
  describe: ({ servers, nodes, zones, outAfterMs, codeAfterMs, hasMoves, isRough }) =>
    `${servers} servers, ${nodes} nodes${zones > 0 ? ` in ${zones} zones` : ''}, out after ${outAfterMs / 1000} s${codeAfterMs === null ? '' : `, shards after ${codeAfterMs / 1000} s`}${hasMoves ? ', moves' : ''}${isRough ? ', a rough network' : ''}`,
  compare: ({ steps }, whole) => `${steps.length} of ${whole.steps.length} steps`,
  wantedStates: WANTED_CLUSTER_STATES,
};
