import { type NodeMonitor, type RepairReport, repairBlocks } from '@cairn/block-store';
import type { StoredBlock } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import type { MetadataStore } from '@cairn/metadata-store';
import { type BlockId, createId } from '@cairn/model';
import type { RepairState } from '@cairn/services';
import { withJobLease } from './job-lease.ts';

export interface ClusterRepairOptions {
  readonly store: MetadataStore;
  readonly environment: Environment;
  readonly nodes: NodeMonitor;
  readonly replicas: number;
  readonly verify: (block: StoredBlock) => boolean;
  /** Bytes that are read and written each second at most; unlimited unless told. */
  readonly bytesPerSecond?: number;
  /** Blocks that have been there for so long become shards (ADR 0015); none do unless told. */
  readonly codeAfterMs?: number;
  /** What happens within this time is seen to together; 3 s unless told. A run that left something waits five times as long. */
  readonly settleMs?: number;
  /** Which of these another place has while blocks move; they are no concern of the repair. None unless told. */
  readonly isElsewhere?: (blockIds: readonly BlockId[]) => Promise<readonly boolean[]>;
  /** Makes the list of nodes what the metadata says now, and tells whether it was something else. */
  readonly refreshNodes?: () => Promise<boolean>;
}

export interface ClusterRepair {
  /** Blocks that a write or a read saw to lack replicas. */
  note(blockIds: readonly BlockId[]): void;
  /** A node came, went or changed: everything is to be compared soon. */
  poke(): void;
  state(): RepairState;
  start(): void;
  /** Ends what is under way, and resolves then. May be called again. */
  stop(): Promise<void>;
}

const JOB = 'repair';
/** Blocks that are noted by themselves; with more, everything is compared. */
const MAX_NOTED = 50_000;
const PAGE_BLOCKS = 1000;
const SETTLE_MS = 3_000;
const RETRY_FACTOR = 5;
const INTERVAL_MS = 60 * 60_000;

const NOTHING: RepairReport = {
  checkedBlocks: 0,
  underReplicated: 0,
  repaired: 0,
  waiting: 0,
  unavailable: 0,
  lost: 0,
  lostBlocks: [],
  codedBlocks: 0,
  codedBytes: 0,
  copiedBytes: 0,
  removedReplicas: 0,
  failedCopies: 0,
};

/**
 * Keeps every block on as many nodes as wanted (ADR 0013). Compares what metadata says with what the nodes have at the
 * start, after a node changed, and every hour; in between it sees to what was noted. What it knows is lost with the
 * process, which costs another comparison and nothing else. One server process of several does it at a time.
 */
