import {
  createSeededRandom,
  createSimulatedEnvironment,
  type SimulatedEnvironment,
} from '@cairn/environment';
import type { MemoryOperation } from '@cairn/filesystem';
import { contentIdOfBytes, readCommittedContents } from './committed-contents.ts';
import { createTestWorld, type TestDevice, type TestWorld } from './world.ts';

/** What a history may contain; its seed decides the rest. */
export interface HistoryOptions {
  readonly seed: number;
  readonly log?: (line: string) => void;
  /** In all folders the last write wins: what loses is among the versions. Then no server comes back from a backup. */
  readonly lastWriteWins?: boolean;
}

export interface HistoryReport {
  readonly steps: number;
  /** How often something interesting happened, by name. */
  readonly states: ReadonlyMap<string, number>;
}

const NAMES = ['a', 'b', 'c', 'd', 'A', 'x.txt', 'y.txt', 'z.txt'];
const MAX_PUMPS = 60_000;
/** An engine that calls its disk so often while no time passes does not rest. */
const MAX_CALLS_AT_ONCE = 20_000;

/** How a history is made, drawn from its seed first so that shortening the steps does not change it. */
interface Shape {
  readonly devices: number;
  readonly steps: number;
  /** Only this device's user does anything. */
  readonly writer: number | null;
  readonly faults: boolean;
  readonly processes: boolean;
  readonly servers: boolean;
  readonly races: boolean;
  readonly lastWriteWins: boolean;
}

/**
 * One random history: users, disks, processes and the network of several devices do what they like, then all is
 * healed, and the devices must become equal without losing a byte that nobody overwrote or deleted. Throws when
 * something does not hold. Two runs of one seed are the same.
 */
export async function runHistory({
  seed,
  log = () => undefined,
  lastWriteWins = false,
}: HistoryOptions): Promise<HistoryReport> {
  const next = createSeededRandom(seed);
  const below = (limit: number) => next() % limit;
  const chance = (percent: number) => below(100) < percent;
  const shape: Shape = {
    devices: chance(35) ? 3 : 2,
    steps: 8 + below(30),
    writer: chance(25) ? 0 : null,
    faults: chance(45),
    processes: chance(55),
    servers: chance(25) && !lastWriteWins,
    races: chance(50),
    lastWriteWins,
  };
  const simulated = createSimulatedEnvironment({ seed: next() });
  // Like the system's, the wall clock has whole milliseconds.
  const clock = { ...simulated.clock, now: () => Math.floor(simulated.clock.now()) };
  const environment = { ...simulated, clock };
  const world = await createTestWorld({
    environment,
    latencyMs: chance(60) ? 1 + below(20) : 0,
    backUps: shape.servers,
  });
  const history = new History(world, environment, shape, below, chance, log);
  try {
    await history.run();
    return { steps: shape.steps, states: history.states };
  } finally {
    history.release();
    await pump(environment, world.close());
  }
}

/** Lets simulated time pass until the promise is settled. */
export async function pump<T>(environment: SimulatedEnvironment, promise: Promise<T>): Promise<T> {
  let settled = false;
  void promise.then(
    () => {
      settled = true;
    },
    () => {
      settled = true;
    },
  );
  for (let rounds = 0; !settled; rounds++) {
    if (rounds > MAX_PUMPS) throw new Error('something waits for ever');
    await new Promise((resolve) => setImmediate(resolve));
    if (settled) break;
    const due = environment.untilNextTimerMs();
    if (due !== null) await environment.advance(due);
  }
  return promise;
}

