import { type BlockId, CairnError } from '@cairn/model';
import { MAX_NODE_FULL_MS } from '@cairn/protocol';
import { authoriseAdministrator } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { ClusterDependencies, ClusterView } from './cluster-types.ts';
import { keepDrill, readDrills, summariseDrills } from './drill-records.ts';
import type { DrillService, FaultKind, FaultLease } from './drill-types.ts';

/** A node that reports itself as full is asked again this often, so that it ends soon after this process does. */
const RENEWAL_MS = MAX_NODE_FULL_MS / 3;

interface Running {
  readonly nodeId: string;
  readonly fault: FaultKind;
  until: number;
  cancelEnd: () => void;
  cancelRenewal: () => void;
}

function refuse(problem: string): CairnError {
  return new CairnError('precondition-failed', problem);
}

/** @throws CairnError `precondition-failed` with what is not as it ought to be before a node is taken away on purpose */
function checkHealthy(view: ClusterView, nodeId: string): void {
  const health = view.health();
  const ailing = health.find(({ state, isFull, isDraining }) => state !== 'up' || isFull || isDraining);
  if (ailing !== undefined) {
    throw refuse(
      `a drill begins with a healthy cluster, and node ${ailing.nodeId} is ${ailing.state}${ailing.isFull ? ', full' : ''}${ailing.isDraining ? ', draining' : ''}; see "cairn admin nodes"`,
    );
  }
  const { underReplicated, repaired, noted, lost, unavailable, isRunning, lastRunAt } = view.repair();
  if (isRunning || lastRunAt === null || underReplicated > repaired || noted + lost + unavailable > 0) {
    throw refuse(
      'a drill begins when every block has its replicas, and repair is not done; wait until "cairn admin nodes" says so',
    );
  }
  const others = health.filter((node) => node.nodeId !== nodeId).length;
  if (others < view.writeQuorum) {
    throw refuse(
      `without this node ${others} would be left, and ${view.writeQuorum} are needed for writes; add a node first`,
    );
  }
}

/** See {@link DrillService}. Everything that it does to nodes ends by itself (ADR 0018). */
export function createDrillService(dependencies: ClusterDependencies): DrillService {
  const { store, environment, view } = dependencies;
  const { clock, timers, log } = environment;
  let running: Running | null = null;

  async function authorise(principal: Principal, nodeId: string): Promise<ClusterView> {
    await store.read(async (reader) => {
      await authoriseAdministrator(reader, principal);
      if ((await reader.getStorageNode(nodeId)) !== undefined) return;
      throw new CairnError('not-found', 'there is no such storage node; "cairn admin nodes" lists them');
    });
    if (view.isInUse) return view;
    throw refuse('this server keeps its blocks in a folder; there is nothing to drill on storage nodes');
  }

  /** Only for what the principal can read itself: drills touch nobody else's contents, not even canaries. */
  async function authoriseCanary(
    principal: Principal,
    nodeId: string,
    blockId: BlockId,
  ): Promise<ClusterView> {
    const found = await authorise(principal, nodeId);
    const [canReach] = await store.read((reader) =>
      reader.canReach(principal.userId, [blockId], clock.now()),
    );
    if (canReach === true) return found;
    throw new CairnError('not-found', 'there is no such block among your files');
  }

  async function end(): Promise<void> {
    const ended = running;
    if (ended === null) return;
    running = null;
    ended.cancelEnd();
    ended.cancelRenewal();
    log.warn('drill.fault-ended', { nodeId: ended.nodeId, fault: ended.fault });
    if (ended.fault === 'held-out') view.faults.holdOut(ended.nodeId, 0);
    else {
      await view.faults.reportFull(ended.nodeId, 0).catch((error: unknown) =>
        // It ends by itself in a moment.
        log.warn('drill.fault-not-ended', { nodeId: ended.nodeId, error: String(error) }),
      );
    }
  }

  function keepFull(lease: Running, faults: ClusterView['faults']): void {
    lease.cancelRenewal = timers.schedule(RENEWAL_MS, () => {
      if (running !== lease) return;
      const leftMs = Math.min(MAX_NODE_FULL_MS, Math.max(0, lease.until - clock.now()));
      faults
        .reportFull(lease.nodeId, leftMs)
        .catch((error: unknown) =>
          log.warn('drill.fault-not-renewed', { nodeId: lease.nodeId, error: String(error) }),
        );
      keepFull(lease, faults);
    });
  }

  return {
    async beginFault(principal, { nodeId, fault, forMs }): Promise<FaultLease> {
      const cluster = await authorise(principal, nodeId);
      const { faults } = cluster;
      let lease = running;
      const isRenewal = lease?.nodeId === nodeId && lease.fault === fault;
      if (lease !== null && !isRenewal) throw refuse('a drill is under way already; wait until it has ended');
      if (lease === null) {
        checkHealthy(cluster, nodeId);
        lease = {
          nodeId,
          fault,
          until: 0,
          cancelEnd: () => undefined,
          cancelRenewal: () => undefined,
        };
        running = lease;
      }
      lease.until = clock.now() + forMs;
      lease.cancelEnd();
      lease.cancelEnd = timers.schedule(forMs, () => void end());
      log.warn('drill.fault', { nodeId, fault, forMs });
      if (fault === 'held-out') faults.holdOut(nodeId, forMs);
      else {
        try {
          await faults.reportFull(nodeId, Math.min(forMs, MAX_NODE_FULL_MS));
        } catch (error) {
          await end();
          throw error;
        }
        if (running === lease && !isRenewal) keepFull(lease, faults);
      }
      return { nodeId, fault, until: lease.until };
    },

    async endFault(principal) {
      await store.read((reader) => authoriseAdministrator(reader, principal));
      await end();
    },

    async damageCanary(principal, nodeId, blockId) {
      const cluster = await authoriseCanary(principal, nodeId, blockId);
      const { faults } = cluster;
      if (running !== null) throw refuse('a node is held out or full for a drill; end that first');
      checkHealthy(cluster, nodeId);
      const others = cluster.health().filter((node) => node.nodeId !== nodeId);
      const states = await Promise.all(others.map((node) => faults.inspect(node.nodeId, blockId)));
      const whole = states.filter((state) => state === 'whole').length;
      if (whole < Math.max(1, cluster.writeQuorum - 1)) {
        throw refuse(`only ${whole} other nodes have this canary whole; nothing was damaged`);
      }
      log.warn('drill.damage', { nodeId, blockId });
      await faults.damageCanary(nodeId, blockId);
      return 'damaged';
    },

    async inspectCanary(principal, nodeId, blockId) {
      const { faults } = await authoriseCanary(principal, nodeId, blockId);
      const state = await faults.inspect(nodeId, blockId);
      if (state !== 'whole') faults.noteMissing(blockId);
      return state;
    },

    async record(principal, report) {
      await store.transact(async (transaction) => {
        await authoriseAdministrator(transaction, principal);
        await keepDrill(transaction, report);
      });
      const [summary] = summariseDrills([report]);
      log.info('drill.recorded', { ...summary });
    },

    list: (principal) =>
      store.read(async (reader) => {
        await authoriseAdministrator(reader, principal);
        return readDrills(reader);
      }),

    latest: () => store.read(async (reader) => summariseDrills(await readDrills(reader))),
    stop: end,
  };
}
