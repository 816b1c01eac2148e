import { stripVTControlCharacters } from 'node:util';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** Lines of a table with a head line; the last column is not padded. Cells must be safe to print already. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const widths = columns.map((column, index) =>
    rows.reduce((widest, row) => Math.max(widest, widthOf(row[index] ?? '')), column.title.length),
  );
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, index) => {
        const cell = cells[index] ?? '';
        const space = ' '.repeat(Math.max(0, (widths[index] ?? 0) - widthOf(cell)));
        if (column.align === 'right') return space + cell;
        return index === columns.length - 1 ? cell : cell + space;
      })
      .join('  ');
  return [line(columns.map((column) => column.title)), ...rows.map(line)];
}

function widthOf(cell: string): number {
  return [...stripVTControlCharacters(cell)].length;
}
