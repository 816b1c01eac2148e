import type { FileObject } from '@cairn/protocol';
import { EllipsisVertical } from 'lucide-react';
import { parentPath } from '../../api/paths.ts';
import { FolderLink } from '../../app/folder-link.tsx';
import { Badge } from '../../ui/badge.tsx';
import { classNames } from '../../ui/class-names.ts';
import { formatExact, millisecondsOf } from '../../ui/format.ts';
import { IconButton } from '../../ui/icon-button.tsx';
import { type BrowserModel, elementIdOf } from './browser-model.ts';
import { describeEntry, describeKind, describeModified, describeSize } from './describe-entry.ts';
import { EntryName } from './entry-name.tsx';
import { t } from './strings.ts';
import { Thumbnail } from './thumbnail.tsx';
import { useDropTarget } from './use-drop-target.ts';
import { openMenuAt, useEntryHandlers } from './use-entry-handlers.ts';

export interface FileRowProps {
  readonly model: BrowserModel;
  readonly entry: FileObject;
  readonly index: number;
  readonly narrow: boolean;
  readonly top: number;
  readonly height: number;
}

/** One entry of the list. */
export function FileRow({ model, entry, index, narrow, top, height }: FileRowProps) {
  const handlers = useEntryHandlers(model, entry);
  const drop = useDropTarget(entry.kind === 'folder' ? entry : null, model.dropInto);
  const isSelected = model.selection.selected.has(entry.entryId);
  const isActive = model.selection.active === entry.entryId;
  const selecting = model.selection.selected.size > 0;
  return (
    <div
      role="row"
      id={elementIdOf(entry.entryId)}
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      data-entry-id={entry.entryId}
      data-active={isActive || undefined}
      {...handlers}
      {...drop.handlers}
      style={{ transform: `translateY(${top}px)`, height }}
      className={classNames(
        'group/row absolute inset-x-0 top-0 flex cursor-default select-none items-center gap-3 px-3 sm:px-4',
        'after:absolute after:inset-x-4 after:bottom-0 after:h-px after:bg-line',
        isSelected ? 'bg-accent-soft' : 'hover:bg-hover',
        isActive &&
          'group-focus-visible/grid:outline-2 group-focus-visible/grid:-outline-offset-2 outline-focus',
        drop.isOver && 'bg-accent-soft outline-2 outline-accent -outline-offset-2',
        model.cutIds.has(entry.entryId) && 'opacity-50',
      )}
    >
      <div role="gridcell" className={classNames('flex items-center', narrow && !selecting && 'hidden')}>
        <input
          type="checkbox"
          tabIndex={-1}
          aria-label={t('selectEntry', { name: entry.name })}
          checked={isSelected}
          onChange={() => model.dispatch({ type: 'toggle', id: entry.entryId })}
          onClick={(event) => event.stopPropagation()}
          onDoubleClick={(event) => event.stopPropagation()}
          className={classNames(
            'size-4 accent-accent transition-opacity',
            !selecting && 'opacity-0 group-hover/row:opacity-100 focus-visible:opacity-100',
          )}
        />
      </div>
      <div role="gridcell" className="flex min-w-0 flex-1 items-center gap-3">
        <span className="flex size-8 shrink-0 items-center justify-center">
          <Thumbnail
            entry={entry}
            imageClassName="size-8 rounded-md border border-line object-cover"
            iconClassName="size-6"
          />
        </span>
        <div className="flex min-w-0 flex-1 flex-col">
          <div className="flex min-w-0 items-center gap-2">
            <EntryName
              model={model}
              entry={entry}
              className="min-w-0 truncate text-left underline-offset-2 hover:underline pointer-coarse:no-underline"
            />
            {entry.conflictOf !== undefined && <Badge tone="warn">{t('conflictCopy')}</Badge>}
          </div>
          {narrow && (
            <span className="truncate text-quiet text-sm">
              {model.showsPlaces ? parentPath(entry.path) : describeEntry(entry)}
            </span>
          )}
        </div>
      </div>
      {!narrow && model.showsPlaces && (
        <div role="gridcell" className="w-56 truncate text-quiet text-sm">
          <FolderLink path={parentPath(entry.path)} className="underline-offset-2 hover:underline">
            {parentPath(entry.path) === '/' ? t('root') : parentPath(entry.path)}
          </FolderLink>
        </div>
      )}
      {!narrow && (
        <>
          <div
            role="gridcell"
            className="w-32 text-quiet text-sm"
            title={
              entry.modifiedAtUs === undefined ? undefined : formatExact(millisecondsOf(entry.modifiedAtUs))
            }
          >
            {describeModified(entry)}
          </div>
          <div
            role="gridcell"
            className="w-24 text-right text-quiet text-sm tabular-nums"
            title={describeKind(entry)}
          >
            {describeSize(entry)}
          </div>
        </>
      )}
      <div role="gridcell" className="-mr-2 flex w-9 justify-end">
        <IconButton
          icon={EllipsisVertical}
          small
          noTooltip
          tabIndex={-1}
          aria-haspopup="menu"
          label={t('menuOf', { name: entry.name })}
          className="opacity-0 group-hover/row:opacity-100 focus-visible:opacity-100 pointer-coarse:opacity-100"
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
