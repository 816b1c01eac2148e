import { type BlockStore, openSegmentBlockStore, type StoreKey } from '@cairn/block-store';
import type { StoredBlock } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import { listFolder, prepareDataFolder } from './data-folder.ts';
import { type PlaceMarker, readPlaceMarker, writePlaceMarker } from './place-marker.ts';

/** What a store in a folder is opened with. */
export interface FolderStoreOptions {
  /** Seals the blocks; `null`: they are not sealed. */
  readonly key: StoreKey | null;
  readonly environment: Environment;
  readonly verify: (block: StoredBlock) => boolean;
}

/** The folders that blocks are or may be in; on the server's disks, or simulated. */
export interface BlockFolders {
  /** What is in it; nothing for one that there is not. */
  list(directory: string): Promise<string[]>;
  /** Makes it if it is missing, for the server alone. @throws CairnError that says what to do */
  prepare(directory: string): Promise<void>;
  /** Whose it is; `null` for one without a mark. @throws CairnError `data-damaged`, and what the disk says */
  readMarker(directory: string): Promise<PlaceMarker | null>;
  writeMarker(directory: string, marker: PlaceMarker): Promise<void>;
  /** Opens the block store in it. @throws as the store does */
  open(directory: string, options: FolderStoreOptions): Promise<BlockStore>;
}

/** Those on the server's disks. */
export const serverFolders: BlockFolders = {
  list: listFolder,
  prepare: prepareDataFolder,
  readMarker: readPlaceMarker,
  writeMarker: writePlaceMarker,
  open: (directory, { key, environment, verify }) =>
    openSegmentBlockStore({ directory, environment, verify, ...(key === null ? {} : { key }) }),
};
