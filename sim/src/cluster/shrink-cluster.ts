import { shrinkList, shrinkWith } from '../shrink.ts';
import type { Shrunk } from '../world-kind.ts';
import type { ClusterScript } from './history/script.ts';
import { runCluster } from './run-cluster.ts';

const LEAST_NODES = 3;

/** Leaves out of a failing history of a cluster what it can do without. */
export function shrinkCluster(
  script: ClusterScript,
  failure: Error,
  budgetRuns: number,
): Promise<Shrunk<ClusterScript>> {
  return shrinkWith(script, failure, budgetRuns, runCluster, sizeOf, async (best, tryOut) => {
    await shrinkList(
      () => best().steps,
      (steps) => tryOut({ ...best(), steps }),
    );
    if (best().servers > 1) await tryOut({ ...best(), servers: best().servers - 1 });
    if (best().nodes > LEAST_NODES) await tryOut({ ...best(), nodes: best().nodes - 1 });
    if (best().zones > 0) await tryOut({ ...best(), zones: 0 });
    if (best().isRough) await tryOut({ ...best(), isRough: false });
  });
}

function sizeOf({ steps, servers, nodes, zones, isRough }: ClusterScript): number {
  return steps.length + servers + nodes + zones + (isRough ? 1 : 0);
}
