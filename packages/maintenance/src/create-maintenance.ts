import type { CapacityRecord, MetadataReader, RetentionRecord } from '@cairn/metadata-store';
import { CairnError, createId } from '@cairn/model';
import { authoriseAdministrator, type Principal } from '@cairn/services';
import { type CleanUpOptions, type CleanUpReport, cleanUp } from './clean-up.ts';
import type { CollectionDependencies } from './collect-garbage.ts';
import { withJobLease } from './job-lease.ts';
import { measureServer, type ServerUsage } from './measure-usage.ts';
import { listCapacity, sampleCapacity } from './sample-capacity.ts';

/** What administrators may ask for. For others there is nothing: `not-found`. */
export interface MaintenanceService {
  /**
   * Cleans up now, or tells what that would do.
   * @throws CairnError `not-found`, `unavailable` while a server process is at it already
   */
  collect(
    principal: Principal,
    options: {
      readonly dryRun: boolean;
      readonly signal?: AbortSignal;
      readonly onProgress?: NonNullable<CleanUpOptions['onProgress']>;
    },
  ): Promise<CleanUpReport>;
  /** @throws CairnError `not-found` */
  usage(principal: Principal): Promise<ServerUsage>;
  /** Hourly samples of the last days, oldest first. @throws CairnError `not-found` */
  capacity(principal: Principal, days: number): Promise<readonly CapacityRecord[]>;
}

/** Numbers for monitoring, of this process since its start unless they say otherwise. */
export interface MaintenanceMeasures {
  readonly runs: number;
  readonly failedRuns: number;
  readonly reclaimedBlocks: number;
  readonly reclaimedBytes: number;
  /** Milliseconds since 1970, of any process; `null`: never. */
  readonly lastRunAt: number | null;
  /** Of the last run of this process; `null` before it. Must be 0. */
  readonly danglingReferences: number | null;
  /** Blocks that wait for their sweep or delete. */
  readonly waitingBlocks: number;
}

export interface Maintenance {
  readonly service: MaintenanceService;
  measure(): Promise<MaintenanceMeasures>;
  /** Begins to clean up once a day. */
  start(): void;
  /** Ends what is under way at its next await, and resolves then. May be called again. */
  stop(): Promise<void>;
}

export interface MaintenanceOptions {
  readonly graceMs?: number;
  readonly retention?: RetentionRecord;
  /** What fits in all, where somebody knows. */
  readonly capacityBytes?: () => Promise<number | null>;
}

const JOB = 'clean-up';
const LAST_RUN = 'clean-up-ended-at';
const HOUR_MS = 60 * 60_000;
const INTERVAL_MS = 24 * HOUR_MS;
const SAMPLE_LOOK_MS = 10 * 60_000;
const SCRUB_JOB = 'scrub';
const SCRUB_AGE_MS = 30 * INTERVAL_MS;
const SCRUB_BYTES_PER_SECOND = 16 * 1024 * 1024;
/** Soon, for servers that never run for long, and not at once: a start has enough to do. */
const FIRST_LOOK_MS = 10 * 60_000;

