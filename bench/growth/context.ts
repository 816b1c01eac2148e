import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Defer } from '../world/cleanup.ts';
import { createWire, type Wire, type WireCounting } from '../world/network.ts';
import { startWorld, type World } from '../world/two-device-world.ts';
import { createUsedMemory, givesMemoryBack } from '../world/used-memory.ts';
import { createWorkFolder } from '../world/work-folder.ts';
import type { GrowthOptions } from './options.ts';

/** What the measurement of one size works with. */
export interface Context {
  readonly options: GrowthOptions;
  readonly counting: WireCounting;
  readonly defer: Defer;
  /** What happens now, for whoever waits. */
  say(line: string): void;
  /** Where the work is done. */
  note(place: string): void;
}

export interface Site {
  readonly world: World;
  readonly wire: Wire;
  /** Folder on the filesystem of the devices' folders. */
  readonly path: string;
  /** Flushes what was prepared, and brings the machine's memory into the same state for each size. */
  settle(): void;
}

export interface SiteNeeds {
  /** Of the size that is measured, in words and as a name of a folder. */
  readonly name: string;
  readonly diskBytes: number;
  readonly mostFiles: number;
  /** Whether a filesystem that was used before would show, or a full one would harm. */
  readonly wantsOwnDisk: boolean;
  /** Proxies, where they have to count, would cost the others time. */
  readonly countsWire: boolean;
  /** Whether the devices' files are in the page cache before a step; the holes of large ones would fill it. */
  readonly cachesFiles: boolean;
}

/** A server and two devices with empty folders at a new place, which goes with them at the end. */
export async function openSite(context: Context, needs: SiteNeeds): Promise<Site> {
  const { options, defer } = context;
  const { place, base, memory, profileFolder } = options;
  const where = place === 'auto' && !needs.wantsOwnDisk ? 'temp' : place;
  const work = createWorkFolder(where, needs.diskBytes, base, needs.mostFiles);
  defer(() => work.remove());
  context.note(work.description);
  const wire = createWire(needs.countsWire ? context.counting : 'none');
  defer(() => wire.close());
  const world = await startWorld(work.path, {
    connect: (device, port) => wire.connect(device === 'a' ? 'a' : 'b', port),
    profileFolder: profileFolder === null ? null : join(profileFolder, needs.name),
  });
  defer(() => world.stop());
  const fills = memory === 'used' || (memory === 'auto' && givesMemoryBack());
  return {
    world,
    wire,
    path: work.path,
    settle() {
      execFileSync('sync', ['-f', work.path]);
      if (!fills) return;
      const used = createUsedMemory(base ?? tmpdir());
      try {
        used.fill(needs.cachesFiles ? work.path : world.serverData);
      } finally {
        used.close();
      }
      context.note('before each size the page cache is filled, as on a machine in use');
    },
  };
}
