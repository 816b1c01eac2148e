import { foldName } from '@cairn/model';
import type { FileObject } from '@cairn/protocol';
import { LOCALE } from '../../strings/translator.ts';

export const SORT_ORDERS = [
  'name-up',
  'name-down',
  'size-up',
  'size-down',
  'modified-up',
  'modified-down',
] as const;
export type SortOrder = (typeof SORT_ORDERS)[number];
export type SortColumn = 'name' | 'size' | 'modified';

const collator = new Intl.Collator(LOCALE, { numeric: true, sensitivity: 'base' });

export function columnOf(order: SortOrder): SortColumn {
  return order.slice(0, order.indexOf('-')) as SortColumn;
}

export function isDescending(order: SortOrder): boolean {
  return order.endsWith('down');
}

/** What a click on a column's heading makes of the order: largest and newest first, names from A. */
export function nextOrder(order: SortOrder, column: SortColumn): SortOrder {
  if (columnOf(order) === column) return `${column}-${isDescending(order) ? 'up' : 'down'}`;
  return column === 'name' ? 'name-up' : `${column}-down`;
}

/** Folders first, then by the order; equal ones by name. A new array. */
export function sortEntries(entries: readonly FileObject[], order: SortOrder): FileObject[] {
  const column = columnOf(order);
  const sign = isDescending(order) ? -1 : 1;
  const byName = (one: FileObject, other: FileObject) => collator.compare(one.name, other.name);
  const byColumn =
    column === 'name'
      ? (one: FileObject, other: FileObject) => sign * byName(one, other)
      : (one: FileObject, other: FileObject) => {
          const difference =
            column === 'size'
              ? (one.sizeBytes ?? -1) - (other.sizeBytes ?? -1)
              : (one.modifiedAtUs ?? 0) - (other.modifiedAtUs ?? 0);
          return difference === 0 ? byName(one, other) : sign * difference;
        };
  const isFolder = ({ kind }: FileObject) => kind === 'folder';
  const folders = entries.filter(isFolder).sort(column === 'name' ? byColumn : byName);
  const others = entries.filter((entry) => !isFolder(entry)).sort(byColumn);
  return [...folders, ...others];
}

/** The form in which names are searched: case and accents make no difference. */
export function searchForm(text: string): string {
  return foldName(text.normalize('NFD').replace(/\p{Mark}/gu, ''));
}

/** The entries whose names contain the text. */
export function filterEntries(entries: readonly FileObject[], text: string): readonly FileObject[] {
  const wanted = searchForm(text.trim());
  if (wanted === '') return entries;
  return entries.filter(({ name }) => searchForm(name).includes(wanted));
}
