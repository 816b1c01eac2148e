import { type DragEvent, useState } from 'react';
import type { Destination } from '../../api/entries.ts';
import { isWithin } from '../../api/paths.ts';
import { bringsEntries, bringsFiles, draggedEntries } from './dragging.ts';

export interface DropTarget {
  readonly isOver: boolean;
  readonly handlers: {
    readonly onDragOver?: (event: DragEvent) => void;
    readonly onDragLeave?: (event: DragEvent) => void;
    readonly onDrop?: (event: DragEvent) => void;
  };
}

/** A folder, or the way to one, that takes entries of this app and files from outside; null takes nothing. */
export function useDropTarget(
  folder: Destination | null,
  onDrop: (transfer: DataTransfer, to: Destination) => void,
): DropTarget {
  const [isOver, setIsOver] = useState(false);
  if (folder === null) return { isOver: false, handlers: {} };
  const accepts = (transfer: DataTransfer) =>
    bringsFiles(transfer) ||
    (bringsEntries(transfer) &&
      !draggedEntries().some(({ kind, path }) => kind === 'folder' && isWithin(folder.path, path)));
  return {
    isOver,
    handlers: {
      onDragOver(event) {
        if (!accepts(event.dataTransfer)) return;
        event.preventDefault();
        event.stopPropagation();
        event.dataTransfer.dropEffect = bringsFiles(event.dataTransfer) ? 'copy' : 'move';
        setIsOver(true);
      },
      onDragLeave: () => setIsOver(false),
      onDrop(event) {
        setIsOver(false);
        if (!accepts(event.dataTransfer)) return;
        event.preventDefault();
        event.stopPropagation();
        onDrop(event.dataTransfer, folder);
      },
    },
  };
}
