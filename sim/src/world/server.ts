import { copyFileSync, existsSync, rmSync } from 'node:fs';
import { createMemoryBlockStore } from '@cairn/block-store';
import { createNodePlatform } from '@cairn/content';
import { type BusEvent, createMemoryEventBus } from '@cairn/event-bus';
import { type MetadataStore, openSqliteMetadataStore } from '@cairn/metadata-store';
import type { Announcement, Changeset, CommitResult, EntryId, SpaceId } from '@cairn/model';
import type { SignedIn } from '@cairn/protocol';
import { createAccessServices, createDataServices, ensureEpoch, type Principal } from '@cairn/services';
import { ask, type FrontAnswer, type FrontRequest, type FrontServices } from './front.ts';
import { openTemplate, PASSWORD_COST, SECRET, scratchPath } from './template.ts';
import type { Timeline } from './timeline.ts';
import type { WallClock, WorldEnvironment } from './world-environment.ts';

/** The files that a database consists of. */
const PARTS = ['', '-wal', '-shm'] as const;

/** A device's socket, as the server sees it. */
export interface Subscriber {
  readonly principal: Principal;
  onHint(sequence: number): void;
  onAnnouncement(announcement: Announcement): void;
  /** The server ended. */
  onGone(): void;
}

export type CommitObserver = (
  principal: Principal,
  changeset: Changeset,
  outcome: { readonly result: CommitResult } | { readonly error: unknown },
) => Promise<void>;

interface Backup {
  readonly path: string;
  readonly epochFile: string;
}

/** One server: real HTTP surface, services and database; its blocks are in memory and outlive its process. */
export class SimulatedServer {
  readonly spaceId: SpaceId;
  readonly rootId: EntryId;
  readonly signIns: readonly SignedIn[];
  readonly #timeline: Timeline;
  readonly #environment: WorldEnvironment;
  readonly #path: string;
  readonly #blocks = createMemoryBlockStore();
  readonly #platform = createNodePlatform();
  #bus = createMemoryEventBus();
  #store: MetadataStore | null = null;
  #services: FrontServices | null = null;
  /** What is kept of the epoch outside the database. */
  #epochFile: string;
  #backup: Backup | null = null;
  /** Requests are taken one after the other, in the order in which they arrive. */
  #last: Promise<unknown> = Promise.resolve();
  #dying: { commits: number; readonly onDeath: () => void } | null = null;
  #afterPack: (() => void) | null = null;
  #subscribers = new Set<Subscriber>();
  observe: CommitObserver = async () => undefined;

  private constructor(
    timeline: Timeline,
    environment: WorldEnvironment,
    path: string,
    epoch: string,
    signIns: readonly SignedIn[],
  ) {
    this.#timeline = timeline;
    this.#environment = environment;
    this.#path = path;
    this.#epochFile = epoch;
    this.signIns = signIns;
    const [first] = signIns as [SignedIn];
    this.spaceId = first.spaceId;
    this.rootId = first.rootId;
  }

  static async start(timeline: Timeline, environment: WorldEnvironment): Promise<SimulatedServer> {
    const template = await openTemplate();
    const path = scratchPath();
    template.copyTo(path);
    const server = new SimulatedServer(timeline, environment, path, template.epoch, template.signIns);
    await server.up();
    return server;
  }

  get isUp(): boolean {
    return this.#store !== null;
  }

