import { SkeletonRows } from '../../ui/states.tsx';
import { usePageList } from '../../ui/use-page-list.ts';
import { t } from './strings.ts';
import type { TrashItem } from './trash-data.ts';
import { TrashRow } from './trash-row.tsx';

const ROW_PX = 64;

export interface TrashListProps {
  readonly items: readonly TrashItem[];
  readonly selected: ReadonlySet<string>;
  readonly busy: ReadonlySet<string>;
  readonly isOffline: boolean;
  readonly isLoadingMore: boolean;
  readonly onEnd: () => void;
  readonly onSelect: (item: TrashItem, isSelected: boolean) => void;
  readonly onRestore: (item: TrashItem) => void;
  readonly onPurge: (item: TrashItem) => void;
}

export function TrashList(props: TrashListProps) {
  const { items } = props;
  const { listRef, virtualizer, offsetPx } = usePageList({
    count: items.length,
    estimatePx: ROW_PX,
    keyOf: (index) => items[index]?.entryId ?? String(index),
    onEnd: props.onEnd,
  });
  return (
    <div className="overflow-hidden rounded-b-xl border-line border-x border-b bg-surface">
      <ul
        ref={listRef}
        aria-label={t('listLabel')}
        className="relative"
        style={{ height: virtualizer.getTotalSize() }}
      >
        {virtualizer.getVirtualItems().map(({ index, key, start }) => {
          const item = items[index];
          if (item === undefined) return null;
          return (
            <li
              key={key}
              data-index={index}
              ref={virtualizer.measureElement}
              aria-posinset={index + 1}
              aria-setsize={items.length}
              className="absolute inset-x-0 top-0"
              style={{ transform: `translateY(${start - offsetPx}px)` }}
            >
              <TrashRow
                item={item}
                isSelected={props.selected.has(item.entryId)}
                isBusy={props.busy.has(item.entryId)}
                isOffline={props.isOffline}
                onSelect={(isSelected) => props.onSelect(item, isSelected)}
                onRestore={() => props.onRestore(item)}
                onPurge={() => props.onPurge(item)}
              />
            </li>
          );
        })}
      </ul>
      {props.isLoadingMore && <SkeletonRows count={3} />}
    </div>
  );
}
