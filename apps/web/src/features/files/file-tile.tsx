import type { FileObject } from '@cairn/protocol';
import { EllipsisVertical } from 'lucide-react';
import { parentPath } from '../../api/paths.ts';
import { classNames } from '../../ui/class-names.ts';
import { IconButton } from '../../ui/icon-button.tsx';
import { type BrowserModel, elementIdOf } from './browser-model.ts';
import { describeEntry } from './describe-entry.ts';
import { EntryName } from './entry-name.tsx';
import { t } from './strings.ts';
import { Thumbnail } from './thumbnail.tsx';
import { useDropTarget } from './use-drop-target.ts';
import { openMenuAt, useEntryHandlers } from './use-entry-handlers.ts';

/** One entry of the grid. */
export function FileTile({ model, entry }: { readonly model: BrowserModel; readonly entry: FileObject }) {
  const handlers = useEntryHandlers(model, entry);
  const drop = useDropTarget(entry.kind === 'folder' ? entry : null, model.dropInto);
  const isSelected = model.selection.selected.has(entry.entryId);
  const isActive = model.selection.active === entry.entryId;
  const selecting = model.selection.selected.size > 0;
  return (
    <div
      role="gridcell"
      id={elementIdOf(entry.entryId)}
      aria-selected={isSelected}
      data-entry-id={entry.entryId}
      data-active={isActive || undefined}
      {...handlers}
      {...drop.handlers}
      className={classNames(
        'group/row relative flex min-h-0 min-w-0 cursor-default select-none flex-col rounded-xl border p-2',
        isSelected ? 'border-accent bg-accent-soft' : 'border-line bg-surface hover:border-line-strong',
        isActive &&
          'group-focus-visible/grid:outline-2 group-focus-visible/grid:outline-offset-1 outline-focus',
        drop.isOver && 'border-accent bg-accent-soft',
        model.cutIds.has(entry.entryId) && 'opacity-50',
      )}
    >
      <input
        type="checkbox"
        tabIndex={-1}
        aria-label={t('selectEntry', { name: entry.name })}
        checked={isSelected}
        onChange={() => model.dispatch({ type: 'toggle', id: entry.entryId })}
        onClick={(event) => event.stopPropagation()}
        onDoubleClick={(event) => event.stopPropagation()}
        className={classNames(
          'absolute top-3.5 left-3.5 z-10 size-4 accent-accent',
          !selecting && 'opacity-0 group-hover/row:opacity-100 focus-visible:opacity-100',
        )}
      />
      <div className="flex min-h-0 flex-1 items-center justify-center overflow-hidden rounded-lg bg-sunken">
        <Thumbnail entry={entry} imageClassName="size-full object-cover" iconClassName="size-12" />
      </div>
      <div className="flex items-center gap-1 pt-1.5 pl-1">
        <div className="min-w-0 flex-1">
          <EntryName
            model={model}
            entry={entry}
            className="block max-w-full truncate text-left text-sm underline-offset-2 hover:underline pointer-coarse:no-underline"
          />
          <div className="truncate text-quiet text-xs">
            {model.showsPlaces ? parentPath(entry.path) : describeEntry(entry)}
          </div>
        </div>
        <IconButton
          icon={EllipsisVertical}
          small
          noTooltip
          tabIndex={-1}
          aria-haspopup="menu"
          label={t('menuOf', { name: entry.name })}
          className="-mr-1 opacity-0 group-hover/row:opacity-100 focus-visible:opacity-100 pointer-coarse:opacity-100"
          onPointerDown={(event) => event.stopPropagation()}
          onClick={(event) => {
            event.stopPropagation();
            openMenuAt(event.currentTarget);
          }}
          onDoubleClick={(event) => event.stopPropagation()}
        />
      </div>
    </div>
  );
}
