import type { Cursor, EntryId } from '@cairn/model';
import type { Notice } from '../tree-store.ts';
import type { StoredEntry } from './packed-node.ts';
import type { TreeChanges } from './packed-tree.ts';

export const TREE_NAMES = ['remote', 'local', 'synced'] as const;
export type TreeName = (typeof TREE_NAMES)[number];

/** Newest notices that are kept. */
export const MAX_NOTICES = 1000;

export interface Batch {
  readonly trees: Readonly<Record<TreeName, TreeChanges>>;
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
  /** Hands over every entry with all its durable nodes, in any order, and returns the rest. */
  load(onEntry: (entry: StoredEntry) => void): LoadedState;
  /** All of the batch becomes durable, or nothing. */
  save(batch: Batch): void;
  close(): void;
}