/** Housekeeping of one server process. Several may run on one database: a lease there decides who cleans up. */
export function createMaintenance(
  dependencies: CollectionDependencies,
  options: MaintenanceOptions = {},
): Maintenance {
  const { store, blocks, environment } = dependencies;
  const { log, clock, random, timers } = environment;
  const holder = createId<string>(random.bytes(16));
  const stopping = new AbortController();
  let loop: Promise<void> | null = null;
  let [runs, failedRuns, reclaimedBlocks, reclaimedBytes] = [0, 0, 0, 0];
  let danglingReferences: number | null = null;

  async function readLastRun(reader: MetadataReader): Promise<number | null> {
    const text = await reader.getValue(LAST_RUN);
    return text === undefined ? null : Number(text);
  }

  /** `null` when another process is at it. */
  async function run(
    signal: AbortSignal,
    progress: Pick<CleanUpOptions, 'onProgress'> = {},
  ): Promise<CleanUpReport | null> {
    try {
      const report = await withJobLease(
        dependencies,
        { name: JOB, holder, signal },
        async (ending, fence) => {
          const done = await cleanUp(dependencies, { ...options, ...progress, signal: ending, fence });
          if (done.collection.reclaimed.blocks > 0) {
            progress.onProgress?.('compact', 0);
            await compact(ending);
          }
          await store.transact((transaction) => transaction.setValue(LAST_RUN, `${clock.now()}`));
          return done;
        },
      );
      if (report === null) return null;
      runs += 1;
      reclaimedBlocks += report.collection.reclaimed.blocks;
      reclaimedBytes += report.collection.reclaimed.storedBytes;
      danglingReferences = report.audit.dangling;
      if (report.audit.unavailable > 0) {
        log.warn('maintenance.unavailable-references', { unavailable: report.audit.unavailable });
      }
      if (report.audit.dangling > 0) {
        const { dangling, examples } = report.audit;
        log.error('maintenance.dangling-references', { dangling, examples: examples.slice(0, 5) });
      }
      return report;
    } catch (error) {
      if (!signal.aborted) {
        failedRuns += 1;
        log.error('maintenance.failed', { error: String(error) });
      }
      throw error;
    }
  }

  /** Gives the disk what deleted blocks had. Only full ones of it are worth the writing. */
  async function compact(signal: AbortSignal): Promise<void> {
    const { segmentsRewritten, segmentsRemoved, ...report } = await blocks.compact({ signal });
    if (segmentsRewritten + segmentsRemoved > 0) {
      log.info('maintenance.compacted', { segmentsRewritten, segmentsRemoved, ...report });
    }
  }

  /** Reads, slowly, what was not looked at for a month; damage is found while there is still another copy. */
  async function scrub(signal: AbortSignal): Promise<void> {
    const report = await withJobLease(dependencies, { name: SCRUB_JOB, holder, signal }, (ending) =>
      blocks.scrub({ olderThanMs: SCRUB_AGE_MS, bytesPerSecond: SCRUB_BYTES_PER_SECOND, signal: ending }),
    );
    if (report === null || report.checkedBlocks === 0) return;
    const { damaged, ...figures } = report;
    log.info('maintenance.scrubbed', figures);
    if (report.damagedCount > 0) {
      log.error('maintenance.damaged-blocks', {
        damagedCount: report.damagedCount,
        examples: damaged.slice(0, 20),
      });
    }
  }

  async function runPeriodically(signal: AbortSignal): Promise<void> {
    for (let waitMs = FIRST_LOOK_MS; !signal.aborted; waitMs = HOUR_MS) {
      try {
        // Not all processes at the same moment.
        await timers.sleep(Math.round(waitMs * (0.75 + random.fraction() / 2)), signal);
        const lastRunAt = await store.read(readLastRun);
        const elapsedMs = lastRunAt === null ? INTERVAL_MS : clock.now() - lastRunAt;
        // A clock that was set back must not put it off for long.
        if (elapsedMs < 0 || elapsedMs >= INTERVAL_MS) {
          await run(signal);
          await scrub(signal);
        }
      } catch {
        // Told above; the next hour tries again.
      }
    }
  }

  async function samplePeriodically(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await sampleCapacity(dependencies, { holder, signal, capacityBytes: options.capacityBytes });
      } catch (error) {
        if (!signal.aborted) log.warn('maintenance.no-capacity-sample', { error: String(error) });
      }
      // Often enough that each hour gets one, whichever process takes it.
      await timers
        .sleep(Math.round(SAMPLE_LOOK_MS * (0.75 + random.fraction() / 2)), signal)
        .catch(() => undefined);
    }
  }

  return {
    service: {
      async collect(principal, { dryRun, signal, onProgress }) {
        await store.read((reader) => authoriseAdministrator(reader, principal));
        const ending = signal === undefined ? stopping.signal : AbortSignal.any([signal, stopping.signal]);
        const progress = onProgress === undefined ? {} : { onProgress };
        const report = dryRun
          ? await cleanUp(dependencies, { ...options, ...progress, dryRun, signal: ending })
          : await run(ending, progress);
        if (report === null) {
          throw new CairnError('unavailable', 'a clean-up is running already; try again when it has ended');
        }
        return report;
      },
      async usage(principal) {
        await store.read((reader) => authoriseAdministrator(reader, principal));
        return measureServer(store, dependencies.blocks);
      },
      async capacity(principal, days) {
        await store.read((reader) => authoriseAdministrator(reader, principal));
        return listCapacity(dependencies, days);
      },
    },
    async measure() {
      const { lastRunAt, garbage } = await store.read(async (reader) => ({
        lastRunAt: await readLastRun(reader),
        garbage: await reader.countGarbage({ condemnedBefore: 0, seenBefore: 0 }),
      }));
      const waitingBlocks = garbage.condemned.blocks + garbage.unreclaimed.blocks + garbage.orphans.blocks;
      return {
        runs,
        failedRuns,
        reclaimedBlocks,
        reclaimedBytes,
        lastRunAt,
        danglingReferences,
        waitingBlocks,
      };
    },
    start() {
      loop ??= Promise.all([runPeriodically(stopping.signal), samplePeriodically(stopping.signal)]).then(
        () => undefined,
      );
    },
    async stop() {
      stopping.abort(new CairnError('unavailable', 'the server is stopping'));
      await loop;
    },
  };
}
