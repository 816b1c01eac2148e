import { createDraw, type Draw, deriveSeed } from '../random.ts';
import type { DeviceShape } from '../world/device.ts';
import { drawDiskVariant } from '../world/disk-variants.ts';
import { DEVICE_NAMES } from '../world/template.ts';

/** What can happen in a history. Each is drawn out in detail by the step's own number. */
export const DEEDS = [
  'act',
  'act-slowly',
  'save-slowly',
  'collide',
  'ambush',
  'ambush-kill',
  'network',
  'network-faults',
  'lose-commit-answer',
  'disk-faults',
  'disk-full',
  'unmount',
  'watcher',
  'refresh',
  'pause',
  'stop-or-start',
  'kill',
  'power-cut',
  'lose-database',
  'clone',
  'keep-database',
  'restore-database',
  'server-restart',
  'server-kill-in-commit',
  'server-back-up',
  'server-restore',
  'server-epoch',
  'server-forgets-leases',
  'clock',
  'year',
  'decide-deletes',
] as const;
export type Deed = (typeof DEEDS)[number];

/** One thing that happens. Plain data: leaving one out leaves the others as they are. */
export interface Step {
  /** After the step before it. */
  readonly afterMs: number;
  readonly deed: Deed;
  /** Index into the script's devices. */
  readonly device: number;
  /** Seed of what is drawn in it. */
  readonly draw: number;
}

/** A whole history, made from its seed and nothing else; shrinking makes smaller ones. */
export interface Script {
  readonly seed: number;
  readonly devices: readonly DeviceShape[];
  /** Only these devices' users do anything. */
  readonly writers: readonly number[];
  readonly ignores: boolean;
  readonly largePercent: number;
  /** Two folders are there first, so that there is something to move into. */
  readonly foldersFirst: boolean;
  /** Things that the first user does before any device starts. */
  readonly before: readonly number[];
  readonly steps: readonly Step[];
  /** What users do one after the other when all is well again: everything must then be exactly as they want it. */
  readonly calm: readonly Step[];
}

type Weights = readonly (readonly [Deed, number])[];

export function writeScript(seed: number): Script {
  const shape = createDraw(deriveSeed(seed, 'shape'));
  const count = shape.chance(30) ? 3 : 2;
  const streams = createDraw(deriveSeed(seed, 'streams')).chance(25);
  const brakes = shape.chance(12);
  const plain = shape.chance(35);
  const clocks = shape.chance(25);
  const devices = DEVICE_NAMES.slice(0, count).map(
    (name): DeviceShape => ({
      name,
      disk: plain ? 'precise' : drawDiskVariant(shape),
      slowPercent: shape.chance(35) ? shape.pick([2, 10, 30]) : 0,
      latencyMs: shape.pick([
        [0, 1],
        [1, 20],
        [5, 60],
        [50, 400],
      ] as const),
      clockOffsetMs: clocks ? shape.pick([-3_600_000, -5_000, 3_000, 86_400_000]) : 0,
      capacityBytes: shape.chance(8) ? 400 + shape.below(2000) : null,
      cloneOf: null,
      brake: brakes ? { count: 2, share: 0.2 } : { count: 100_000, share: 1 },
      streams,
    }),
  );
  const copied = shape.below(count);
  const copy = shape.chance(12) ? devices[copied] : undefined;
  if (copy !== undefined) devices.push({ ...copy, name: `${copy.name} again`, cloneOf: copied });
  const mixed = {
    faults: shape.chance(40),
    disks: shape.chance(35),
    processes: shape.chance(55),
    servers: shape.chance(30),
    restores: shape.chance(22),
    races: shape.chance(50),
    times: shape.chance(12),
  };
  const users = createDraw(deriveSeed(seed, 'users'));
  const schedule = createDraw(deriveSeed(seed, 'schedule'));
  const writers = shape.chance(25) ? [0] : [...Array(count).keys()];
  const weights = weigh({ ...mixed, collisions: writers.length > 1, copies: copy !== undefined }, brakes);
  const steps: Step[] = [];
  for (let left = 6 + schedule.below(26); left > 0; left--) {
    const deed = drawDeed(schedule, weights);
    steps.push({
      afterMs: schedule.chance(50) ? schedule.below(60) : schedule.below(1200),
      deed,
      device: isUsers(deed)
        ? schedule.pick(writers)
        : deed === 'clone'
          ? copied
          : schedule.below(devices.length),
      draw: users.word(),
    });
  }
  const before: number[] = [];
  for (let left = shape.below(8); left > 0; left--) before.push(users.word());
  const calm: Step[] = [];
  for (let left = shape.below(4); left > 0; left--)
    calm.push({ afterMs: 0, deed: 'act', device: schedule.below(devices.length), draw: users.word() });
  return {
    seed,
    devices,
    writers,
    ignores: shape.chance(10),
    largePercent: shape.chance(10) ? 30 : 0,
    foldersFirst: shape.chance(40),
    before,
    steps,
    calm,
  };
}

function isUsers(deed: Deed): boolean {
  return deed === 'act' || deed === 'ambush' || deed === 'act-slowly' || deed === 'save-slowly';
}

function weigh(
  mixed: Readonly<
    Record<
      'faults' | 'disks' | 'processes' | 'servers' | 'restores' | 'races' | 'times' | 'collisions' | 'copies',
      boolean
    >
  >,
  brakes: boolean,
): Weights {
  const when = (condition: boolean, weight: number): number => (condition ? weight : 0);
  return [
    ['act', 52],
    ['act-slowly', 4],
    ['save-slowly', 4],
    ['collide', when(mixed.collisions, 8)],
    ['network', 8],
    ['refresh', 3],
    ['watcher', 2],
    ['pause', 1],
    ['lose-commit-answer', 4],
    ['ambush', when(mixed.races, 12)],
    ['ambush-kill', when(mixed.races && mixed.processes, 3)],
    ['network-faults', when(mixed.faults, 10)],
    ['disk-faults', when(mixed.disks, 8)],
    ['disk-full', when(mixed.disks, 2)],
    ['unmount', when(mixed.disks, 3)],
    ['stop-or-start', when(mixed.processes, 5)],
    ['kill', when(mixed.processes, 4)],
    ['power-cut', when(mixed.processes, 4)],
    ['lose-database', when(mixed.processes, 1)],
    ['clone', when(mixed.copies, 8)],
    ['keep-database', when(mixed.processes, 2)],
    ['restore-database', when(mixed.processes, 2)],
    ['server-restart', when(mixed.servers, 4)],
    ['server-kill-in-commit', when(mixed.servers, 3)],
    ['server-back-up', when(mixed.restores, 5)],
    ['server-restore', when(mixed.restores, 4)],
    ['server-epoch', when(mixed.restores, 1)],
    ['server-forgets-leases', when(mixed.times, 3)],
    ['clock', when(mixed.times, 4)],
    ['year', when(mixed.times, 3)],
    ['decide-deletes', when(brakes, 6)],
  ];
}

function drawDeed(draw: Draw, weights: Weights): Deed {
  let roll = draw.below(weights.reduce((sum, [, weight]) => sum + weight, 0));
  for (const [deed, weight] of weights) {
    roll -= weight;
    if (roll < 0) return deed;
  }
  return 'act';
}
