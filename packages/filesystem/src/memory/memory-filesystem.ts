import type { Environment } from '@cairn/environment';
import type { Filesystem, FilesystemCapabilities, OnStir, WatchHint } from '../filesystem.ts';
import { createHintCollector, type HintCollector } from '../hint-collector.ts';
import type { FaultPlan } from './fault-plan.ts';
import { createMemoryDisk, type MemoryDisk } from './memory-disk.ts';
import { openMemoryPort } from './memory-port.ts';
import { createMemoryUser, type MemoryUser } from './memory-user.ts';

export interface MemoryFilesystemOptions {
  readonly environment: Environment;
  readonly capabilities?: Partial<FilesystemCapabilities>;
  readonly faults?: FaultPlan;
  readonly capacityBytes?: number;
  /** Modification times are cut to multiples of this; 2_000_000_000n is FAT. */
  readonly timeGranularityNs?: bigint;
  /**
   * The same for the time of the last change of anything: 4_000_000n is common on Linux. A disk without such a time
   * shows its modification time there, with that granularity.
   */
  readonly changeGranularityNs?: bigint;
  /** Names come back in decomposed form (NFD), as on old Macs; then `unicodeSensitive` must be false. */
  readonly decomposesNames?: boolean;
  /** A read gives at most so many bytes, as over a network: a file can change between two of them. */
  readonly longestReadBytes?: number;
}

export interface MemoryFilesystem {
  /** The port as the running process has it. After `crash` or `restart` this is a new one. */
  readonly filesystem: Filesystem;
  readonly user: MemoryUser;
  /** Replaces the plan of faults; `null` for none. */
  setFaults(faults: FaultPlan | null): void;
  /** The process ends (kill -9) and comes back: what was written stays, durable or not. */
  restart(): Filesystem;
  /** The power fails and comes back: unsynced bytes and names may be gone. */
  crash(): Filesystem;
  /** The root vanishes (an unmounted disk); `true` brings the same one back. */
  setRootPresent(present: boolean): void;
  /** `false`: an empty folder is where the root was, as when its disk is not mounted; `true` brings the root back. */
  setMounted(mounted: boolean): void;
  setCapacity(bytes: number): void;
  /** Makes this (new) disk an image of another one, down to the inodes, the private folder included. */
  copyFrom(other: MemoryFilesystem): void;
  /** The state behind it, for `copyFrom`. */
  readonly disk: MemoryDisk;
  /** Called after every change of names, contents or attributes, whoever made it; to be set by who wants it. */
  onUse: () => void;
  /** While true, changes give no hints. */
  setHintsDropped(dropped: boolean): void;
  /** The watcher says that events were lost, as a kernel does whose queue is full. */
  loseEvents(reason: string): void;
  readonly usedBytes: number;
}

const POSIX: FilesystemCapabilities = {
  caseSensitive: true,
  unicodeSensitive: true,
  symbolicLinks: true,
  executableBit: true,
  birthTimes: true,
  reservedNames: 'none',
};

/** A simulated folder: the port over memory, and the hands of its user, of the power company and of bad disks. */
export function createMemoryFilesystem(options: MemoryFilesystemOptions): MemoryFilesystem {
  const { environment } = options;
  const disk = createMemoryDisk({
    environment,
    capabilities: { ...POSIX, ...options.capabilities },
    capacityBytes: options.capacityBytes ?? Number.POSITIVE_INFINITY,
    timeGranularityNs: options.timeGranularityNs ?? 1n,
    changeGranularityNs: options.changeGranularityNs ?? 1n,
    decomposesNames: options.decomposesNames ?? false,
  });
  let faults = options.faults ?? null;
  let rootPresent = true;
  let hintsDropped = false;
  const collectors = new Set<HintCollector>();

  function hint(folderPath: string, changedPath: string): void {
    memory.onUse();
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
      longestReadBytes: options.longestReadBytes ?? Number.POSITIVE_INFINITY,
      isRootPresent: () => rootPresent,
      faultFor: (operation, path) => faults?.(operation, path) ?? null,
      onChange: hint,
      watch(onHint: (hint: WatchHint) => void, onStir?: OnStir) {
        const collector = createHintCollector(environment, onHint, onStir === undefined ? {} : { onStir });
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

  const memory: MemoryFilesystem = {
    onUse: () => undefined,
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
      memory.onUse();
      return reopen();
    },
    setRootPresent(present) {
      rootPresent = present;
    },
    setMounted(mounted) {
      disk.setMounted(mounted);
      memory.onUse();
    },
    setCapacity: (bytes) => disk.setCapacity(bytes),
    copyFrom(other) {
      disk.copyFrom(other.disk);
      memory.onUse();
    },
    disk,
    setHintsDropped(dropped) {
      hintsDropped = dropped;
    },
    loseEvents(reason) {
      for (const collector of collectors) collector.lost(reason);
    },
    get usedBytes() {
      return disk.usedBytes;
    },
  };
  return memory;
}
