import type { FileObject } from '@cairn/protocol';
import type { DragEvent } from 'react';
import { t } from './strings.ts';

/** The type under which this app's entries are dragged; their ids alone would say too little to drop on. */
const ENTRIES = 'application/x-cairn-entries';

let dragged: readonly FileObject[] = [];

/** Begins to drag entries. */
export function startDrag(event: DragEvent, entries: readonly FileObject[]): void {
  dragged = entries;
  event.dataTransfer.effectAllowed = 'copyMove';
  event.dataTransfer.setData(ENTRIES, entries.map(({ entryId }) => entryId).join(','));
  const [only] = entries;
  const image = document.createElement('div');
  image.textContent =
    entries.length === 1 && only !== undefined ? only.name : t('itemsDragged', { count: entries.length });
  image.className =
    'fixed -top-20 left-0 max-w-64 truncate rounded-lg bg-accent px-3 py-1.5 text-accent-ink shadow-raised';
  document.body.append(image);
  event.dataTransfer.setDragImage(image, 12, 12);
  setTimeout(() => image.remove());
}

export function endDrag(): void {
  dragged = [];
}

/** The entries of this tab that are being dragged. */
export function draggedEntries(): readonly FileObject[] {
  return dragged;
}

/** Whether a drag brings files from outside. */
export function bringsFiles(transfer: DataTransfer): boolean {
  return transfer.types.includes('Files') && !transfer.types.includes(ENTRIES);
}

/** Whether a drag brings entries of this app. */
export function bringsEntries(transfer: DataTransfer): boolean {
  return transfer.types.includes(ENTRIES);
}
