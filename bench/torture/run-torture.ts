import { cpSync, lstatSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CairnProgram } from '../world/cairn-program.ts';
import { createSeededRandom, writeRandomFile } from '../world/seeded-random.ts';
import { writeSmallFiles } from '../world/small-files.ts';
import { compareTrees, readTree, type TreeListing, walk } from '../world/trees.ts';
import {
  confirmHeld,
  type Device,
  describeStatus,
  readStatus,
  startWorld,
  type World,
} from '../world/two-device-world.ts';
import { type KeptElsewhere, Ledger } from './ledger.ts';
import { createUser, editLargeFile, type User } from './user.ts';

export interface TortureOptions {
  readonly seed: string;
  readonly kills: number;
  /** Shortest and longest time between two kills. */
  readonly gapMs: readonly [number, number];
  readonly smallFiles: number;
  readonly largeBytes: number;
  /** A folder to take along as it is; `null`: none. */
  readonly existingFolder: string | null;
  readonly settleTimeoutMs: number;
  /** Whether a new device must get the same from the server at the end. */
  readonly checksNewDevice: boolean;
  report(line: string): void;
}

export interface TortureResult {
  readonly kills: Readonly<Record<'server' | 'a' | 'b', number>>;
  readonly actions: number;
  readonly contents: number;
  readonly items: number;
  readonly conflictCopies: number;
  readonly elsewhere: KeptElsewhere;
  readonly tortureSeconds: number;
  readonly settleSeconds: number;
  /** What is wrong, one line each; empty when all is well. */
  readonly failures: readonly string[];
}

const MIN_ACTION_GAP_MS = 15;
const MAX_ACTION_GAP_MS = 150;
/** How often a program is killed again before it says that it is ready. */
const KILLED_EARLY = 0.25;
const EDITED_WHILE_DOWN = 0.5;
const SETTLE_POLL_MS = 500;
/** Both say "in sync" and the trees differ: looked at again so often before it counts. */
const MAX_DIFFERENT_LOOKS = 6;

/** Works on both devices while the server and both daemons are killed again and again; then all must be well. */
export async function runTorture(
  work: string,
  options: TortureOptions,
  defer: (step: () => Promise<void>) => void,
): Promise<TortureResult> {
  const { seed, report } = options;
  const random = createSeededRandom(seed);
  const ledger = new Ledger();
  const stage = join(work, 'stage');
  mkdirSync(stage);
  const bulkFiles = prepareBulk(stage, options, ledger);
  const world = await startWorld(work);
  defer(() => world.stop());
  const { deviceA, deviceB } = world;

  const userOf = (device: Device) =>
    createUser({
      name: `user-${device.name}`,
      root: device.folder,
      stage,
      random: createSeededRandom(`${seed} ${device.name}`),
      ledger,
      bulkFiles,
    });
  const sides = {
    a: { device: deviceA, user: userOf(deviceA), program: deviceA.daemon },
    b: { device: deviceB, user: userOf(deviceB), program: deviceB.daemon },
  };
  const kills = { server: 0, a: 0, b: 0 };
  let actions = 0;
  function act(user: User): void {
    if (user.act() !== null) actions++;
  }

  const startMs = performance.now();
  for (const name of ['small', 'existing'])
    if (exists(join(stage, name))) renameSync(join(stage, name), join(deviceA.folder, name));
  const largePath = 'large.bin';
  if (exists(join(stage, largePath))) renameSync(join(stage, largePath), join(deviceB.folder, largePath));

  const largeEdits = new Set([Math.ceil(options.kills / 3), Math.ceil((2 * options.kills) / 3)]);
  for (let kill = 1; kill <= options.kills; kill++) {
    const untilMs = performance.now() + random.integer(...options.gapMs);
    do {
      act(random.pick([sides.a, sides.b]).user);
      await sleep(random.integer(MIN_ACTION_GAP_MS, MAX_ACTION_GAP_MS));
    } while (performance.now() < untilMs);

    // The first three meet each of them; then chance decides.
    const victim = kill <= 3 ? (['a', 'server', 'b'] as const)[kill - 1] : undefined;
    const name = victim ?? random.pick(['server', 'a', 'b'] as const);
    const program = name === 'server' ? world.server : sides[name].program;
    checkEnds(world);
    await program.kill();
    kills[name]++;
    if (random.chance(EDITED_WHILE_DOWN)) {
      for (let count = random.integer(1, 4); count > 0; count--) {
        act(name === 'server' ? random.pick([sides.a, sides.b]).user : sides[name].user);
      }
    }
    if (largeEdits.has(kill) && options.largeBytes > 0) {
      const { device } = random.pick([sides.a, sides.b]);
      const path = join(device.folder, largePath);
      if (exists(path)) editLargeFile({ path, stage, by: `user-${device.name}`, ledger });
    }
    program.launch();
    const early = random.chance(KILLED_EARLY);
    if (!early) await program.waitUntilReady();
    report(
      `${kill}/${options.kills}: killed ${program.name}${early ? ', may be killed while it starts' : ''}`,
    );
  }
  const tortureSeconds = (performance.now() - startMs) / 1000;

  const devices = [deviceA, deviceB];
  const settleMs = performance.now();
  const failures: string[] = [];
  let live: TreeListing = new Map();
  try {
    await Promise.all([world.server, deviceA.daemon, deviceB.daemon].map((each) => each.waitUntilReady()));
    report('waiting until both devices are equal');
    live = await settle(world, devices, options, failures);
    if (options.checksNewDevice && failures.length === 0) {
      const deviceC = await world.addDevice('c');
      devices.push(deviceC);
      await settle(world, [deviceA, deviceC], options, failures);
    }
  } catch (error) {
    failures.push((error as Error).message);
  }
  const settleSeconds = (performance.now() - settleMs) / 1000;
  failures.push(...allEnds(world));

  await world.stop();
  if (live.size === 0) live = readTree(deviceA.folder);
  const elsewhere = ledger.findMissing(
    live,
    world.serverData,
    devices.map(({ folder }) => folder),
  );
  failures.push(...elsewhere.lost.map((text) => `lost: ${text}`));
  return {
    kills,
    actions,
    contents: ledger.size,
    items: live.size,
    conflictCopies: [...live.keys()].filter((path) => /[cC]onflict/.test(path)).length,
    elsewhere,
    tortureSeconds,
    settleSeconds,
    failures,
  };
}

