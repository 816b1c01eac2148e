import type { BlockStore } from '@cairn/block-store';
import type { BlockId } from '@cairn/model';
import type { BlockFolders } from '@cairn/server';
import type { Draw } from '../../random.ts';
import type { Timeline } from '../../world/timeline.ts';
import { NodeDisk } from './node-disk.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import { StoreFolder } from './store-folder.ts';

type Marker = NonNullable<Awaited<ReturnType<BlockFolders['readMarker']>>>;

interface Folder {
  readonly disk: NodeDisk;
  marker: Marker | null;
  isMade: boolean;
}

export interface FolderEvents {
  onDelete(blockId: BlockId): Promise<void>;
  onProblem(directory: string, problem: string): void;
}

/** The folders that a server has blocks in, or is to move them to: real segment stores on its own simulated disk. */
export class ServerFolders {
  readonly #timeline: Timeline;
  readonly #draw: Draw;
  readonly #events: FolderEvents;
  readonly #folders = new Map<string, Folder>();

  constructor(timeline: Timeline, draw: Draw, events: FolderEvents) {
    this.#timeline = timeline;
    this.#draw = draw;
    this.#events = events;
  }

  #at(directory: string): Folder {
    let folder = this.#folders.get(directory);
    if (folder === undefined) {
      const store = new StoreFolder(this.#timeline, this.#draw);
      const disk = new NodeDisk(directory, 0, {}, store, () => this.#timeline.nowMs);
      folder = { disk, marker: null, isMade: false };
      this.#folders.set(directory, folder);
    }
    return folder;
  }

  diskOf(directory: string): NodeDisk {
    return this.#at(directory).disk;
  }

  disks(): NodeDisk[] {
    return [...this.#folders.values()].map(({ disk }) => disk);
  }

  /** The server's process has just died. */
  async leave(isPowerCut: boolean): Promise<void> {
    const all = this.disks().map((disk) => disk.leave(isPowerCut));
    await this.#timeline.hold(() => Promise.all(all));
  }

  remove(): void {
    for (const disk of this.disks()) disk.remove();
  }

  /** As one process has them. Marks are durable at once: they are written whole, and flushed. */
  as(process: SimulatedProcess): BlockFolders {
    return {
      list: async (directory) => {
        const { marker, isMade } = this.#at(directory);
        return [...(marker === null ? [] : ['cairn-place']), ...(isMade ? ['segments'] : [])];
      },
      prepare: async () => undefined,
      readMarker: async (directory) => this.#at(directory).marker,
      writeMarker: async (directory, marker) => {
        this.#at(directory).marker = { ...marker };
      },
      open: async (directory, { environment }) => {
        const folder = this.#at(directory);
        folder.isMade = true;
        const { disk } = folder;
        const { problems } = await disk.open(process, environment);
        for (const problem of problems) this.#events.onProblem(directory, problem);
        return this.#watch(disk);
      },
    };
  }

  #watch(disk: NodeDisk): BlockStore {
    return {
      ...disk.blocks,
      put: (blocks, above) => disk.put(blocks, above),
      delete: async (location) => {
        // Nobody else has the folder, so no fence is asked for.
        const isDeleted = await disk.delete(location, undefined);
        if (isDeleted) await this.#timeline.hold(() => this.#events.onDelete(location.blockId));
        return isDeleted;
      },
      close: () => disk.close(),
    };
  }
}
