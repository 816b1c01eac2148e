import { createClient, createMemorySessionStore, type SessionStore } from '@cairn/client';
import { createNodePlatform } from '@cairn/content';
import { createMemoryFilesystem, type FaultPlan, type MemoryFilesystem, withAhead } from '@cairn/filesystem';
import type { DeviceId, EntryId } from '@cairn/model';
import type { SignedIn } from '@cairn/protocol';
import { createSyncEngine, type SyncEngine, type SyncEngineOptions } from '@cairn/sync-engine';
import { createMemoryTreeDisk, type MemoryTreeDisk, type TreeStore } from '@cairn/tree-store';
import { createDraw, createSeededChance, type Draw, deriveSeed } from '../random.ts';
import type { Statistics } from '../statistics.ts';
import type { Trace } from '../trace.ts';
import { DISK_VARIANTS, type DiskVariant, type DiskVariantName } from './disk-variants.ts';
import { createLink, type Link } from './link.ts';
import type { SimulatedServer } from './server.ts';
import { PASSWORD, USERNAME } from './template.ts';
import type { Timeline } from './timeline.ts';
import { createSimulatedTransport, SERVER_URL } from './transport.ts';
import { watchFilesystem } from './watched-filesystem.ts';
import { environmentOf, listeningLog, START_AT, type WallClock } from './world-environment.ts';

const platform = createNodePlatform();

export interface DeviceShape {
  readonly name: string;
  readonly disk: DiskVariantName;
  /** Percent of the disk's calls that take time. */
  readonly slowPercent: number;
  readonly latencyMs: readonly [number, number];
  readonly clockOffsetMs: number;
  readonly capacityBytes: number | null;
  /** Index of the device whose image this one is, once it has been made. */
  readonly cloneOf: number | null;
  readonly brake: NonNullable<SyncEngineOptions['brake']> | null;
  /** Every file travels beside the loop and is announced, and others' are received ahead. */
  readonly streams: boolean;
}

export interface DeviceWorld {
  readonly seed: number;
  readonly timeline: Timeline;
  readonly trace: Trace;
  readonly statistics: Statistics;
  readonly server: SimulatedServer;
}

/** One computer: a disk with a folder on it, what it knows, its connection, and the process that may be running. */
export class Device {
  readonly shape: DeviceShape;
  readonly variant: DiskVariant;
  readonly disk: MemoryFilesystem;
  readonly link: Link;
  readonly wall: WallClock;
  readonly #world: DeviceWorld;
  readonly #draw: Draw;
  #sessions: SessionStore;
  /** Under which the server knows it, or knew it before it signed in again; a copy has those of the other, too. */
  readonly deviceIds = new Set<DeviceId>();
  #trees: MemoryTreeDisk;
  #keptTrees: MemoryTreeDisk | null = null;
  #openTrees: TreeStore | null = null;
  #engine: SyncEngine | null = null;
  #running: Promise<void> = Promise.resolve();
  #abort = new AbortController();
  #process: { alive: boolean } = { alive: false };
  #endProcess = (): void => undefined;
  #starts = 0;
  failure: unknown = null;
  /** When its user last did something, and when something was last wrong with seeing that. */
  lastActMs = Number.NEGATIVE_INFINITY;
  onState: () => void = () => undefined;
  /** Its disk does not tell of changes now. */
  isBlind = false;
  isMounted = true;
  needsSignIn = false;
  failedWhileMounted = true;
  /** The disk was not there at some moment of this process. */
  #missedDisk = false;
  #faults: FaultPlan | null = null;
  #ambush: { calls: number; readonly act: () => void } | null = null;

  constructor(world: DeviceWorld, shape: DeviceShape, signedIn: SignedIn) {
    const { seed, timeline } = world;
    this.#world = world;
    this.shape = shape;
    this.variant = DISK_VARIANTS[shape.disk];
    this.wall = { offsetMs: shape.clockOffsetMs };
    this.#draw = createDraw(deriveSeed(seed, shape.name, 'device'));
    this.link = createLink(
      { latencyMs: shape.latencyMs },
      createDraw(deriveSeed(seed, shape.name, 'link')),
      createDraw(deriveSeed(seed, shape.name, 'damage')),
    );
    this.disk = createMemoryFilesystem({
      environment: environmentOf(timeline, createSeededChance(deriveSeed(seed, shape.name, 'disk')), {
        wall: this.wall,
      }),
      ...this.variant.options,
      ...(shape.capacityBytes === null ? {} : { capacityBytes: shape.capacityBytes }),
    });
    this.disk.setFaults((operation, path) => {
      this.#springAmbush();
      const code = this.#faults?.(operation, path) ?? null;
      if (code !== null) world.statistics.count(`fault:${code}`);
      return code;
    });
    this.#sessions = createMemorySessionStore({ ...signedIn, serverUrl: SERVER_URL, receivedAt: START_AT });
    this.deviceIds.add(signedIn.device.deviceId);
    this.#trees = createMemoryTreeDisk(world.server.rootId);
  }

  get name(): string {
    return this.shape.name;
  }

  get isRunning(): boolean {
    return this.#process.alive;
  }

  get wasStarted(): boolean {
    return this.#engine !== null;
  }

