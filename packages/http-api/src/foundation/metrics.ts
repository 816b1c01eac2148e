import type { BlockMoveMeasures, MaintenanceMeasures } from '@cairn/maintenance';
import type { DrillSummary } from '@cairn/protocol';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export interface MetricsSources {
  /** What the block store holds. */
  blockUsage?(): Promise<{
    blocks: number;
    liveBytes: number;
    diskBytes: number;
    quarantinedRecords: number;
  }>;
  /** Rows of the metadata store. */
  counts?(): Promise<Readonly<Record<string, number>>>;
  /** What is cleaned up: numbers by their names, `null` where there is none yet. */
  maintenance?(): Promise<MaintenanceMeasures>;
  /** The storage nodes, where there are any. */
  cluster?(): ClusterMeasures;
  /** The last drill of each kind. */
  drills?(): Promise<readonly DrillSummary[]>;
  /** How far a move of all blocks is. */
  blockMove?(): Promise<BlockMoveMeasures>;
  /** Whether to measure the process itself too. */
  readonly process?: boolean;
}

/** Storage nodes by state, their room, and how far repair is. */
export interface ClusterMeasures {
  readonly nodes: readonly { readonly state: string; readonly freeBytes: number | null }[];
  readonly repair: {
    readonly underReplicated: number;
    readonly repaired: number;
    readonly unavailable: number;
    readonly lost: number;
    readonly codedBlocks: number;
    readonly codedBytes: number;
    readonly noted: number;
    readonly lastRunAt: number | null;
  };
}

export interface Metrics {
  observeRequest(request: { method: string; route: string; status: number; seconds: number }): void;
  countBytes(direction: 'in' | 'out', bytes: number): void;
  countCommit(changes: number): void;
  /** A block that travelled as a delta, and by how many bytes that is shorter than its plain ones. */
  countDelta(direction: 'in' | 'out', savedBytes: number): void;
  readonly webSockets: { inc(): void; dec(): void };
  readonly longPolls: { inc(): void; dec(): void };
  /** Prometheus text format. */
  render(): Promise<{ contentType: string; text: string }>;
}

/** The server's measurements. Labels never hold ids or paths: their number stays bounded. */
export function createMetrics(sources: MetricsSources = {}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  if (sources.process === true) collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'cairn_http_request_seconds',
    help: 'Time to answer a request, by route',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers,
  });
  const bytes = new Counter({
    name: 'cairn_http_body_bytes_total',
    help: 'Bytes of request and response bodies as their headers state them, and of streams',
    labelNames: ['direction'],
    registers,
  });
  const deltas = new Counter({
    name: 'cairn_deltas_total',
    help: 'Blocks that travelled as deltas',
    labelNames: ['direction'],
    registers,
  });
  const deltaBytes = new Counter({
    name: 'cairn_delta_saved_bytes_total',
    help: 'Bytes by which they were shorter than the plain blocks',
    labelNames: ['direction'],
    registers,
  });
  const commits = new Counter({ name: 'cairn_commits_total', help: 'Changesets committed', registers });
  const changes = new Counter({ name: 'cairn_changes_total', help: 'Changes in them', registers });
  const webSockets = new Gauge({ name: 'cairn_websockets', help: 'Open event connections', registers });
  const longPolls = new Gauge({ name: 'cairn_long_polls', help: 'Long polls that wait', registers });

  const { blockUsage, counts, maintenance, cluster, drills, blockMove } = sources;
  if (maintenance !== undefined) measureMaintenance(registry, maintenance);
  if (cluster !== undefined) measureCluster(registry, cluster);
  if (drills !== undefined) measureDrills(registry, drills);
  if (blockMove !== undefined) measureBlockMove(registry, blockMove);
  if (blockUsage !== undefined) {
    const usage = new Gauge({
      name: 'cairn_block_store',
      help: 'Blocks, live bytes, bytes on disk and quarantined records',
      labelNames: ['measure'],
      registers,
      async collect() {
        for (const [measure, value] of Object.entries(await blockUsage())) usage.set({ measure }, value);
      },
    });
  }
  if (counts !== undefined) {
    const rows = new Gauge({
      name: 'cairn_metadata_rows',
      help: 'Users, devices, entries, versions and blocks',
      labelNames: ['kind'],
      registers,
      async collect() {
        for (const [kind, value] of Object.entries(await counts())) rows.set({ kind }, value);
      },
    });
  }
  return {
    observeRequest: ({ method, route, status, seconds }) =>
      requests.observe({ method, route, status: String(status) }, seconds),
    countBytes: (direction, count) => bytes.inc({ direction }, count),
    countDelta(direction, savedBytes) {
      deltas.inc({ direction });
      deltaBytes.inc({ direction }, Math.max(0, savedBytes));
    },
    countCommit(count) {
      commits.inc();
      changes.inc(count);
    },
    webSockets,
    longPolls,
    render: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}

