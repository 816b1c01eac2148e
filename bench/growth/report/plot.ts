import { describeBytes, describeCount } from '../../two-devices/groups/folders.ts';
import { decades, dot, line, logScale, picture, type Tone, text } from '../../two-devices/report/svg.ts';
import { median } from '../../world/statistics.ts';
import type { Points } from '../points.ts';

const WIDTH = 860;
const PANEL_WIDTH = WIDTH / 2;
const PANEL_HEIGHT = 260;
const LEFT = 60;
const RIGHT = 30;
const TOP = 70;
const BOTTOM = 40;
const TONES: readonly Tone[] = ['own', 'bad', 'good'];

interface Curve {
  readonly name: string;
  readonly places: readonly (readonly [size: number, value: number])[];
}

interface Panel {
  readonly title: string;
  readonly curves: readonly Curve[];
  describe(size: number): string;
}

/** A panel for each series, both axes logarithmic: what grows as its cause does is a line of the same steepness. */
export function drawGrowth(points: Points): string {
  const panels = listPanels(points).filter(({ curves }) => curves.some(({ places }) => places.length > 0));
  const parts = panels.flatMap((panel, index) =>
    drawPanel(panel, (index % 2) * PANEL_WIDTH, Math.floor(index / 2) * PANEL_HEIGHT),
  );
  const height = Math.ceil(panels.length / 2) * PANEL_HEIGHT;
  return picture(WIDTH, height, 'How cost grows with files, size, devices and journal', parts);
}

function listPanels({ files, size, devices, journal }: Points): Panel[] {
  return [
    {
      title: 'Files: CPU seconds of device and server',
      describe: describeCount,
      curves: [
        curve('send', files, (each) => [each.files, sum(each.sendCpuSeconds)]),
        curve('receive', files, (each) => [each.files, sum(each.receiveCpuSeconds)]),
        curve('start', files, (each) => [each.files, median(each.startCpuSeconds)]),
      ],
    },
    {
      title: 'Size of a sparse file: seconds until B has it',
      describe: describeBytes,
      curves: [
        curve('new', size, (each) => [each.sizeBytes, each.arrival.seconds]),
        curve('4 KiB overwritten', size, (each) => [each.sizeBytes, each.overwrite.seconds]),
      ],
    },
    {
      title: 'Devices: milliseconds of an edit',
      describe: describeCount,
      curves: [
        curve('until all have it', devices, (each) => [each.devices, median(each.edits.samplesMs)]),
        curve('CPU of the server', devices, (each) => [each.devices, each.edits.cpuMs.server]),
      ],
    },
    {
      title: 'Changes in the journal: CPU of device and server, s',
      describe: describeCount,
      curves: [
        curve('one was away', journal, (each) => [each.changes, sum(each.away.cpuSeconds)]),
        curve('one joins', journal, (each) => [each.changes, sum(each.joins.cpuSeconds)]),
      ],
    },
  ];
}

function curve<Point>(
  name: string,
  points: readonly Point[],
  place: (point: Point) => readonly [number, number],
): Curve {
  return { name, places: points.map(place).filter(([, value]) => value > 0) };
}

function sum({ server, device }: { readonly server: number; readonly device: number }): number {
  return server + device;
}

function drawPanel({ title, curves, describe }: Panel, left: number, top: number): string[] {
  const places = curves.flatMap((each) => each.places);
  const sizes = [...new Set(places.map(([size]) => size))].sort((one, other) => one - other);
  const ticks = decades(places.map(([, value]) => value));
  const [from, to] = [left + LEFT, left + PANEL_WIDTH - RIGHT];
  const [high, low] = [top + TOP, top + PANEL_HEIGHT - BOTTOM];
  const across = logScale(sizes[0] ?? 1, sizes.at(-1) ?? 10, from, to);
  const upwards = logScale(ticks[0] ?? 1, ticks.at(-1) ?? 10, low, high);
  const parts = [text(left + 16, top + 26, title, { kind: 'title' })];
  for (const tick of ticks) {
    parts.push(line(from, upwards(tick), to, upwards(tick), 'line'));
    parts.push(text(from - 8, upwards(tick) + 4, String(tick), { kind: 'faint', anchor: 'end' }));
  }
  for (const size of sizes)
    parts.push(text(across(size), low + 18, describe(size), { kind: 'faint', anchor: 'middle' }));
  curves.forEach((each, index) => {
    const tone = TONES[index] ?? 'other';
    const labelX = from + index * 120;
    parts.push(dot(labelX, top + 46, 4, tone), text(labelX + 8, top + 50, each.name, { kind: 'faint' }));
    each.places.forEach(([size, value], place) => {
      const before = each.places[place - 1];
      if (before !== undefined)
        parts.push(line(across(before[0]), upwards(before[1]), across(size), upwards(value), 'line'));
      parts.push(dot(across(size), upwards(value), 4, tone));
    });
  });
  return parts;
}
