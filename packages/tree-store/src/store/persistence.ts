import type { Cursor, EntryId } from '@cairn/model';
import type { Notice } from '../tree-store.ts';
import type { PackedNode, StoredEntry } from './packed-node.ts';

export const TREE_NAMES = ['remote', 'local', 'synced'] as const;
export type TreeName = (typeof TREE_NAMES)[number];

/** Newest notices that are kept. */
export const MAX_NOTICES = 1000;

/**
 * Rows of entries on which the trees agree, many together: read and written at a fraction of the cost of one by one.
 */
export interface SettledPage {
  readonly page: number;
  /** Rows one after the other, see `settled-row.ts`; none where the page is not needed any more. */
  readonly rows: Uint8Array;
}

/** What was stored contradicts itself: it cannot be used. */
export class DamagedStore extends Error {
  override readonly name = 'DamagedStore';
}

/** What a flush has to write of one tree. */
export interface TreeChanges {
  /** Everything that was durable is gone first. */
  readonly cleared: boolean;
  readonly written: readonly PackedNode[];
  readonly deleted: readonly EntryId[];
}

export interface Batch {
  readonly trees: Readonly<Record<TreeName, TreeChanges>>;
  /** Pages that changed. An entry on which the trees agree is in one of them, and has no node in any tree. */
  readonly settled: readonly SettledPage[];
  /** `undefined`: unchanged. */
  readonly cursor: Cursor | null | undefined;
  readonly values: ReadonlyMap<string, string | null>;
  /** New ones only, oldest first. */
  readonly notices: readonly Notice[];
}

export interface LoadedState {
  readonly cursor: Cursor | null;
  readonly values: ReadonlyMap<string, string>;
  /** Oldest first. */
  readonly notices: readonly Notice[];
}

/** Where a tree store keeps what was flushed. */
export interface Persistence {
  readonly rootId: EntryId;
  /**
   * Hands over every durable entry, in any order, and returns the rest.
   * @param onPage gets the pages first, in the order of their numbers, and keeps the bytes: they never change
   * @param onEntry gets an entry with all its nodes
   */
  load(onPage: (page: SettledPage) => void, onEntry: (entry: StoredEntry) => void): LoadedState;
  /** All of the batch becomes durable, or nothing. */
  save(batch: Batch): void;
  close(): void;
}