/** Gauges for all: the counts are kept by who counts, and only read here. */
function measureMaintenance(registry: Registry, maintenance: () => Promise<MaintenanceMeasures>): void {
  // All gauges of one scrape begin to collect before any has its answer: one question serves them.
  let asked: Promise<MaintenanceMeasures> | null = null;
  const gauge = (name: string, help: string, choose: (measures: MaintenanceMeasures) => number): Gauge =>
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        asked ??= maintenance().finally(() => {
          asked = null;
        });
        this.set(choose(await asked));
      },
    });
  gauge('cairn_gc_runs', 'Clean-ups that ended, since the start of the process', ({ runs }) => runs);
  gauge('cairn_gc_failed_runs', 'Clean-ups that failed, since then', ({ failedRuns }) => failedRuns);
  gauge('cairn_gc_reclaimed_blocks', 'Blocks deleted, since then', ({ reclaimedBlocks }) => reclaimedBlocks);
  gauge('cairn_gc_reclaimed_bytes', 'Their stored bytes', ({ reclaimedBytes }) => reclaimedBytes);
  gauge(
    'cairn_gc_waiting_blocks',
    'Blocks that wait for their sweep or their delete',
    ({ waitingBlocks }) => waitingBlocks,
  );
  // What is not known yet must not look like a good value.
  gauge(
    'cairn_gc_last_run_timestamp_seconds',
    'When a clean-up last ended, on any process',
    ({ lastRunAt }) => (lastRunAt === null ? Number.NaN : lastRunAt / 1000),
  );
  gauge(
    'cairn_dangling_references',
    'References that lead to no block; must be 0',
    ({ danglingReferences }) => danglingReferences ?? Number.NaN,
  );
}

function measureBlockMove(registry: Registry, blockMove: () => Promise<BlockMoveMeasures>): void {
  let asked: Promise<BlockMoveMeasures> | null = null;
  const gauge = (name: string, help: string, choose: (measures: BlockMoveMeasures) => number): Gauge =>
    new Gauge({
      name: `cairn_blocks_move_${name}`,
      help,
      registers: [registry],
      async collect() {
        asked ??= blockMove().finally(() => {
          asked = null;
        });
        this.set(choose(await asked));
      },
    });
  gauge('active', '1 while all blocks are being moved to another place', ({ isActive }) => Number(isActive));
  gauge('checked_blocks', 'Blocks that the present walk has come past', (move) => move.checkedBlocks);
  gauge('total_blocks', 'Blocks that it has to come past', ({ totalBlocks }) => totalBlocks);
  gauge('copied_bytes', 'Stored bytes that were copied', ({ copiedBytes }) => copiedBytes);
  gauge('bad_blocks', 'Blocks that cannot be copied since nothing has them whole', (move) => move.badBlocks);
}

const NODE_STATES = ['unknown', 'up', 'failing', 'suspect', 'down', 'out', 'fenced', 'held-out'];

function measureCluster(registry: Registry, cluster: () => ClusterMeasures): void {
  const registers = [registry];
  new Gauge({
    name: 'cairn_storage_nodes',
    help: 'Storage nodes by state',
    labelNames: ['state'],
    registers,
    collect() {
      const { nodes } = cluster();
      for (const state of NODE_STATES) {
        this.set({ state }, nodes.filter((node) => node.state === state).length);
      }
    },
  });
  const gauge = (name: string, help: string, choose: (measures: ClusterMeasures) => number): Gauge =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(choose(cluster()));
      },
    });
  gauge('cairn_storage_least_free_bytes', 'Free room on the fullest storage node', ({ nodes }) => {
    const free = nodes.flatMap(({ freeBytes }) => freeBytes ?? []);
    return free.length === 0 ? Number.NaN : Math.min(...free);
  });
  gauge(
    'cairn_under_replicated_blocks',
    'Blocks with fewer replicas or shards than wanted, as the last comparison left them',
    ({ repair }) => repair.underReplicated - repair.repaired,
  );
  gauge(
    'cairn_unavailable_blocks',
    'Blocks that only storage nodes that do not answer can have',
    ({ repair }) => repair.unavailable,
  );
  gauge('cairn_lost_blocks', 'Blocks that no storage node has; must be 0', ({ repair }) => repair.lost);
  gauge('cairn_coded_blocks', 'Blocks that are kept as shards', ({ repair }) => repair.codedBlocks);
  gauge('cairn_coded_bytes', 'What their shards take', ({ repair }) => repair.codedBytes);
  gauge('cairn_repair_queue_blocks', 'Blocks noted to be looked at', ({ repair }) => repair.noted);
  gauge(
    'cairn_repair_last_run_timestamp_seconds',
    'When all blocks were last compared with what the nodes have, by this process',
    ({ repair }) => (repair.lastRunAt === null ? Number.NaN : repair.lastRunAt / 1000),
  );
}

const DRILL_KINDS = ['scratch', 'live'] as const;

function measureDrills(registry: Registry, drills: () => Promise<readonly DrillSummary[]>): void {
  // A drill that never was is as long ago as can be: that is what alerts ask for.
  const gauge = (name: string, help: string, choose: (drill: DrillSummary | undefined) => number): Gauge =>
    new Gauge({
      name,
      help,
      labelNames: ['kind'],
      registers: [registry],
      async collect() {
        const last = await drills();
        for (const kind of DRILL_KINDS) {
          this.set({ kind }, choose(last.find((drill) => drill.kind === kind)));
        }
      },
    });
  gauge('cairn_last_drill_timestamp_seconds', 'When the last drill of this kind ended; 0: never', (drill) =>
    drill === undefined ? 0 : drill.endedAt / 1000,
  );
  gauge('cairn_last_drill_unproven', 'Claims that the last drill of this kind did not prove', (drill) =>
    drill === undefined ? Number.NaN : drill.unproven,
  );
}