class History {
  readonly states = new Map<string, number>();
  readonly #world: TestWorld;
  readonly #environment: SimulatedEnvironment;
  readonly #shape: Shape;
  readonly #below: (limit: number) => number;
  readonly #chance: (percent: number) => boolean;
  readonly #log: (line: string) => void;
  readonly #devices: TestDevice[] = [];
  /** Contents that users wrote and that no user overwrote or deleted since. */
  readonly #alive = new Set<string>();
  readonly #dead = new Set<string>();
  #written = 0;
  /** Calls to disks since simulated time last passed, and who made too many. */
  #calls = 0;
  #busy: TestDevice | null = null;
  #hasBackup = false;
  /** Where the journal began. */
  #genesis = '';
  /** Ids or agreements were lost on the way: a file may then be in two places. */
  #unions = false;
  /** A process ended between a commit and its note of it: its own change then looks like somebody else's. */
  #killed = false;
  /** Something to happen in the middle of the engine's next calls to a disk. */
  readonly #ambushes = new Map<TestDevice, { calls: number; act: () => void }>();
  readonly #faults = new Map<TestDevice, (operation: MemoryOperation, path: string) => string | null>();
  readonly #doomed = new Set<TestDevice>();

  constructor(
    world: TestWorld,
    environment: SimulatedEnvironment,
    shape: Shape,
    below: (limit: number) => number,
    chance: (percent: number) => boolean,
    log: (line: string) => void,
  ) {
    this.#world = world;
    this.#environment = environment;
    this.#shape = shape;
    this.#below = below;
    this.#chance = chance;
    this.#log = log;
  }

  release(): void {
    this.#ambushes.clear();
    this.#faults.clear();
    for (const { network } of this.#devices) network.offline = false;
  }

  #count(state: string): void {
    this.states.set(state, (this.states.get(state) ?? 0) + 1);
  }

