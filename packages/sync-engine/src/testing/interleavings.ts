import { createSimulatedEnvironment, type SimulatedEnvironment } from '@cairn/environment';
import type { MemoryUser } from '@cairn/filesystem';
import { pump } from './history.ts';
import { createTestWorld, type TestDevice } from './world.ts';

/** What two users did while their daemons were stopped. */
export interface Deeds {
  /** What both have before: a folder where the path ends in `/`, else a file that holds its path. */
  readonly base: readonly string[];
  readonly first: (user: MemoryUser) => void;
  readonly second: (user: MemoryUser) => void;
}

/** One of the ways in which two devices can get in each other's way. */
export interface Interleaving {
  /** Whose request the server takes next, bit by bit from the lowest; those after `turns` as they come. */
  readonly order: number;
  readonly turns: number;
  /** The process of the first device ends at this call to its disk, and starts again. */
  readonly killedAt?: number;
  /** The first device does not hear the answer to this commit. */
  readonly lostAnswer?: number;
}

export interface End {
  /** Paths of files with what they hold, and of folders, as both devices have them. */
  readonly tree: readonly string[];
  /** Calls to the first device's disk until all was quiet. */
  readonly calls: number;
}

/** How long a device may need to come to its next request before the other one goes first all the same. */
const PATIENCE_ROUNDS = 40;

export function describeUser(user: MemoryUser): string[] {
  const lines = user.walk().map(({ path, bytes }) => {
    return bytes === null ? `${path}/` : `${path} = ${new TextDecoder().decode(bytes)}`;
  });
  return lines.sort();
}

/** Plays deeds in one interleaving, until both devices are equal. The same arguments give the same end. */
export async function playInterleaving(deeds: Deeds, interleaving: Interleaving): Promise<End> {
  const simulated = createSimulatedEnvironment({ seed: 1 });
  // Like the system's, the wall clock has whole milliseconds.
  const clock = { ...simulated.clock, now: () => Math.floor(simulated.clock.now()) };
  const environment = { ...simulated, clock };
  const world = await createTestWorld({ environment });
  try {
    const devices = [await world.addDevice('A'), await world.addDevice('B')] as const;
    for (const path of deeds.base) {
      if (path.endsWith('/')) devices[0].disk.user.makeFolder(path.slice(0, -1));
      else devices[0].disk.user.writeFile(path, path);
    }
    for (const device of devices) device.start();
    await settle(environment, devices, () => world.sequence());
    for (const device of devices) await pump(environment, device.stop());
    deeds.first(devices[0].disk.user);
    deeds.second(devices[1].disk.user);
    const calls = await meet(environment, devices, interleaving);
    await settle(environment, devices, () => world.sequence());
    return { tree: describeUser(devices[0].disk.user), calls };
  } finally {
    await pump(environment, world.close());
  }
}

async function meet(
  environment: SimulatedEnvironment,
  devices: readonly [TestDevice, TestDevice],
  { order, turns, killedAt, lostAnswer }: Interleaving,
): Promise<number> {
  const waiting = new Map<TestDevice, (() => void)[]>(devices.map((device) => [device, []]));
  for (const device of devices) {
    device.network.gate = () => new Promise((resolve) => waiting.get(device)?.push(resolve));
  }
  const [first] = devices;
  let calls = 0;
  let isDoomed = false;
  first.disk.setFaults(() => {
    if (++calls === killedAt) {
      first.disk.restart();
      isDoomed = true;
    }
    return null;
  });
  if (lostAnswer !== undefined) {
    first.network.lostAnswers = 1;
    first.network.answersBeforeLost = lostAnswer;
  }
  const pass = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    if (isDoomed) {
      isDoomed = false;
      for (const release of waiting.get(first)?.splice(0) ?? []) release();
      await pump(environment, first.kill());
      first.start();
    }
    const due = environment.untilNextTimerMs();
    if (due !== null && due < 1000) await environment.advance(due);
  };
  for (const device of devices) device.start();
  for (let turn = 0; turn < turns; turn++) {
    const wanted = devices[(order >> turn) & 1] as TestDevice;
    const other = devices[1 - ((order >> turn) & 1)] as TestDevice;
    for (let round = 0; round < PATIENCE_ROUNDS && waiting.get(wanted)?.length === 0; round++) await pass();
    const release = waiting.get(wanted)?.shift() ?? waiting.get(other)?.shift();
    release?.();
  }
  for (const device of devices) {
    device.network.gate = null;
    for (const release of waiting.get(device) ?? []) release();
  }
  for (let round = 0; round < PATIENCE_ROUNDS; round++) await pass();
  return calls;
}

async function settle(
  environment: SimulatedEnvironment,
  devices: readonly TestDevice[],
  sequence: () => Promise<number>,
): Promise<void> {
  for (let round = 0; round < 4000; round++) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = await sequence();
    const isQuiet = devices.every(({ engine, running }) => {
      const status = engine.status();
      return running && status.state === 'in-sync' && status.sequence === now;
    });
    const [one, other] = devices.map(({ disk }) => describeUser(disk.user).join('\n'));
    if (isQuiet && one === other) return;
    const due = environment.untilNextTimerMs();
    if (due !== null) await environment.advance(due);
  }
  const states = devices.map(({ name, engine, disk, failure }) =>
    [name, JSON.stringify(engine.status()), String(failure), ...describeUser(disk.user)].join('\n'),
  );
  throw new Error(`the devices do not come to rest\n${states.join('\n')}`);
}
