import { ArrowDown, ArrowUp } from 'lucide-react';
import { classNames } from '../../ui/class-names.ts';
import type { BrowserModel } from './browser-model.ts';
import { columnOf, isDescending, nextOrder, type SortColumn, type SortOrder } from './sort-entries.ts';
import { t } from './strings.ts';

export interface ListHeaderProps {
  readonly model: BrowserModel;
  readonly order: SortOrder | null;
  readonly onOrder: (order: SortOrder) => void;
}

/** The headings of the list; a click sorts. Results of a search come in the server's order. */
export function ListHeader({ model, order, onOrder }: ListHeaderProps) {
  const { selection, ids, dispatch } = model;
  const all = ids.length > 0 && selection.selected.size === ids.length;
  function heading(column: SortColumn, label: string, className: string) {
    const isSorted = order !== null && columnOf(order) === column;
    const Arrow = order !== null && isDescending(order) ? ArrowDown : ArrowUp;
    return (
      <div
        role="columnheader"
        aria-sort={!isSorted ? undefined : isDescending(order) ? 'descending' : 'ascending'}
        className={className}
      >
        {order === null ? (
          label
        ) : (
          <button
            type="button"
            tabIndex={-1}
            title={t('sortBy', { column: label })}
            onClick={() => onOrder(nextOrder(order, column))}
            className="inline-flex items-center gap-1 rounded hover:text-ink"
          >
            {label}
            {isSorted && <Arrow aria-hidden className="size-3.5" />}
          </button>
        )}
      </div>
    );
  }
  return (
    <div role="rowgroup" className="sticky top-0 z-20 bg-ground">
      <div
        role="row"
        aria-rowindex={1}
        className="flex h-9 items-center gap-3 border-line border-b px-4 text-quiet text-sm"
      >
        <div role="columnheader" aria-label={t('selectAll')} className="flex items-center">
          <input
            type="checkbox"
            tabIndex={-1}
            aria-label={t('selectAll')}
            checked={all}
            ref={(element) => {
              if (element !== null) element.indeterminate = !all && selection.selected.size > 0;
            }}
            onChange={() => dispatch(all ? { type: 'clear' } : { type: 'all', ids })}
            className={classNames(
              'size-4 accent-accent',
              selection.selected.size === 0 && 'opacity-40 hover:opacity-100',
            )}
          />
        </div>
        {heading('name', t('name'), 'min-w-0 flex-1')}
        {model.showsPlaces && (
          <div role="columnheader" className="w-56">
            {t('place')}
          </div>
        )}
        {heading('modified', t('modified'), 'w-32')}
        {heading('size', t('size'), 'w-24 text-right')}
        <div role="columnheader" className="-mr-2 w-9">
          <span className="sr-only">{t('detailsShort')}</span>
        </div>
      </div>
    </div>
  );
}