  get services(): FrontServices {
    if (this.#services === null) throw new Error('the server is down');
    return this.#services;
  }

  get wall(): WallClock {
    return this.#environment.wall;
  }

  /** The process is killed after so many more commits, before it can answer the last one; it is up again soon. */
  dieAfterCommits(commits: number, onDeath: () => void): void {
    this.#dying = { commits, onDeath };
  }

  /** Something that happens right after the next pack was stored. */
  afterNextPack(act: () => void): void {
    this.#afterPack = act;
  }

  get hasBackup(): boolean {
    return this.#backup !== null;
  }

  /** Of the device that was signed in first. */
  get principal(): Principal {
    const [{ user, device }] = this.signIns as [SignedIn];
    return { userId: user.userId, deviceId: device.deviceId, role: user.role };
  }

  async up(): Promise<void> {
    const environment = this.#environment;
    const store = await openSqliteMetadataStore({ path: this.#path, environment, flushes: 'each' });
    this.#epochFile = await ensureEpoch(store, environment, this.#epochFile);
    const bus = createMemoryEventBus();
    bus.subscribe((event) => {
      for (const subscriber of this.#subscribers) tell(subscriber, event);
    });
    const data = createDataServices({
      store,
      blocks: this.#blocks,
      bus,
      platform: this.#platform,
      environment,
    });
    const access = createAccessServices({
      store,
      bus,
      environment,
      secret: SECRET,
      signUp: 'open',
      setUpCode: null,
      passwordCost: PASSWORD_COST,
    });
    const { commitChangeset } = data.spaces;
    this.#bus = bus;
    this.#store = store;
    this.#services = {
      environment,
      access,
      data: {
        ...data,
        spaces: {
          ...data.spaces,
          commitChangeset: async (principal, spaceId, changeset) => {
            try {
              const result = await commitChangeset(principal, spaceId, changeset);
              await this.observe(principal, changeset, { result });
              return result;
            } catch (error) {
              await this.observe(principal, changeset, { error });
              throw error;
            }
          },
        },
      },
    };
  }

  /** Ends the process: connections break; what was answered is on disk. */
  down(): Promise<void> {
    return this.#inTurn(() => this.#end());
  }

  async #end(): Promise<void> {
    const store = this.#store;
    this.#store = null;
    this.#services = null;
    await this.#bus.close();
    for (const { onGone } of [...this.#subscribers]) onGone();
    this.#subscribers.clear();
    await store?.close();
  }

  /** Copies database and epoch file, while the server runs or not. */
  backUp(): Promise<void> {
    return this.#inTurn(async () => {
      this.#backup ??= { path: scratchPath(), epochFile: this.#epochFile };
      copyParts(this.#path, this.#backup.path);
      this.#backup = { ...this.#backup, epochFile: this.#epochFile };
    });
  }

  /**
   * Puts the copy back; the server must be down.
   * @param withEpochFile as if the whole data folder was restored, so that nothing shows that it was
   */
  restore(withEpochFile: boolean): void {
    if (this.#backup === null || this.#store !== null) throw new Error('nothing to restore, or not down');
    copyParts(this.#backup.path, this.#path);
    if (withEpochFile) this.#epochFile = this.#backup.epochFile;
  }

  /** Forgets what is kept of the epoch outside the database; the next start makes a new one. */
  loseEpochFile(): void {
    this.#epochFile = '';
  }

  /** Answers a request, or `null` when nobody listens. Time stands still meanwhile. */
  handle(request: FrontRequest): Promise<FrontAnswer | null> {
    return this.#inTurn(async () => {
      if (this.#services === null) return null;
      const answer = await ask(this.#services, request);
      if (request.path.endsWith('/packs') && answer.status === 200) {
        this.#afterPack?.();
        this.#afterPack = null;
      }
      if (this.#dying === null || !request.path.endsWith('/changesets') || answer.status !== 200)
        return answer;
      if (--this.#dying.commits > 0) return answer;
      this.#dying.onDeath();
      this.#dying = null;
      await this.#end();
      await this.up();
      return null;
    });
  }

  /** Does something with the services as a request would. */
  work<Result>(use: (services: FrontServices) => Promise<Result>): Promise<Result> {
    return this.#inTurn(() => use(this.services));
  }

  /** Hints as the socket gives them. */
  subscribe(subscriber: Subscriber): () => void {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  async close(): Promise<void> {
    if (this.isUp) await this.down();
    for (const path of [this.#path, this.#backup?.path])
      if (path !== undefined) for (const part of PARTS) rmSync(path + part, { force: true });
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#timeline.hold(() => {
      const run = this.#last.then(work, work);
      this.#last = run.catch(() => undefined);
      return run;
    });
  }
}

/** What the socket of a device says of an event. */
function tell({ principal, onHint, onAnnouncement }: Subscriber, event: BusEvent): void {
  if (event.kind === 'space-advanced') onHint(event.sequence);
  if (event.kind !== 'transfer-announced' || event.userId !== principal.userId) return;
  if (event.deviceId !== principal.deviceId) onAnnouncement(event.announcement);
}

function copyParts(from: string, to: string): void {
  for (const part of PARTS) {
    if (part === '-shm') continue;
    if (existsSync(from + part)) copyFileSync(from + part, to + part);
    else rmSync(to + part, { force: true });
  }
  rmSync(`${to}-shm`, { force: true });
}