  get engine(): SyncEngine {
    if (this.#engine === null) throw new Error(`${this.name} was never started`);
    return this.#engine;
  }

  get trees(): TreeStore {
    if (this.#openTrees === null) throw new Error(`${this.name} was never started`);
    return this.#openTrees;
  }

  get hasDiskFaults(): boolean {
    return this.#faults !== null;
  }

  setFaults(plan: FaultPlan | null): void {
    this.#faults = plan;
  }

  /** Something that happens in the middle of the engine's next so many calls to the disk. */
  ambush(calls: number, act: () => void): void {
    this.#ambush = { calls, act };
  }

  cancelAmbush(): void {
    this.#ambush = null;
  }

  setMounted(mounted: boolean): void {
    this.isMounted = mounted;
    // A process that found the disk missing may need some moments to end, and the disk is back by then.
    if (!mounted) this.#missedDisk = true;
    this.disk.setMounted(mounted);
  }

  #springAmbush(): void {
    const ambush = this.#ambush;
    if (ambush === null || --ambush.calls > 0) return;
    this.#ambush = null;
    ambush.act();
  }

  start(): void {
    if (this.isRunning) return;
    const { server, timeline, trace, statistics, seed } = this.#world;
    const own = { alive: true };
    this.#process = own;
    this.failure = null;
    this.#missedDisk = !this.isMounted;
    // The process opens the folder that is there now.
    this.disk.restart();
    this.#abort = new AbortController();
    const log = listeningLog((level, event, fields) => {
      trace.note(`${this.name} log ${event} ${String(fields['code'] ?? '')}`);
      if (level !== 'debug' || event === 'client.retry') statistics.count(`log:${event}`);
      if (event === 'engine.operation-failed' && typeof fields['code'] === 'string')
        statistics.count(`failed:${String(fields['operation'])}:${fields['code']}`);
    });
    const environment = environmentOf(
      timeline,
      createSeededChance(deriveSeed(seed, this.name, 'process', this.#starts++)),
      { wall: this.wall, log },
    );
    const transport = createSimulatedTransport({
      device: this.name,
      link: this.link,
      server,
      timeline,
      trace,
      statistics,
    });
    const client = createClient({
      transport,
      store: this.#sessions,
      environment,
      platform,
      allowHttp: true,
      maxAttempts: 2,
    });
    this.#endProcess = () => {
      own.alive = false;
      client.close();
    };
    const trees = this.#trees.open();
    this.#openTrees = trees;
    const { flush, flushValues } = trees;
    trees.flush = () => {
      if (own.alive) flush();
    };
    trees.flushValues = () => {
      if (own.alive) flushValues();
    };
    const engine = createSyncEngine({
      filesystem: withAhead(
        watchFilesystem(this.disk.filesystem, {
          device: this.name,
          trace,
          statistics,
          timeline,
          slowPercent: this.shape.slowPercent,
          draw: this.#draw,
        }),
        environment.timers,
      ),
      space: client.space({ spaceId: server.spaceId, rootId: server.rootId }),
      trees,
      platform,
      environment,
      deviceName: this.name,
      ...(this.shape.brake === null ? {} : { brake: this.shape.brake }),
      ...(this.shape.streams ? { largeBytes: 1, ahead: { keepFreeBytes: 0 } } : {}),
    });
    engine.onChange(() => {
      if (own.alive) this.onState();
    });
    this.#engine = engine;
    this.#running = engine.run(this.#abort.signal).then(
      () => {
        own.alive = false;
        client.close();
      },
      (error: unknown) => {
        if (own.alive) this.failure = error;
        this.failedWhileMounted = !this.#missedDisk;
        own.alive = false;
        client.close();
      },
    );
  }

  /** Stops as a signal makes it stop. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  /** Ends the process as kill -9 does; what was not flushed is forgotten. */
  async kill(): Promise<void> {
    this.killAtOnce();
    await this.#running;
  }

  /** The same from within a call of the disk: nothing more of this process reaches anything. */
  killAtOnce(): void {
    this.disk.restart();
    this.#endProcess();
    this.#abort.abort();
  }

  /** As kill, and the disk loses what was not made durable. */
  async cutPower(): Promise<void> {
    this.cutPowerAtOnce();
    await this.#running;
  }

  cutPowerAtOnce(): void {
    this.disk.crash();
    this.#endProcess();
    this.#abort.abort();
  }

  /** Waits until what is left of an ended process is gone. */
  async ended(): Promise<void> {
    await this.#running;
  }

  /** Becomes what an image of the other device, taken at this moment, is on another computer. */
  async becomeCopyOf(other: Device): Promise<void> {
    this.disk.copyFrom(other.disk);
    this.#trees = other.#trees.copy();
    this.#sessions = createMemorySessionStore(await other.#sessions.read());
    this.deviceIds.clear();
    for (const deviceId of other.deviceIds) this.deviceIds.add(deviceId);
  }

  /** Copies the database, as a backup does. */
  keepTrees(): void {
    this.#keptTrees = this.#trees.copy();
  }

  get hasKeptTrees(): boolean {
    return this.#keptTrees !== null;
  }

  /** Puts the last copy back. */
  restoreTrees(): void {
    if (this.#keptTrees !== null) this.#trees = this.#keptTrees.copy();
  }

  loseTrees(rootId: EntryId): void {
    this.#trees = createMemoryTreeDisk(rootId);
  }

  /** The user signs in again, on the same device. */
  async signIn(): Promise<void> {
    const { server, timeline, trace, statistics, seed } = this.#world;
    const transport = createSimulatedTransport({
      device: this.name,
      link: { ...this.link, faults: { ...this.link.faults } },
      server,
      timeline,
      trace,
      statistics,
    });
    const client = createClient({
      transport,
      store: this.#sessions,
      environment: environmentOf(timeline, createSeededChance(deriveSeed(seed, this.name, 'sign-in')), {
        wall: this.wall,
      }),
      platform,
      allowHttp: true,
    });
    try {
      await client.account.login({ username: USERNAME, password: PASSWORD, deviceName: this.name });
    } finally {
      client.close();
    }
    const session = await this.#sessions.read();
    if (session !== null) this.deviceIds.add(session.device.deviceId);
  }
}
