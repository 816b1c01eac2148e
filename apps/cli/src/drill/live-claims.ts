import type { ClusterResponse } from '@cairn/protocol';
import { type ClusterNode, isAtRest, untilCluster } from './cluster-states.ts';
import { checkFile, type DrillFile } from './drill-files.ts';
import { expectThat, type Figures, NotProven } from './drill-log.ts';
import {
  blockOfCanary,
  countWhole,
  duringFault,
  type LiveStage,
  liveStatusOf,
  onceHealthy,
  putCanary,
  readLive,
} from './live-stage.ts';

const NOTICED_WITHIN_MS = 20_000;
/** A server that met a full node asks it again after a minute. */
const NOT_FULL_WITHIN_MS = 90_000;
const UPLOADS = 3;

/** Everything that a live drill proves, node by node. Each claim leaves the cluster whole for the next. */
export async function proveLive(stage: LiveStage, nodes: readonly ClusterNode[]): Promise<void> {
  await stage.log.prove(
    'reads-by-hash',
    'Canaries and a sample of real files read back',
    'reading them and comparing their SHA-256',
    (figures) => readLive(stage, figures),
  );
  for (const node of nodes) {
    await proveHeldOut(stage, node);
    await proveDamage(stage, node);
    await proveFull(stage, node);
  }
}

/** Waits until repair has nothing left to do and the canaries have their replicas. */
async function healed(stage: LiveStage, files: readonly DrillFile[], figures: Figures): Promise<void> {
  const { client, wait, signal } = stage;
  const begunMs = performance.now();
  const end = begunMs + wait.withinMs;
  for (;;) {
    const withinMs = Math.max(0, end - performance.now());
    const now = await untilCluster(client, 'every node is up and repair is at rest', isAtRest, {
      signal,
      withinMs,
    });
    const wanted = Math.min(now.replicas, now.nodes.length);
    const counts = await Promise.all(files.map((file) => countWhole(stage, file, now)));
    if (counts.every((count) => count >= wanted)) break;
    expectThat(performance.now() < end, `a canary is on ${Math.min(...counts)} nodes instead of ${wanted}`);
  }
  figures['healMs'] = Math.round(performance.now() - begunMs);
}

async function putCanaries(stage: LiveStage): Promise<DrillFile[]> {
  const made: DrillFile[] = [];
  while (made.length < UPLOADS) made.push(await putCanary(stage));
  return made;
}

function proveHeldOut(stage: LiveStage, node: ClusterNode): Promise<void> {
  const { client, log, wait } = stage;
  return log.prove(
    `held-out-${node.nodeId}`,
    `Everything reads and uploads go on without ${node.address}`,
    'holding the node out, reading canaries and sample, uploading, letting it back, waiting until it is up to date',
    async (figures) => {
      await healed(stage, [], {});
      const { lastRunAt } = (await client.admin.nodes(stage.signal)).repair ?? { lastRunAt: null };
      const made = await duringFault(stage, node, 'held-out', async () => {
        await until(stage, node, 'it is held out', ({ state }) => state === 'held-out');
        await readLive(stage, figures);
        const uploads = await putCanaries(stage);
        for (const file of uploads) await checkFile(stage.strict, file, stage.signal);
        await until(stage, node, 'it is still held out', ({ state }) => state === 'held-out');
        return uploads;
      });
      figures['uploads'] = made.length;
      await untilCluster(
        client,
        'repair has compared everything again',
        ({ repair }) => repair !== null && repair.lastRunAt !== lastRunAt,
        wait,
      );
      await healed(stage, made, figures);
    },
  );
}

function proveDamage(stage: LiveStage, node: ClusterNode): Promise<void> {
  const { client, log, signal } = stage;
  const { nodeId } = node;
  return log.prove(
    `damage-${nodeId}`,
    `A damaged replica on ${node.address} is never read and is made anew`,
    "damaging the node's replica of a canary, reading it, waiting for the repair",
    async (figures) => {
      await healed(stage, [], {});
      const file = await findCanary(stage, node);
      const blockId = await blockOfCanary(stage, file);
      const before = liveStatusOf(await client.admin.nodes(signal), nodeId).quarantinedRecords ?? 0;
      const begunMs = performance.now();
      await onceHealthy(signal, () =>
        client.admin.drills.canary({ nodeId, blockId, action: 'damage' }, signal),
      );
      await checkFile(stage.strict, file, signal);
      // Lets the node read it, which is how damage is noticed; what is not whole is repaired from then on.
      await client.admin.drills.canary({ nodeId, blockId, action: 'inspect' }, signal);
      await until(
        stage,
        node,
        'the node tells of a damaged record',
        ({ quarantinedRecords }) => (quarantinedRecords ?? 0) > before,
      );
      await healed(stage, [file], {});
      figures['healMs'] = Math.round(performance.now() - begunMs);
      const { replica } = await client.admin.drills.canary({ nodeId, blockId, action: 'inspect' }, signal);
      expectThat(replica === 'whole', `the replica is ${replica} after the repair`);
      await readLive(stage, figures);
    },
  );
}

/** A canary of which this node has a replica; makes some where there is none. */
async function findCanary(stage: LiveStage, node: ClusterNode): Promise<DrillFile> {
  const MAX_CANARIES = 200;
  for (let index = 0; index < MAX_CANARIES; index++) {
    const file = stage.canaries[index] ?? (await putCanary(stage));
    const blockId = await blockOfCanary(stage, file);
    const request = { nodeId: node.nodeId, blockId, action: 'inspect' } as const;
    const { replica } = await stage.client.admin.drills.canary(request, stage.signal);
    if (replica === 'whole') return file;
  }
  throw new NotProven(`none of ${MAX_CANARIES} canaries came to ${node.address}`);
}

function proveFull(stage: LiveStage, node: ClusterNode): Promise<void> {
  const { log } = stage;
  return log.prove(
    `full-${node.nodeId}`,
    `Uploads go on while ${node.address} is full, and the status shows it`,
    'letting the node report itself as full, uploading, ending that, waiting until it is up to date',
    async (figures) => {
      await healed(stage, [], {});
      const made = await duringFault(stage, node, 'full', async () => {
        await until(stage, node, 'it is shown as full', ({ isFull }) => isFull);
        const uploads = await putCanaries(stage);
        await readLive(stage, figures);
        return uploads;
      });
      figures['uploads'] = made.length;
      await until(stage, node, 'it is full no longer', ({ isFull }) => !isFull, NOT_FULL_WITHIN_MS);
      await healed(stage, made, figures);
    },
  );
}

function until(
  { client, signal }: LiveStage,
  node: ClusterNode,
  what: string,
  isSo: (now: ClusterNode) => boolean,
  withinMs = NOTICED_WITHIN_MS,
): Promise<ClusterResponse> {
  const seen = (now: ClusterResponse): boolean => isSo(liveStatusOf(now, node.nodeId));
  return untilCluster(client, `${node.address}: ${what}`, seen, { withinMs, signal });
}
