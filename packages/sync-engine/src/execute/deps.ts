import type { ContentPlatform } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import type { Filesystem } from '@cairn/filesystem';
import type { ContentId, EntryId } from '@cairn/model';
import type { TreeStore } from '@cairn/tree-store';
import type { Failures } from '../failures.ts';
import type { LocalTree } from '../local-tree.ts';
import type { SpaceConnection } from '../ports.ts';
import type { Direction } from '../removal-window.ts';
import type { PlacingNotes } from './placing-notes.ts';
import type { ReceivingAhead } from './receive-ahead.ts';
import type { RestlessFiles } from './restless-files.ts';

/** What carrying out operations needs; each module picks its slice. */
export interface ExecuteDeps {
  readonly filesystem: Filesystem;
  readonly space: SpaceConnection;
  readonly trees: TreeStore;
  readonly local: LocalTree;
  readonly platform: ContentPlatform;
  readonly environment: Environment;
  readonly failures: Failures;
  readonly restless: RestlessFiles;
  /** Contents whose blocks this process knows to be on the server and granted to this account. */
  readonly uploaded: Set<ContentId>;
  readonly counters: TransferCounters;
  /** Shown in the marks of conflict copies. */
  readonly deviceName: string;
  /** Asks for a scan of a folder soon. */
  markDirty(path: string): void;
  /** Tells that the engine moved a folder on disk: hints of its old path mean the new one. */
  markMoved(from: string, to: string): void;
  /** Asks for a look at the server's journal before the next plan. */
  markRemoteDirty(): void;
  /** Tells what was done, with its path relative to the root; for the log of the device. */
  noteDone(operation: string, path: string, message?: string): void;
  /** Counts removals, for the brake. */
  noteRemoved(direction: Direction, count: number): void;
  /** Notes that our own commit brought the journal to here. */
  noteCommitted(sequence: number): void;
  /** Makes what was done so far durable: first the names on disk, then what we know about them. */
  makeDurable(): Promise<void>;
  createEntryId(): EntryId;
}

/** Folders in which names changed; the engine makes them durable before what was noted is. */
export type TouchedFolders = Set<string>;

export type DownloadDeps = ExecuteDeps & {
  isIgnored(path: string): boolean;
  /** Whether this device leaves the entry out, by its rules or its selection. */
  isLeftOut(entryId: EntryId): boolean;
  /** A folder's path is another one; returns whether what is below it may be left out now, or no longer. */
  folderMoved(entryId: EntryId, from: string | null, to: string | null): boolean;
  readonly touchedFolders: TouchedFolders;
  readonly placing: PlacingNotes;
  readonly ahead: Pick<ReceivingAhead, 'claim'>;
};

/** What moved since the engine started; for status and benchmarks. */
export interface TransferCounters {
  uploadedFiles: number;
  uploadedBytes: number;
  downloadedFiles: number;
  downloadedBytes: number;
  /** Bytes of downloads that were taken from the file's previous content on this disk. */
  reusedBytes: number;
  /** Bytes of downloads that had come before their file was committed. */
  aheadBytes: number;
  commits: number;
}

export function createCounters(): TransferCounters {
  return {
    uploadedFiles: 0,
    uploadedBytes: 0,
    downloadedFiles: 0,
    downloadedBytes: 0,
    reusedBytes: 0,
    aheadBytes: 0,
    commits: 0,
  };
}