  async run(): Promise<void> {
    for (let index = 0; index < this.#shape.devices; index++) {
      const device = await this.#world.addDevice(`D${index}`, { brake: { count: 100_000, share: 1 } });
      device.disk.setFaults((operation, path) => this.#onCall(device, operation, path));
      this.#devices.push(device);
    }
    const { data, principal, spaceId } = this.#world;
    const snapshot = await pump(this.#environment, data.spaces.readSnapshot(principal, spaceId, null, 1));
    this.#genesis = snapshot.cursor;
    if (this.#shape.lastWriteWins) {
      const rootId = snapshot.entries[0]?.entryId;
      if (rootId === undefined) throw new Error('the space has no root');
      await pump(
        this.#environment,
        data.files.update(principal, rootId, { conflictPolicy: 'last-write-wins' }),
      );
    }
    const [first] = this.#devices as [TestDevice];
    for (let count = this.#below(8); count > 0; count--) this.#act(first);
    for (const device of this.#devices) device.start();
    await this.#pass(this.#chance(80) ? 600 : 5);
    for (let step = 0; step < this.#shape.steps; step++) {
      await this.#step();
      await this.#pass(this.#chance(50) ? this.#below(60) : this.#below(900));
    }
    const before = this.#devices[0]?.disk.user.describe();
    await this.#heal();
    await this.#check(before ?? []);
  }

  #onCall(device: TestDevice, operation: MemoryOperation, path: string): string | null {
    if (++this.#calls > MAX_CALLS_AT_ONCE && this.#busy === null) {
      this.#busy = device;
      void device.kill();
    }
    const ambush = this.#ambushes.get(device);
    if (ambush !== undefined && --ambush.calls <= 0) {
      this.#ambushes.delete(device);
      ambush.act();
    }
    return this.#faults.get(device)?.(operation, path) ?? null;
  }

  /** Simulated time passes. */
  async #pass(durationMs: number): Promise<void> {
    const until = this.#environment.clock.monotonicMs() + durationMs;
    for (let rounds = 0; rounds < MAX_PUMPS; rounds++) {
      await new Promise((resolve) => setImmediate(resolve));
      this.#calls = 0;
      if (this.#busy !== null)
        throw new Error(`${this.#busy.name} is busy without end:\n${this.#describe()}`);
      for (const device of this.#doomed) {
        this.#doomed.delete(device);
        this.#killed = true;
        this.#log(`${device.name} is killed in the middle of something`);
        await pump(this.#environment, device.kill());
      }
      const left = until - this.#environment.clock.monotonicMs();
      const due = this.#environment.untilNextTimerMs();
      if (due === null || due > left) {
        if (left > 0) await this.#environment.advance(left);
        return;
      }
      await this.#environment.advance(due);
    }
    throw new Error(`an engine is busy without end:\n${this.#describe()}`);
  }

  async #step(): Promise<void> {
    const device = this.#pick(this.#devices);
    const roll = this.#below(100);
    const { faults, processes, servers, races, writer } = this.#shape;
    if (roll < 55) {
      const actor = writer === null ? device : (this.#devices[writer] as TestDevice);
      for (let count = 1 + this.#below(4); count > 0; count--) this.#act(actor);
      return;
    }
    if (roll < 65) {
      device.network.offline = !device.network.offline;
      this.#log(`${device.name} is ${device.network.offline ? 'offline' : 'online'}`);
      return;
    }
    if (roll < 70) {
      device.network.hintsDropped = !device.network.hintsDropped;
      return;
    }
    if (roll < 74) {
      device.network.lostAnswers = 1 + this.#below(2);
      this.#log(`${device.name} loses answers`);
      return;
    }
    if (roll < 76) {
      device.network.missingBlocks = 1;
      return;
    }
    if (roll < 80 && device.running) {
      device.engine.refresh();
      return;
    }
    if (roll < 86) {
      if (races) this.#ambush(device);
      return;
    }
    if (roll < 91) {
      if (faults) this.#toggleFaults(device);
      return;
    }
    if (roll < 97) {
      if (processes) await this.#processes(device);
      return;
    }
    if (servers) await this.#servers();
  }

  #ambush(device: TestDevice): void {
    const { writer } = this.#shape;
    const calls = 1 + this.#below(30);
    if (this.#chance(70)) {
      if (writer !== null && this.#devices[writer] !== device) return;
      this.#ambushes.set(device, {
        calls,
        act: () => {
          this.#log(`(in the middle of work of ${device.name})`);
          this.#act(device);
        },
      });
    } else if (this.#shape.processes) {
      this.#ambushes.set(device, {
        calls,
        act: () => {
          device.disk.restart();
          this.#doomed.add(device);
        },
      });
    }
  }

  #toggleFaults(device: TestDevice): void {
    if (this.#faults.delete(device)) {
      this.#log(`${device.name}'s disk is well again`);
      return;
    }
    const code = this.#pick(['EIO', 'EACCES', 'ENOSPC']);
    const kinds: MemoryOperation[] =
      code === 'ENOSPC'
        ? ['write', 'place', 'makeFolder', 'openTemporary']
        : this.#pick<MemoryOperation[]>([
            ['list'],
            ['status', 'openRead'],
            ['read'],
            ['place', 'move', 'displace', 'removeFolder', 'makeFolder'],
            ['sync', 'syncFolders'],
            [
              'list',
              'status',
              'read',
              'openRead',
              'place',
              'move',
              'displace',
              'makeFolder',
              'setAttributes',
            ],
          ]);
    const share = this.#pick([20, 60, 100]);
    const name = this.#chance(50) ? this.#pick(NAMES) : null;
    this.#log(`${device.name}'s disk fails: ${code} ${kinds.join(',')} ${share}% ${name ?? 'anywhere'}`);
    this.#faults.set(device, (operation, path) => {
      if (!kinds.includes(operation) || (name !== null && !path.split('/').includes(name))) return null;
      return this.#environment.random.fraction() * 100 < share ? code : null;
    });
  }

  async #processes(device: TestDevice): Promise<void> {
    const roll = this.#below(10);
    if (!device.running) {
      if (roll < 2) {
        this.#log(`${device.name} loses its database`);
        device.loseTrees();
        this.#unions = true;
        this.#count('database-lost');
      }
      this.#log(`${device.name} starts`);
      device.start();
      return;
    }
    this.#ambushes.delete(device);
    if (roll < 3) {
      this.#log(`${device.name} stops`);
      // What a failing disk does not take is forgotten as by a kill.
      if (this.#faults.has(device)) this.#killed = true;
      await pump(this.#environment, device.stop());
    } else if (roll < 7) {
      this.#killed = true;
      this.#log(`${device.name} is killed`);
      await pump(this.#environment, device.kill());
    } else {
      this.#killed = true;
      this.#log(`${device.name} loses power`);
      await pump(this.#environment, device.cutPower());
    }
    if (roll % 2 === 0) device.start();
  }

  async #servers(): Promise<void> {
    const roll = this.#below(3);
    if (roll === 0) {
      this.#log('the server gets another epoch');
      await pump(this.#environment, this.#world.renewEpoch());
      this.#unions = true;
      this.#count('epoch-renewed');
      return;
    }
    if (this.#faults.size > 0) this.#killed = true;
    for (const device of this.#devices) if (device.running) await pump(this.#environment, device.stop());
    if (!this.#hasBackup) {
      this.#log('the server is backed up');
      await pump(this.#environment, this.#world.backUp());
      this.#hasBackup = true;
    } else {
      this.#log('the server is restored from its backup');
      await pump(this.#environment, this.#world.restoreBackup());
      this.#unions = true;
      this.#count('server-restored');
    }
    for (const device of this.#devices) device.start();
  }

  /** One thing that a user does. */
  #act(device: TestDevice): void {
    const { user } = device.disk;
    const paths = new Map(
      user.describe().map((line) => {
        const [, path, kind] = /^(.*) (file|folder|link)(?: |$)/.exec(line) ?? ['', '', ''];
        return [path as string, kind as string];
      }),
    );
    const of = (kind: string) => [...paths].filter(([, each]) => each === kind).map(([path]) => path);
    const files = of('file');
    const folders = of('folder');
    const all = [...paths.keys()];
    const place = () => {
      const folder = this.#chance(45) || folders.length === 0 ? '' : `${this.#pick(folders)}/`;
      return folder + this.#pick(NAMES);
    };
    const say = (line: string) => this.#log(`${device.name}: ${line}`);
    const roll = this.#below(100);
    try {
      if (roll < 26 || all.length === 0) {
        const path = place();
        if (paths.has(path) && paths.get(path) !== 'file') return;
        say(`write ${path} #${this.#written}`);
        this.#write(device, path);
      } else if (roll < 40 && files.length > 0) {
        const path = this.#pick(files);
        say(`edit ${path} #${this.#written}`);
        this.#write(device, path);
      } else if (roll < 50) {
        const path = place();
        if (paths.has(path) || path.split('/').length > 5) return;
        say(`make folder ${path}`);
        user.makeFolder(path);
      } else if (roll < 70) {
        const from = this.#pick(all);
        const to = place();
        if (`${to}/`.startsWith(`${from}/`) || (paths.has(to) && this.#chance(60))) return;
        say(`rename ${from} → ${to}`);
        const overwritten = paths.get(to) === 'file' ? this.#contentsBelow(device, to) : [];
        user.rename(from, to);
        this.#kill(overwritten);
      } else if (roll < 78) {
        const path = this.#pick(all);
        say(`remove ${path}`);
        const contents = this.#contentsBelow(device, path);
        user.remove(path);
        this.#kill(contents);
      } else if (roll < 84) {
        const one = this.#pick(all);
        const other = this.#pick(all);
        if (`${one}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${one}/`)) return;
        say(`swap ${one} and ${other}`);
        user.rename(one, 'swapping');
        user.rename(other, one);
        user.rename('swapping', other);
      } else if (roll < 88 && files.length > 0) {
        const path = this.#pick(files);
        say(`save ${path} as editors do #${this.#written}`);
        this.#save(device, path);
      } else if (roll < 91 && files.length > 0) {
        const path = this.#pick(files);
        say(`attributes of ${path}`);
        if (this.#chance(50)) user.setExecutable(path, this.#chance(50));
        else user.setModifiedAt(path, 1_600_000_000_000_000 + this.#below(1000));
      } else if (roll < 94) {
        const path = place();
        if (paths.has(path)) return;
        say(`link ${path}`);
        user.makeLink(path, `target-${this.#below(4)}`);
      } else if (roll < 97) {
        const path = this.#pick(all);
        say(`another kind at ${path} #${this.#written}`);
        const contents = this.#contentsBelow(device, path);
        const wasFile = paths.get(path) === 'file';
        user.remove(path);
        this.#kill(contents);
        if (wasFile) user.makeFolder(path);
        else this.#write(device, path);
      } else if (folders.length > 0) {
        const path = this.#pick(folders);
        const to = `${path}-old`;
        if (paths.has(to) || path.length > 40) return;
        say(`rename ${path} and make it anew`);
        user.rename(path, to);
        user.makeFolder(path);
      }
    } catch (error) {
      if (
        !(error instanceof Error) ||
        (!error.message.startsWith('the user') && !error.message.includes('ENOSPC'))
      )
        throw error;
    }
  }

  #save(device: TestDevice, path: string): void {
    const { user } = device.disk;
    const roll = this.#below(3);
    if (roll === 0) {
      const old = this.#contentsBelow(device, path);
      user.rename(path, `${path}~`);
      this.#write(device, path);
      this.#kill(old);
      user.remove(`${path}~`);
      return;
    }
    const temporary = `${path}.${this.#below(1000)}.tmp`;
    const old = this.#contentsBelow(device, path);
    this.#write(device, temporary);
    user.rename(temporary, path);
    this.#kill(old);
  }

  #write(device: TestDevice, path: string): void {
    const content = `content #${this.#written++} of ${device.name}`;
    const exists = device.disk.user.describe().some((line) => line.startsWith(`${path} file `));
    const old = exists ? this.#contentsBelow(device, path) : [];
    device.disk.user.writeFile(path, content);
    this.#kill(old);
    this.#alive.add(Buffer.from(content).toString('hex'));
  }

  #contentsBelow(device: TestDevice, path: string): string[] {
    const found: string[] = [];
    for (const line of device.disk.user.describe()) {
      if (!line.startsWith(`${path} `) && !line.startsWith(`${path}/`)) continue;
      const content = / file ([0-9a-f]*)( x)?$/.exec(line)?.[1];
      if (content !== undefined) found.push(content);
    }
    return found;
  }

  #kill(contents: readonly string[]): void {
    for (const content of contents) {
      this.#alive.delete(content);
      this.#dead.add(content);
    }
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#below(items.length)] as Item;
  }

  async #heal(): Promise<void> {
    this.#log('all is healed');
    this.#ambushes.clear();
    this.#faults.clear();
    await this.#pass(50);
    for (const device of this.#devices) {
      const { network } = device;
      network.offline = false;
      network.hintsDropped = false;
      network.lostAnswers = 0;
      network.missingBlocks = 0;
      if (!device.running) device.start();
      device.engine.refresh();
    }
    for (let rounds = 0; ; rounds++) {
      await this.#pass(500);
      for (const device of this.#devices) {
        const { failure } = device;
        if (failure !== null) throw new Error(`${device.name} has given up`, { cause: failure });
      }
      if (await this.#isQuiet()) {
        // Quiet twice in a row, with a complete look in between.
        for (const { engine } of this.#devices) engine.refresh();
        await this.#pass(500);
        if (await this.#isQuiet()) return;
      }
      if (rounds > 400) throw new Error(`the devices do not come to rest:\n${this.#describe()}`);
    }
  }

  async #isQuiet(): Promise<boolean> {
    const sequence = await this.#world.sequence();
    return this.#devices.every(({ engine }) => {
      const status = engine.status();
      return status.state === 'in-sync' && status.sequence === sequence;
    });
  }

  #describe(): string {
    return this.#devices
      .map(
        (device) =>
          `${device.name}: ${JSON.stringify(device.engine.status())}\n  ${device.disk.user.describe().join('\n  ')}`,
      )
      .join('\n');
  }

  async #check(before: readonly string[]): Promise<void> {
    for (const device of this.#devices) this.#checkTrees(device);
    const views = this.#devices.map((device) => device.disk.user.describe());
    const [first] = views as [string[]];
    for (const view of views) {
      if (view.join('\n') !== first.join('\n')) throw new Error(`disks differ:\n${this.#describe()}`);
    }
    await this.#checkServer(first);

    const present = new Map<string, number>();
    for (const line of first) {
      const content = / file ([0-9a-f]*)( x)?$/.exec(line)?.[1];
      if (content !== undefined) present.set(content, (present.get(content) ?? 0) + 1);
    }
    const text = (hex: string) => Buffer.from(hex, 'hex').toString();
    const committed = this.#shape.lastWriteWins
      ? await pump(this.#environment, readCommittedContents(this.#world, this.#genesis))
      : null;
    for (const content of this.#alive) {
      if (present.has(content)) continue;
      const contentId = await pump(this.#environment, contentIdOfBytes(Buffer.from(content, 'hex')));
      if (committed?.has(contentId)) this.#count('among-versions');
      else throw new Error(`lost: "${text(content)}"\n${this.#describe()}`);
    }
    for (const [content, times] of present) {
      if (!this.#alive.has(content) && !this.#dead.has(content))
        throw new Error(`a mixture: "${text(content)}"\n${this.#describe()}`);
      if (times > 1) {
        this.#count('duplicate');
        if (!this.#unions && this.#shape.writer !== null)
          throw new Error(`twice: "${text(content)}"\n${this.#describe()}`);
      }
      if (this.#dead.has(content)) this.#count('resurrected');
    }
    if (this.#shape.writer !== null && !this.#unions && !this.#killed) {
      const folded = before.map((line) => line.split(/ (?:file|folder|link)(?: |$)/)[0]?.toLowerCase());
      const clash =
        new Set(folded).size < folded.length || first.some((line) => line.includes('Case Conflict'));
      if (!clash && first.join('\n') !== before.join('\n'))
        throw new Error(
          `one writer, but not as it left things:\n${before.join('\n')}\n---\n${this.#describe()}`,
        );
      this.#count('single-writer');
    }
    for (const line of first) if (line.includes('Conflict Copy')) this.#count('conflict-copy');
    for (const line of first) if (/Copy.*Copy/.test(line)) this.#count('copy-of-copy');
    for (const { engine } of this.#devices) {
      for (const notice of engine.status().notices) this.#count(`notice-${notice.kind}`);
    }
    await this.#checkQuiet();
  }

  /** The three trees of a device say the same, and the same as its disk. */
  #checkTrees(device: TestDevice): void {
    const { remote, local, synced } = device.trees;
    const ids = new Set(
      [...remote.values(), ...local.values(), ...synced.values()].map((each) => each.entryId),
    );
    for (const id of ids) {
      const [r, l, s] = [remote.get(id), local.get(id), synced.get(id)];
      const places = [r, l, s].map((node) => `${node?.parentId}/${node?.name}`);
      if (l?.parentId === null && l.name === '') continue;
      if (places[0] !== places[1] || places[0] !== places[2])
        throw new Error(`${device.name}'s trees differ at ${id}: ${places.join(' | ')}\n${this.#describe()}`);
    }
  }

  async #checkServer(view: readonly string[]): Promise<void> {
    const lines: string[] = [];
    const { data, principal } = this.#world;
    const root = await data.files.getByPath(principal, null, '/');
    const walk = async (entryId: typeof root.entry.entryId, prefix: string): Promise<void> => {
      const { entries } = await data.files.listFolder(principal, entryId, { after: null, limit: 1000 });
      for (const entry of entries) {
        lines.push(`${prefix}${entry.name} ${entry.kind}`);
        if (entry.kind === 'folder') await walk(entry.entryId, `${prefix}${entry.name}/`);
      }
    };
    await pump(this.#environment, walk(root.entry.entryId, ''));
    const expected = view.map((line) => /^(.* (?:file|folder|link))(?: |$)/.exec(line)?.[1] ?? line).sort();
    if (lines.sort().join('\n') !== expected.join('\n'))
      throw new Error(`the server has\n${lines.join('\n')}\n${this.#describe()}`);
  }

  /** Further looks move nothing and change nothing. */
  async #checkQuiet(): Promise<void> {
    const sequence = await this.#world.sequence();
    const moved = () =>
      this.#devices.map(({ network }) => [network.commits, network.sentBlocks, network.readBlocks]).join(' ');
    const before = moved();
    for (const { engine } of this.#devices) engine.refresh();
    await this.#pass(20 * 60_000);
    if (moved() !== before || sequence !== (await this.#world.sequence()))
      throw new Error(`not quiet: ${before} → ${moved()}`);
  }
}
