import { formatMarkdown, formatText } from '../../two-devices/report/table.ts';
import type { GrowthRecord } from '../points.ts';
import { drawGrowth } from './plot.ts';
import { tabulateGrowth } from './tables.ts';

export const PLOT_NAME = 'growth.svg';

export interface GrowthReport {
  readonly text: string;
  readonly markdown: string;
  /** SVG; `null` where there is nothing to show. */
  readonly plot: string | null;
}

/** @param plotFolder where the plot is, seen from the Markdown */
export function makeReport(record: GrowthRecord, plotFolder: string): GrowthReport {
  const tables = tabulateGrowth(record);
  const plot = tables.length === 0 ? null : drawGrowth(record);
  const facts = [
    `${record.machine}; ${record.endedAt.slice(0, 10)}; one run of each size.`,
    `Folders: ${record.where.join('; ')}.`,
    `Wire: ${record.wire}.`,
  ];
  const failures = record.failures.map(
    ({ series, size, message }) => `${series} ${size} failed: ${message.replaceAll('\n', ' ')}`,
  );
  const text = [
    facts.join('\n'),
    ...tables.map(({ title, table }) => `${title}\n${formatText(table)}`),
    ...(failures.length === 0 ? [] : [failures.join('\n')]),
  ].join('\n\n');
  const markdown = [
    facts.join(' '),
    ...tables.flatMap(({ title, table }) => [`**${title}**`, formatMarkdown(table)]),
    ...(failures.length === 0 ? [] : [failures.map((failure) => `- ${failure}`).join('\n')]),
    ...(plot === null
      ? []
      : [
          `![Costs beside files, size, devices and journal, on logarithmic axes](${plotFolder}/${PLOT_NAME})`,
        ]),
  ].join('\n\n');
  return { text, markdown, plot };
}
