import type { FilesystemCapabilities, MemoryFilesystemOptions } from '@cairn/filesystem';
import type { Draw } from '../random.ts';

const MS = 1_000_000n;
const FOLDING: Partial<FilesystemCapabilities> = { caseSensitive: false, unicodeSensitive: false };

export interface DiskVariant {
  readonly options: Partial<Omit<MemoryFilesystemOptions, 'environment' | 'faults'>>;
  /** What cannot be compared with other disks. */
  readonly storesExecutable: boolean;
  readonly storesTimes: boolean;
  readonly folds: boolean;
  /** Two writes within one step of its times are only told apart by their sizes. */
  readonly isCoarse?: boolean;
}

/** The disks that devices have. */
export const DISK_VARIANTS = {
  precise: { options: {}, storesExecutable: true, storesTimes: true, folds: false },
  /** Linux, whose times have the steps of its timer. */
  linux: {
    options: { timeGranularityNs: 4n * MS, changeGranularityNs: 4n * MS },
    storesExecutable: true,
    storesTimes: false,
    folds: false,
  },
  mac: { options: { capabilities: FOLDING }, storesExecutable: true, storesTimes: true, folds: true },
  oldMac: {
    options: { capabilities: FOLDING, decomposesNames: true, timeGranularityNs: 1000n * MS },
    storesExecutable: true,
    storesTimes: false,
    folds: true,
  },
  windows: {
    options: { capabilities: { ...FOLDING, executableBit: false }, timeGranularityNs: 100n },
    storesExecutable: false,
    storesTimes: true,
    folds: true,
  },
  /** Times of two seconds, and no time of change but that. */
  fat: {
    options: {
      capabilities: { ...FOLDING, executableBit: false },
      timeGranularityNs: 2000n * MS,
      changeGranularityNs: 2000n * MS,
    },
    storesExecutable: false,
    storesTimes: false,
    folds: true,
    isCoarse: true,
  },
} as const satisfies Record<string, DiskVariant>;

export type DiskVariantName = keyof typeof DISK_VARIANTS;

export function drawDiskVariant(draw: Draw): DiskVariantName {
  return draw.pick([
    'precise',
    'precise',
    'linux',
    'linux',
    'linux',
    'mac',
    'oldMac',
    'windows',
    'fat',
  ] as const);
}
