import type { EntryId } from '@cairn/model';

/** Something that was dropped, chosen or pasted. */
export interface DroppedItem {
  readonly kind: 'file' | 'folder';
  /** With `/` between names, below where it was dropped; never starts with one. */
  readonly relativePath: string;
  /** Files only. */
  readonly file?: File;
}

export interface UploadParent {
  readonly entryId: EntryId;
  readonly path: string;
}

export function addFiles(_files: readonly DroppedItem[], _parent: UploadParent): void {}
