import { describeBytes, describeCount } from '../../two-devices/groups/folders.ts';
import { showMegabytes, type Table } from '../../two-devices/report/table.ts';
import { median } from '../../world/statistics.ts';
import type { CatchUp, Edits, Places, Points, SeriesName, SizePoint, SizeStep } from '../points.ts';

export interface TitledTable {
  readonly series: SeriesName;
  readonly title: string;
  readonly table: Table;
}

/** What each point costs, and beside it what one file, edit or change of it does: a figure that rises is no line. */
export function tabulateGrowth({ files, size, devices, journal }: Points): TitledTable[] {
  const tables: TitledTable[] = [
    {
      series: 'files',
      title: 'With the number of files: A sends what is in its folder, a new device B receives it',
      table: {
        header: [
          'files of ≤ 1 KiB',
          'A sends',
          'CPU A / server, s',
          'CPU for each file',
          'B receives',
          'CPU B / server, s',
          'CPU for each file',
          'peak A / server / B, MB',
        ],
        rows: files.map((point) => [
          describeCount(point.files),
          showSeconds(point.sendSeconds),
          showCpu(point.sendCpuSeconds.device, point.sendCpuSeconds.server),
          showShare(point.sendCpuSeconds.device + point.sendCpuSeconds.server, point.files),
          showSeconds(point.receiveSeconds),
          showCpu(point.receiveCpuSeconds.device, point.receiveCpuSeconds.server),
          showShare(point.receiveCpuSeconds.device + point.receiveCpuSeconds.server, point.files),
          showMemory(point.peakBytes.a, point.peakBytes.server, point.peakBytes.b),
        ]),
      },
    },
    {
      series: 'files',
      title: 'With the number of files: at rest, started again with nothing changed, and one of them edited',
      table: {
        header: [
          'files of ≤ 1 KiB',
          'resident A / server / B, MB',
          'start of A until in sync',
          'CPU, s',
          'CPU for each file',
          'edit until B has it',
          'CPU A / server / B, ms',
        ],
        rows: files.map((point) => [
          describeCount(point.files),
          showMemory(point.residentBytes.a, point.residentBytes.server, point.residentBytes.b),
          showSeconds(median(point.startSeconds)),
          median(point.startCpuSeconds).toFixed(2),
          showShare(median(point.startCpuSeconds), point.files),
          showSamples(point.edits.samplesMs),
          showEditCpu(point.edits),
        ]),
      },
    },
    {
      series: 'size',
      title: 'With the size of a file: a sparse one, with a random MiB at its start, middle and end',
      table: sizeTable(size, ({ arrival }) => arrival),
    },
    {
      series: 'size',
      title: 'With the size of a file: 4 KiB overwritten in its middle',
      table: sizeTable(size, ({ overwrite }) => overwrite),
    },
    {
      series: 'devices',
      title: 'With the number of devices: 1 KiB edited on one until the others have it',
      table: {
        header: [
          'devices',
          'until all have it',
          'until the first has it',
          'CPU of the server for an edit, ms',
          'and device, ms',
          'CPU of the sender / a receiver, ms',
          'resident server / a device, MB',
        ],
        rows: devices.map(({ devices: count, edits, residentBytes }) => [
          String(count),
          showSamples(edits.samplesMs),
          showSamples(edits.firstMs),
          edits.cpuMs.server.toFixed(1),
          (edits.cpuMs.server / (count - 1)).toFixed(2),
          `${edits.cpuMs.sender.toFixed(1)} / ${edits.cpuMs.receiver.toFixed(1)}`,
          showMemory(residentBytes.server, residentBytes.device),
        ]),
      },
    },
    {
      series: 'journal',
      title: `With the length of the journal: changes of ${journal[0]?.files ?? 0} files until a device is in sync`,
      table: {
        header: [
          'changes',
          'one was away',
          'CPU device / server, s',
          'peak, MB',
          'one joins',
          'CPU device / server, s',
          'peak, MB',
          'edit after that',
          'CPU A / server / B, ms',
          'database',
        ],
        rows: journal.map(({ changes, away, joins, edits, databaseBytes }) => [
          describeCount(changes),
          ...catchUpCells(away),
          ...catchUpCells(joins),
          showSamples(edits.samplesMs),
          showEditCpu(edits),
          showMegabytes(databaseBytes / 1e6),
        ]),
      },
    },
  ];
  return tables.filter(({ table }) => table.rows.length > 0);
}

function sizeTable(points: readonly SizePoint[], stepOf: (point: SizePoint) => SizeStep): Table {
  return {
    header: [
      'size',
      'until B has it',
      'CPU server / A / B, s',
      'CPU for each GiB',
      'peak server / A / B, MB',
      'wire, both hops',
      'on disk A / B',
    ],
    rows: points.map((point) => {
      const { seconds, cpuSeconds, peakBytes, wireBytes } = stepOf(point);
      const { server, a, b } = cpuSeconds;
      return [
        describeBytes(point.sizeBytes),
        showSeconds(seconds),
        showCpu(server, a, b),
        `${((server + a + b) / (point.sizeBytes / 1024 ** 3)).toFixed(2)} s`,
        showPlaces(peakBytes),
        wireBytes === null ? '–' : showMegabytes(wireBytes / 1e6),
        `${showMegabytes(point.diskBytes.a / 1e6)} / ${showMegabytes(point.diskBytes.b / 1e6)}`,
      ];
    }),
  };
}

function catchUpCells({ seconds, cpuSeconds, peakBytes }: CatchUp): string[] {
  return [showSeconds(seconds), showCpu(cpuSeconds.device, cpuSeconds.server), showMemory(peakBytes)];
}

function showSeconds(seconds: number): string {
  return seconds < 1 ? `${(seconds * 1000).toFixed(0)} ms` : `${seconds.toFixed(seconds < 100 ? 2 : 0)} s`;
}

function showCpu(...seconds: readonly number[]): string {
  return seconds.map((each) => each.toFixed(each < 100 ? 2 : 0)).join(' / ');
}

/** Of something of which there are many. */
function showShare(seconds: number, count: number): string {
  return `${((seconds * 1e6) / count).toFixed(0)} µs`;
}

function showMemory(...bytes: readonly number[]): string {
  return bytes.map((each) => (each / 1e6).toFixed(0)).join(' / ');
}

function showPlaces({ server, a, b }: Places<number>): string {
  return showMemory(server, a, b);
}

/** `median (min–max) ms` */
function showSamples(samplesMs: readonly number[]): string {
  const [low, high] = [Math.min(...samplesMs), Math.max(...samplesMs)];
  return `${median(samplesMs).toFixed(0)} (${low.toFixed(0)}–${high.toFixed(0)}) ms`;
}

function showEditCpu({ cpuMs }: Edits): string {
  return [cpuMs.sender, cpuMs.server, cpuMs.receiver].map((each) => each.toFixed(1)).join(' / ');
}
