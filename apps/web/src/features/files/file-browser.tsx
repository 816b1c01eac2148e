import { useVirtualizer } from '@tanstack/react-virtual';
import { type ComponentProps, type Ref, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useIsNarrow, useMedia } from '../../state/use-media.ts';
import { type BrowserModel, elementIdOf } from './browser-model.ts';
import { FileRow } from './file-row.tsx';
import { FileTile } from './file-tile.tsx';
import { ListHeader } from './list-header.tsx';
import type { SortOrder } from './sort-entries.ts';
import { type GridKeysOptions, useGridKeys } from './use-grid-keys.ts';

const ROW_PX = 46;
const NARROW_ROW_PX = 60;
const HEADER_PX = 37;
const TILE_PX = 168;
const NARROW_TILE_PX = 148;
const TILE_ROW_PX = 176;
const GAP_PX = 12;
const END_PX = 72;

export interface FileBrowserProps extends Pick<GridKeysOptions, 'folder' | 'onUp'> {
  readonly model: BrowserModel;
  readonly view: 'list' | 'grid';
  readonly order: SortOrder | null;
  readonly onOrder: (order: SortOrder) => void;
  /** Called when the end comes near, to load more. */
  readonly onNearEnd?: (() => void) | undefined;
}

/** The entries as a list or grid of any length: only what is seen is on the page. */
export function FileBrowser({
  model,
  view,
  order,
  onOrder,
  onNearEnd,
  folder,
  onUp,
  ref: outerRef,
  ...rest
}: FileBrowserProps & Omit<ComponentProps<'div'>, keyof FileBrowserProps>) {
  const scroller = useRef<HTMLDivElement>(null);
  const narrow = useIsNarrow();
  const coarse = useMedia('(pointer: coarse)');
  const width = useWidth(scroller);
  const isGrid = view === 'grid';
  const columns = isGrid
    ? Math.max(2, Math.floor((width - GAP_PX) / ((narrow ? NARROW_TILE_PX : TILE_PX) + GAP_PX)))
    : 1;
  const hasHeader = !isGrid && !narrow;
  const rowPx = isGrid ? TILE_ROW_PX + GAP_PX : narrow || coarse ? NARROW_ROW_PX : ROW_PX;
  const rowCount = Math.ceil(model.entries.length / columns);
  const start = isGrid ? GAP_PX : 0;
  const virtualizer = useVirtualizer({
    count: rowCount,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    overscan: isGrid ? 3 : 10,
    paddingStart: start,
    paddingEnd: END_PX,
    scrollPaddingStart: hasHeader ? HEADER_PX : GAP_PX,
    scrollPaddingEnd: END_PX,
    // Sizes are known, so measuring would only cost.
    useFlushSync: false,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: another height makes all places other
  useLayoutEffect(() => virtualizer.measure(), [rowPx, virtualizer]);
  const rows = virtualizer.getVirtualItems();
  const lastIndex = rows.at(-1)?.index ?? 0;
  useEffect(() => {
    if (lastIndex >= rowCount - 20) onNearEnd?.();
  }, [lastIndex, rowCount, onNearEnd]);

  const onKeyDown = useGridKeys({
    model,
    columns,
    pageRows: () => Math.max(1, Math.floor((scroller.current?.clientHeight ?? rowPx) / rowPx) - 1),
    scrollTo: (index) => virtualizer.scrollToIndex(Math.floor(index / columns)),
    folder,
    onUp,
  });
  const active = model.selection.active;
  const activeIndex = active === null ? -1 : model.ids.indexOf(active);
  const isShown = rows.some(({ index }) => index === Math.floor(activeIndex / columns));

  const wasRenaming = useRef(false);
  useEffect(() => {
    // The field of the name takes the focus with it when it goes; where something else was clicked, it is there.
    if (wasRenaming.current && model.renamingId === null && document.activeElement === document.body) {
      scroller.current?.focus({ preventScroll: true });
    }
    wasRenaming.current = model.renamingId !== null;
  }, [model.renamingId]);

  function refocus(element: HTMLElement): void {
    // Rows come and go while scrolling; the focus stays with the grid.
    if (document.activeElement !== element && model.renamingId === null)
      element.focus({ preventScroll: true });
  }

  return (
    <div
      {...rest}
      role="grid"
      ref={(element) => {
        scroller.current = element;
        setRef(outerRef, element);
      }}
      tabIndex={0}
      aria-label={model.label}
      aria-multiselectable
      aria-rowcount={rowCount + (hasHeader ? 1 : 0)}
      aria-colcount={isGrid ? columns : undefined}
      aria-activedescendant={active !== null && activeIndex >= 0 && isShown ? elementIdOf(active) : undefined}
      onKeyDown={onKeyDown}
      onFocus={(event) => {
        const [first] = model.ids;
        if (event.target === event.currentTarget && activeIndex < 0 && first !== undefined) {
          model.dispatch({ type: 'walk', id: first });
        }
      }}
      onClick={(event) => {
        const isOnEntry =
          (event.target as Element).closest('[data-entry-id], [role="columnheader"]') !== null;
        if (!isOnEntry) model.dispatch({ type: 'clear' });
        else if (!(event.target instanceof HTMLInputElement)) refocus(event.currentTarget);
      }}
      className="group/grid relative h-full overflow-y-auto overflow-x-hidden outline-none"
    >
      {hasHeader && <ListHeader model={model} order={order} onOrder={onOrder} />}
      <div role="rowgroup" className="relative" style={{ height: virtualizer.getTotalSize() }}>
        {rows.map((row) => {
          if (!isGrid) {
            const entry = model.entries[row.index];
            return entry === undefined ? null : (
              <FileRow
                key={entry.entryId}
                model={model}
                entry={entry}
                index={row.index}
                narrow={narrow}
                top={row.start}
                height={row.size}
              />
            );
          }
          const first = row.index * columns;
          const tiles = model.entries.slice(first, first + columns);
          return (
            <div
              key={row.index}
              role="row"
              aria-rowindex={row.index + 1}
              className="absolute inset-x-0 top-0 grid gap-3 px-3"
              style={{
                transform: `translateY(${row.start}px)`,
                height: TILE_ROW_PX,
                gridTemplateRows: 'minmax(0, 1fr)',
                gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
              }}
            >
              {tiles.map((entry) => (
                <FileTile key={entry.entryId} model={model} entry={entry} />
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function setRef(ref: Ref<HTMLDivElement> | undefined, element: HTMLDivElement | null): void {
  if (typeof ref === 'function') ref(element);
  else if (ref !== null && ref !== undefined) ref.current = element;
}

function useWidth(element: { readonly current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const { current } = element;
    if (current === null) return;
    setWidth(current.clientWidth);
    const observer = new ResizeObserver(() => setWidth(current.clientWidth));
    observer.observe(current);
    return () => observer.disconnect();
  }, [element]);
  return width;
}