/** Makes what is moved in at the start. Returns paths of files that users may edit. */
function prepareBulk(stage: string, options: TortureOptions, ledger: Ledger): string[] {
  const bulkFiles: string[] = [];
  if (options.smallFiles > 0)
    writeSmallFiles(
      join(stage, 'small'),
      options.smallFiles,
      Math.ceil(options.smallFiles / 40),
      options.seed,
    );
  if (options.existingFolder !== null) {
    cpSync(options.existingFolder, join(stage, 'existing'), { recursive: true, verbatimSymlinks: true });
  }
  if (options.largeBytes > 0) writeRandomFile(join(stage, 'large.bin'), options.largeBytes, options.seed);
  ledger.wroteFolder(stage, 'the start');
  for (const { path, entry } of walk(stage)) if (entry.isFile() && path !== 'large.bin') bulkFiles.push(path);
  return bulkFiles;
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function programs(world: World): CairnProgram[] {
  return [world.server, world.deviceA.daemon, world.deviceB.daemon];
}

function allEnds(world: World): string[] {
  return programs(world).flatMap((program) => program.unexpectedEnds);
}

function checkEnds(world: World): void {
  const [end] = allEnds(world);
  if (end !== undefined) throw new Error(end);
}

/** Waits until the devices say that they are in sync and their trees are equal; what stays different fails. */
async function settle(
  world: World,
  devices: readonly Device[],
  options: TortureOptions,
  failures: string[],
): Promise<TreeListing> {
  const deadline = performance.now() + options.settleTimeoutMs;
  let differentLooks = 0;
  for (;;) {
    checkEnds(world);
    const statuses = [];
    for (const device of devices) statuses.push({ device, status: await readStatus(device) });
    for (const { device, status } of statuses) {
      if (status?.state !== 'held') continue;
      options.report(
        `${device.name} holds ${status.held?.count} of ${status.held?.total} deletes; confirmed`,
      );
      await confirmHeld(device);
    }
    const isQuiet = statuses.every(({ status }) => status?.state === 'in-sync');
    const isLate = performance.now() > deadline;
    if (isQuiet || isLate) {
      const [first, second] = devices.map(({ folder }) => readTree(folder));
      if (first === undefined || second === undefined) throw new Error('two devices are needed');
      const differences = compareTrees(first, second);
      if (isQuiet && differences.length === 0) return first;
      differentLooks++;
      if (isLate || differentLooks >= MAX_DIFFERENT_LOOKS) {
        const states = statuses.map(({ device, status }) => `${device.name}: ${describeStatus(status)}`);
        failures.push(
          isQuiet
            ? `${devices.map(({ name }) => name).join(' and ')} differ though both say that they are in sync`
            : `not in sync after ${options.settleTimeoutMs / 1000} s: ${states.join('; ')}`,
        );
        failures.push(...differences);
        return first;
      }
    }
    await sleep(SETTLE_POLL_MS);
  }
}
