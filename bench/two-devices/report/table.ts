import { ROLES } from '../measurement.ts';
import type { Spread, Summary } from './summary.ts';
import type { Target } from './targets.ts';

const NAMES: Readonly<Record<string, string>> = {
  cairn: 'Cairn',
  unison: 'Unison',
  syncthing: 'Syncthing',
  cp: 'floor: cp -r + sync',
  'cp-twice': 'floor: the same twice',
  sha256: 'floor: SHA-256',
  zstd: 'floor: zstd -1',
};

export function nameOf(peer: Summary['peer']): string {
  return NAMES[peer] ?? peer;
}

export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What stands for a figure that there is not. */
const NOTHING = '–';

/** One table for each step, with its title. */
export function tabulate(summaries: readonly Summary[]): { title: string; table: Table; notes: string[] }[] {
  return [...Map.groupBy(summaries, ({ step }) => step).values()].map((own) => {
    const title = own.find(({ peer }) => peer === 'cairn')?.title ?? own[0]?.title ?? '';
    const notes = own.flatMap(({ peer, notes: each }) => each.map((note) => `${nameOf(peer)}: ${note}`));
    const table = own[0]?.step === 'rest' ? tabulateRest(own) : tabulateTimes(own);
    return { title, table: withoutEmptyColumns(table), notes };
  });
}

function tabulateTimes(summaries: readonly Summary[]): Table {
  const hasSamples = summaries[0]?.step === 'latency';
  return {
    header: [
      '',
      'time',
      ...(hasSamples ? ['p95'] : []),
      'Cairn takes',
      'wire, both hops',
      'CPU server / A / B, s',
      'peak server / A / B, MB',
      'A resident after it',
    ],
    rows: summaries.map((summary) => [
      nameOf(summary.peer),
      `${summary.isEstimate ? '≈ ' : ''}${showTime(summary.seconds)}`,
      ...(hasSamples ? [showTime(summary.p95Seconds)] : []),
      showSpread(summary.ratio, (value) => `${precise(value)}×`),
      showSpread(summary.wireMegabytes ?? summary.outputMegabytes, showMegabytes),
      summary.cpuSeconds === null
        ? NOTHING
        : ROLES.map((role) => (summary.cpuSeconds?.[role].median ?? 0).toFixed(2)).join(' / '),
      summary.peakMegabytes === null
        ? NOTHING
        : ROLES.map((role) => (summary.peakMegabytes?.[role].median ?? 0).toFixed(0)).join(' / '),
      showSpread(summary.residentMegabytes, showResident),
    ]),
  };
}

function tabulateRest(summaries: readonly Summary[]): Table {
  return {
    header: ['', 'resident', 'of one CPU'],
    rows: summaries.map(({ peer, residentMegabytes, cpuPercent }) => [
      nameOf(peer),
      showSpread(residentMegabytes, showResident),
      showSpread(cpuPercent, (value) => `${value.toFixed(3)} %`),
    ]),
  };
}

function withoutEmptyColumns({ header, rows }: Table): Table {
  const isKept = (_cell: string, column: number) =>
    column === 0 || rows.some((cells) => cells[column] !== NOTHING);
  return { header: header.filter(isKept), rows: rows.map((cells) => cells.filter(isKept)) };
}

export function tabulateTargets(targets: readonly Target[]): Table {
  return {
    header: ['work', 'target', 'reached', ''],
    rows: targets.map(({ work, demand, reached, share }, index) => [
      work === targets[index - 1]?.work ? '' : work,
      demand,
      reached ?? NOTHING,
      share === null ? 'not measured' : share <= 1 ? 'met' : 'missed',
    ]),
  };
}

export function formatMarkdown({ header, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escapeCell).join(' | ')} |`;
  return [line(header), `|${header.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

/** Columns side by side for a terminal. */
export function formatText({ header, rows }: Table): string {
  const all = [header, ...rows];
  const widths = header.map((_cell, column) => Math.max(...all.map((cells) => (cells[column] ?? '').length)));
  const [head = '', ...lines] = all.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [head, widths.map((width) => '─'.repeat(width)).join('  '), ...lines].join('\n');
}

function escapeCell(cell: string): string {
  return cell.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

/** `median (min–max)`, `–` of nothing. */
export function showSpread(spread: Spread | null, show: (value: number) => string): string {
  if (spread === null) return NOTHING;
  const text = show(spread.median);
  return spread.min === spread.max ? text : `${text} (${show(spread.min)}–${show(spread.max)})`;
}

function showTime(spread: Spread | null): string {
  const isShort = spread !== null && spread.max < 1;
  return showSpread(spread, (seconds) =>
    isShort ? `${precise(seconds * 1000)} ms` : `${seconds.toFixed(2)} s`,
  );
}

export function showMegabytes(megabytes: number): string {
  return megabytes < 1 ? `${precise(megabytes * 1000)} KB` : `${precise(megabytes)} MB`;
}

function showResident(megabytes: number): string {
  return `${megabytes.toFixed(0)} MB`;
}

/** Three digits that count. */
function precise(value: number): string {
  if (value === 0) return '0';
  return value >= 100
    ? value.toFixed(0)
    : value
        .toPrecision(3)
        .replace(/(\.\d*?)0+$/, '$1')
        .replace(/\.$/, '');
}
