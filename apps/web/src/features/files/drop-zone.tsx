import { CloudUpload } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { bringsFiles } from './dragging.ts';
import { t } from './strings.ts';

export interface DropZoneProps {
  readonly folderName: string;
  readonly onDrop: (transfer: DataTransfer) => void;
}

/** The whole window takes files from outside; while they hover, it says where they would go. */
export function DropZone({ folderName, onDrop }: DropZoneProps) {
  const [isOver, setIsOver] = useState(false);
  const drop = useRef(onDrop);
  useEffect(() => {
    drop.current = onDrop;
  }, [onDrop]);

  useEffect(() => {
    // Every element that the pointer passes enters and leaves; only the balance says whether it is in the window.
    let depth = 0;
    const over = (event: DragEvent) => event.dataTransfer !== null && bringsFiles(event.dataTransfer);
    const onEnter = (event: DragEvent) => {
      if (!over(event)) return;
      depth++;
      setIsOver(true);
    };
    const onLeave = (event: DragEvent) => {
      if (!over(event)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) setIsOver(false);
    };
    const onOver = (event: DragEvent) => {
      if (!over(event) || event.dataTransfer === null) return;
      // Otherwise the browser would leave the page to show the file.
      event.preventDefault();
      event.dataTransfer.dropEffect = 'copy';
    };
    const onDropped = (event: DragEvent) => {
      depth = 0;
      setIsOver(false);
      if (event.defaultPrevented || !over(event) || event.dataTransfer === null) return;
      event.preventDefault();
      drop.current(event.dataTransfer);
    };
    window.addEventListener('dragenter', onEnter);
    window.addEventListener('dragleave', onLeave);
    window.addEventListener('dragover', onOver);
    window.addEventListener('drop', onDropped);
    return () => {
      window.removeEventListener('dragenter', onEnter);
      window.removeEventListener('dragleave', onLeave);
      window.removeEventListener('dragover', onOver);
      window.removeEventListener('drop', onDropped);
    };
  }, []);

  if (!isOver) return null;
  return (
    <div
      role="status"
      className="pointer-events-none absolute inset-2 z-30 flex animate-fade-in flex-col items-center justify-end rounded-2xl border-2 border-accent border-dashed bg-accent-soft/60 pb-10"
    >
      <p className="flex items-center gap-2.5 rounded-full bg-accent px-5 py-2.5 font-medium text-accent-ink shadow-raised">
        <CloudUpload aria-hidden className="size-5" />
        {t('dropHere', { folder: folderName })}
      </p>
    </div>
  );
}
