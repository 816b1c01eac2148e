import { withCleanup } from '../world/cleanup.ts';
import type { WireCounting } from '../world/network.ts';
import type { Context } from './context.ts';
import type { GrowthOptions } from './options.ts';
import type { GrowthFailure, Points, SeriesName } from './points.ts';
import { measureDevices } from './series/devices.ts';
import { measureFiles } from './series/files.ts';
import { measureJournal } from './series/journal.ts';
import { measureSize } from './series/size.ts';

export interface GrowthListener {
  onPoint<Name extends SeriesName>(name: Name, point: Points[Name][number]): void;
  onFailure(failure: GrowthFailure): void;
  /** What happens now, for whoever waits. */
  onProgress(line: string): void;
  /** Where the work is done. */
  onPlace(description: string): void;
}

type Measures = {
  readonly [Name in SeriesName]: (size: number, context: Context) => Promise<Points[Name][number]>;
};
const MEASURES: Measures = {
  files: measureFiles,
  size: measureSize,
  devices: measureDevices,
  journal: measureJournal,
};

/** Takes each size of each series from the smallest on. One that fails ends its series: larger ones would, too. */
export async function runGrowth(
  options: GrowthOptions,
  counting: WireCounting,
  listener: GrowthListener,
): Promise<void> {
  for (const name of options.only) await runSeries(name, options, counting, listener);
}

async function runSeries<Name extends SeriesName>(
  name: Name,
  options: GrowthOptions,
  counting: WireCounting,
  listener: GrowthListener,
): Promise<void> {
  const sizes = {
    files: options.files,
    size: options.sizesBytes,
    devices: options.devices,
    journal: options.changes,
  }[name];
  for (const size of sizes) {
    listener.onProgress(`${name} ${size} …`);
    try {
      const point = await withCleanup((defer) =>
        MEASURES[name](size, {
          options,
          counting,
          defer,
          say: (line) => listener.onProgress(`${name} ${size}: ${line}`),
          note: listener.onPlace,
        }),
      );
      listener.onPoint(name, point);
    } catch (error) {
      listener.onFailure({ series: name, size, message: (error as Error).message });
      return;
    }
  }
}
