import type { Environment } from '@cairn/environment';
import type { Filesystem, FilesystemCapabilities, WatchHint } from '../filesystem.ts';
import { createHintCollector, type HintCollector } from '../hint-collector.ts';
import type { FaultPlan } from './fault-plan.ts';
import { createMemoryDisk } from './memory-disk.ts';
import { openMemoryPort } from './memory-port.ts';
import { createMemoryUser, type UserOperations } from './memory-user.ts';

export interface MemoryFilesystemOptions {
  readonly environment: Environment;
  readonly capabilities?: Partial<FilesystemCapabilities>;
  readonly faults?: FaultPlan;
  readonly capacityBytes?: number;
  /** Modification times are cut to multiples of this; 2_000_000_000n is FAT. */
  readonly timeGranularityNs?: bigint;
}

export interface MemoryFilesystem {
  /** The port as the running process has it. After `crash` or `restart` this is a new one. */
  readonly filesystem: Filesystem;
  readonly user: UserOperations;
  /** Replaces the plan of faults; `null` for none. */
  setFaults(faults: FaultPlan | null): void;
  /** The process ends (kill -9) and comes back: what was written stays, durable or not. */
  restart(): Filesystem;
  /** The power fails and comes back: unsynced bytes and names may be gone. */
  crash(): Filesystem;
  /** The root vanishes (an unmounted disk); `true` brings the same one back. */
  setRootPresent(present: boolean): void;
  /** While true, changes give no hints. */
  setHintsDropped(dropped: boolean): void;
  readonly usedBytes: number;
}

const POSIX: FilesystemCapabilities = {
  caseSensitive: true,
  unicodeSensitive: true,
  symbolicLinks: true,
  executableBit: true,
};

/** A simulated folder: the port over memory, and the hands of its user, of the power company and of bad disks. */
export function createMemoryFilesystem(options: MemoryFilesystemOptions): MemoryFilesystem {
  const { environment } = options;
  const disk = createMemoryDisk({
    environment,
    capabilities: { ...POSIX, ...options.capabilities },
    capacityBytes: options.capacityBytes ?? Number.POSITIVE_INFINITY,
    timeGranularityNs: options.timeGranularityNs ?? 1n,
  });
  let faults = options.faults ?? null;
  let rootPresent = true;
  let hintsDropped = false;
  const collectors = new Set<HintCollector>();

  function hint(folderPath: string, changedPath: string): void {
    if (hintsDropped) return;
    for (const collector of collectors) {
      collector.folder(folderPath);
      collector.folder(changedPath);
    }
  }

  function openPort(): Filesystem {
    return openMemoryPort({
      disk,
      environment,
      isRootPresent: () => rootPresent,
      faultFor: (operation, path) => faults?.(operation, path) ?? null,
      onChange: hint,
      watch(onHint: (hint: WatchHint) => void) {
        const collector = createHintCollector(environment, onHint);
        collectors.add(collector);
        return {
          close() {
            collectors.delete(collector);
            collector.close();
          },
        };
      },
    });
  }

  let filesystem = openPort();
  function reopen(): Filesystem {
    for (const collector of collectors) collector.close();
    collectors.clear();
    void filesystem.close();
    filesystem = openPort();
    return filesystem;
  }

  return {
    get filesystem() {
      return filesystem;
    },
    user: createMemoryUser(disk, hint),
    setFaults(plan) {
      faults = plan;
    },
    restart: reopen,
    crash() {
      disk.powerCut();
      return reopen();
    },
    setRootPresent(present) {
      rootPresent = present;
    },
    setHintsDropped(dropped) {
      hintsDropped = dropped;
    },
    get usedBytes() {
      return disk.usedBytes;
    },
  };
}