export function createClusterRepair(options: ClusterRepairOptions): ClusterRepair {
  const { store, environment, nodes, replicas, verify, codeAfterMs } = options;
  const settleMs = options.settleMs ?? SETTLE_MS;
  const { clock, log, random, timers } = environment;
  const holder = createId<string>(random.bytes(16));
  const stopping = new AbortController();
  const noted = new Set<BlockId>();
  let isWholeDue = true;
  let wake: () => void = () => undefined;
  let loop: Promise<void> | null = null;
  let isRunning = false;
  let last: RepairReport = NOTHING;
  /** The last whole run that ended; while one is under way, its figures are not the whole yet. */
  let lastWhole: RepairReport = NOTHING;
  let lastRunAt: number | null = null;

  async function leaveOut(blockIds: readonly BlockId[]): Promise<readonly BlockId[]> {
    if (options.isElsewhere === undefined || blockIds.length === 0) return blockIds;
    const isElsewhere = await options.isElsewhere(blockIds);
    return blockIds.filter((_, index) => isElsewhere[index] !== true);
  }

  async function* everything(): AsyncGenerator<readonly BlockId[]> {
    for (let after = 0; ; ) {
      const page = await store.read((reader) => reader.pageBlockIds(after, PAGE_BLOCKS));
      const ours = await leaveOut(page.blockIds);
      if (ours.length > 0) yield ours;
      if (page.next === null) return;
      after = page.next;
    }
  }

  /** Of these, those that are still to be kept. */
  async function* some(blockIds: readonly BlockId[]): AsyncGenerator<readonly BlockId[]> {
    for (let start = 0; start < blockIds.length; start += PAGE_BLOCKS) {
      const page = blockIds.slice(start, start + PAGE_BLOCKS);
      const records = await store.read((reader) => reader.getBlocks(page));
      const live = await leaveOut(page.filter((_, index) => records[index] !== undefined));
      if (live.length > 0) yield live;
    }
  }

  async function chooseDue(blockIds: readonly BlockId[], codeAfterMs: number): Promise<Set<BlockId>> {
    const before = clock.now() - codeAfterMs;
    const records = await store.read((reader) => reader.getBlocks(blockIds));
    return new Set(
      records.flatMap((record) =>
        record !== undefined && record.createdAt <= before ? [record.blockId] : [],
      ),
    );
  }

  /** Of a block that only nodes have which another server made known a moment ago, nobody is to hear that it is lost. */
  async function confirmLost(report: RepairReport): Promise<RepairReport> {
    if (report.lost === 0 || (await options.refreshNodes?.()) !== true) return report;
    isWholeDue = true;
    return { ...report, lost: 0, lostBlocks: [], unavailable: report.unavailable + report.lost };
  }

  async function run(): Promise<'done' | 'again'> {
    const isWhole = isWholeDue;
    const wanted = isWhole ? [] : [...noted];
    isWholeDue = false;
    noted.clear();
    isRunning = true;
    try {
      const first = await withJobLease(
        { store, environment },
        { name: JOB, holder, signal: stopping.signal },
        (signal, fence) =>
          repairBlocks(
            {
              nodes,
              environment,
              replicas,
              verify,
              fence,
              signal,
              rebalance: isWhole,
              ...(options.bytesPerSecond === undefined ? {} : { bytesPerSecond: options.bytesPerSecond }),
              ...(codeAfterMs === undefined
                ? {}
                : {
                    coding: {
                      chooseDue: (blockIds) => chooseDue(blockIds, codeAfterMs),
                      // Losses are made up for first; what is left becomes shards in the run after.
                      mayGoOn: () => !isWholeDue && noted.size === 0,
                    },
                  }),
              ...(isWhole
                ? {
                    onProgress: (progress: RepairReport) => {
                      last = progress;
                    },
                  }
                : {}),
            },
            isWhole ? everything() : some(wanted),
          ),
      );
      if (first === null) {
        // Another process is at it, or was when it was killed: then its lease ends, and nobody else sees to this. That it
        // may be done a second time costs a comparison.
        isWholeDue ||= isWhole;
        for (const blockId of wanted) noted.add(blockId);
        return 'again';
      }
      const report = await confirmLost(first);
      if (isWhole) {
        last = report;
        lastWhole = report;
        lastRunAt = clock.now();
      }
      const { lostBlocks, ...figures } = report;
      const isNews = report.underReplicated + report.lost + report.removedReplicas + report.copiedBytes > 0;
      if (isNews) log.info('storage-nodes.repaired', { isWhole, ...figures });
      if (report.lost > 0) log.error('storage-nodes.lost-blocks', { lost: report.lost, lostBlocks });
      const isOpen = report.failedCopies > 0 || report.underReplicated > report.repaired + report.waiting;
      // Blocks that were brought to new places leave the old ones in the next run.
      const isMoving = isWhole && report.copiedBytes > 0;
      if (isOpen || isMoving) isWholeDue = true;
      return isOpen ? 'again' : 'done';
    } catch (error) {
      isWholeDue = true;
      if (!stopping.signal.aborted) log.error('storage-nodes.repair-failed', { error: String(error) });
      return 'again';
    } finally {
      isRunning = false;
    }
  }

  async function sleep(durationMs: number): Promise<void> {
    await timers.sleep(durationMs, stopping.signal).catch(() => undefined);
  }

  /** Resolves when there is something to do, or after an hour. */
  async function waitForWork(): Promise<void> {
    if (isWholeDue || noted.size > 0) return;
    await new Promise<void>((resolve) => {
      const cancel = timers.schedule(INTERVAL_MS, () => {
        isWholeDue = true;
        resolve();
      });
      wake = () => {
        cancel();
        resolve();
      };
    });
    wake = () => undefined;
  }

  async function work(): Promise<void> {
    while (!stopping.signal.aborted) {
      await waitForWork();
      await sleep(settleMs);
      if (stopping.signal.aborted) return;
      if ((await run()) === 'again') await sleep(settleMs * RETRY_FACTOR);
    }
  }

  return {
    note(blockIds) {
      for (const blockId of blockIds) noted.add(blockId);
      if (noted.size > MAX_NOTED) {
        noted.clear();
        isWholeDue = true;
      }
      wake();
    },
    poke() {
      isWholeDue = true;
      wake();
    },
    state() {
      const { lostBlocks: _lostBlocks, removedReplicas: _removed, failedCopies: _failed, ...figures } = last;
      return {
        ...figures,
        codedBlocks: isRunning ? Math.max(last.codedBlocks, lastWhole.codedBlocks) : last.codedBlocks,
        codedBytes: isRunning ? Math.max(last.codedBytes, lastWhole.codedBytes) : last.codedBytes,
        isRunning,
        noted: noted.size,
        lastRunAt,
      };
    },
    start() {
      loop ??= work();
    },
    async stop() {
      stopping.abort(new Error('the server is stopping'));
      wake();
      await loop;
    },
  };
}
