import type { FileObject } from '@cairn/protocol';
import { Link } from '@tanstack/react-router';
import { prefetchFolder } from '../../api/folders.ts';
import { shownName } from '../../ui/shown-name.ts';
import type { BrowserModel } from './browser-model.ts';
import { NameEditor } from './name-editor.tsx';

export interface EntryNameProps {
  readonly model: BrowserModel;
  readonly entry: FileObject;
  readonly className: string;
}

/** The name of an entry; a click on it opens, with Ctrl in another tab. */
export function EntryName({ model, entry, className }: EntryNameProps) {
  if (model.renamingId === entry.entryId) {
    return (
      <NameEditor
        entry={entry}
        onRename={(name) => model.actions.rename(entry, name)}
        onEnd={() => model.setRenamingId(null)}
      />
    );
  }
  const selecting = model.selection.selected.size > 0;
  if (entry.kind === 'folder') {
    return (
      <Link
        to="/files/$"
        params={{ _splat: entry.path.slice(1) }}
        preload={false}
        tabIndex={-1}
        draggable={false}
        title={entry.name}
        className={className}
        onPointerEnter={() => prefetchFolder(entry.path)}
        onClick={(event) => {
          // With a selection going on, or on a touch screen, the row decides.
          if (event.shiftKey || isTouch(event.nativeEvent) || (selecting && event.ctrlKey))
            event.preventDefault();
          else event.stopPropagation();
        }}
      >
        {shownName(entry.name)}
      </Link>
    );
  }
  return (
    <button
      type="button"
      tabIndex={-1}
      title={entry.name}
      className={className}
      onClick={(event) => {
        if (event.shiftKey || event.ctrlKey || event.metaKey || isTouch(event.nativeEvent)) return;
        event.stopPropagation();
        model.actions.open(entry);
      }}
    >
      {shownName(entry.name)}
    </button>
  );
}

function isTouch(event: Event): boolean {
  return 'pointerType' in event && event.pointerType === 'touch';
}
