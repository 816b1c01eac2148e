import type { BlockStore } from '@cairn/block-store';
import { isIntactBlock, type StoredBlock } from '@cairn/content';
import type { Environment, Log } from '@cairn/environment';
import { createMemoryEventBus } from '@cairn/event-bus';
import {
  type BlockMoveJob,
  createBlockMoveJob,
  createMaintenance,
  type Maintenance,
} from '@cairn/maintenance';
import type { MetadataStore } from '@cairn/metadata-store';
import type { BlockId } from '@cairn/model';
import {
  type BlocksSetting,
  type OpenBlocksOptions,
  type OpenedBlocks,
  openBlockPlaces,
  openBlocks,
} from '@cairn/server';
import {
  type ClusterService,
  type ClusterView,
  createClusterService,
  createDataServices,
  type DataServices,
} from '@cairn/services';
import { createSeededChance, type Draw, deriveSeed } from '../../random.ts';
import type { Statistics } from '../../statistics.ts';
import type { Trace } from '../../trace.ts';
import type { Timeline } from '../../world/timeline.ts';
import { platform } from './contents.ts';
import type { Network } from './network.ts';
import { createRemoteNode } from './remote-node.ts';
import type { ServerFolders } from './server-folders.ts';
import { SimulatedProcess } from './simulated-process.ts';
import type { StorageNode } from './storage-node.ts';

export const REPLICAS = 3;
export const WRITE_QUORUM = 2;
const DATA = '/data';
const SECRET = createSeededChance(17).bytes(32);
const KEEP_ALL = { versions: { keep: 'all' }, trash: { keep: 'all' } } as const;

/** What a server process has once it has started. */
export interface RunningServer {
  readonly environment: Environment;
  readonly opened: { readonly view: OpenedBlocks['view']; start(): void };
  /** `null` where blocks are never moved. */
  readonly move: BlockMoveJob | null;
  readonly store: MetadataStore;
  readonly blocks: BlockStore;
  readonly services: DataServices;
  readonly cluster: ClusterService;
  readonly maintenance: Maintenance;
}

export interface ServerEvents {
  onLog(server: ClusterServer, level: string, event: string, fields: Readonly<Record<string, unknown>>): void;
  onPutBegins(blockIds: readonly BlockId[]): void;
  /** An acknowledged put, or `null` when it was refused. */
  onPutEnds(blockIds: readonly BlockId[], begunMs: number, isAcknowledged: boolean): void;
  onFailure(error: unknown): void;
}

export interface ClusterServerOptions {
  readonly name: string;
  readonly seed: number;
  readonly timeline: Timeline;
  readonly trace: Trace;
  readonly statistics: Statistics;
  readonly network: Network;
  readonly store: MetadataStore;
  readonly outAfterMs: number;
  /** What a server is told when it starts. */
  readonly codeAfterMs: () => number | null;
  /** What blocks may be moved to besides the nodes, and where they are at first; `null`: on the nodes, always. */
  readonly moving: { readonly folders: ServerFolders; readonly first: string | null } | null;
  readonly findNode: (nodeId: string) => StorageNode;
  readonly sleptMs: () => number;
  readonly draw: Draw;
  readonly events: ServerEvents;
}

/** A server process of the cluster: the real composition, on a shared database and simulated nodes. */
export class ClusterServer {
  readonly name: string;
  readonly wall = { offsetMs: 0 };
  readonly #options: ClusterServerOptions;
  process: SimulatedProcess | null = null;
  running: RunningServer | null = null;
  /** What the present process was told. */
  codeAfterMs: number | null = null;
  #hasJustPut = false;
  #starts = 0;

  constructor(options: ClusterServerOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Begins to start; it takes simulated time until it is `running`. */
  start(): void {
    if (this.process !== null) return;
    const process = new SimulatedProcess(`${this.name}.${this.#starts++}`, this.#options.timeline);
    this.process = process;
    this.codeAfterMs = this.#options.codeAfterMs();
    this.#open(process).then(
      (running) => {
        if (this.process !== process) return;
        this.running = running;
        running.opened.start();
        running.maintenance.start();
        this.#options.trace.tell(`${this.name} is up`);
      },
      (error: unknown) => {
        if (!process.isDead) this.#options.events.onFailure(error);
      },
    );
  }

  /** Ends the process, alone or with the power of its computer; what it knew is gone. */
  kill(isPowerCut = false): void {
    this.process?.kill();
    this.process = null;
    this.running = null;
    void this.#options.moving?.folders.leave(isPowerCut);
  }

  #log(process: SimulatedProcess): Log {
    const tell =
      (level: string) =>
      (event: string, fields: Readonly<Record<string, unknown>> = {}) => {
        if (!process.isDead) this.#options.events.onLog(this, level, event, fields);
      };
    const log: Log = {
      debug: tell('debug'),
      info: tell('info'),
      warn: tell('warn'),
      error: tell('error'),
      with: () => log,
    };
    return log;
  }

  /** The shared database as one process has it: between two calls others have their turn, and the process may be stopped. */
  #storeOf(process: SimulatedProcess): MetadataStore {
    const { store, timeline, trace, draw, statistics } = this.#options;
    const countCondemned = async (): Promise<number> => {
      const nothing = { condemnedBefore: 0, seenBefore: 0 };
      const { condemned } = await timeline.hold(() => store.read((reader) => reader.countGarbage(nothing)));
      return condemned.blocks;
    };
    const call = async <Result>(kind: string, work: () => Promise<Result>): Promise<Result> => {
      await process.pass(kind);
      await process.hop(draw.below(3));
      trace.note(`${process.name} ${kind}`);
      let answer: () => Result;
      try {
        const isAfterPut = kind === 'transact' && this.#hasJustPut;
        if (kind === 'transact') this.#hasJustPut = false;
        const before = isAfterPut ? await countCondemned() : 0;
        const result = await timeline.hold(work);
        if (isAfterPut && (await countCondemned()) < before) statistics.count('condemned:taken-back');
        answer = () => result;
      } catch (error) {
        answer = () => {
          throw error;
        };
      }
      await process.pass(`${kind}-done`);
      await process.hop(0);
      return answer();
    };
    return {
      read: (work) => call('read', () => store.read(work)),
      transact: (work) => call('transact', () => store.transact(work)),
      checkHealth: () => store.checkHealth(),
      close: async () => undefined,
    };
  }

  #watch(process: SimulatedProcess, blocks: BlockStore): BlockStore {
    const { timeline, statistics, events } = this.#options;
    const noteAcknowledged = (): void => {
      this.#hasJustPut = true;
    };
    return {
      ...blocks,
      async put(given, above) {
        const ids = given.map(({ blockId }) => blockId);
        const begunMs = timeline.nowMs;
        if ([...(above ?? [])].some(([, generation]) => generation > 0)) statistics.count('put:above');
        events.onPutBegins(ids);
        let hasEnded = false;
        const end = (isAcknowledged: boolean): void => {
          if (!hasEnded) events.onPutEnds(ids, begunMs, isAcknowledged);
          hasEnded = true;
        };
        const stopListening = process.onDeath(() => end(false));
        try {
          const locations = await blocks.put(given, above);
          end(true);
          noteAcknowledged();
          await process.pass('put-done');
          return locations;
        } catch (error) {
          end(false);
          throw error;
        } finally {
          stopListening();
        }
      },
    };
  }

  async #open(process: SimulatedProcess): Promise<RunningServer> {
    const { seed, timeline, network, trace, statistics, outAfterMs, findNode, sleptMs, moving } =
      this.#options;
    const chance = createSeededChance(deriveSeed(seed, process.name));
    const environment = process.environment(chance, this.wall, sleptMs, this.#log(process));
    const store = this.#storeOf(process);
    const reading = new Map<BlockId, number>();
    const nodes: BlocksSetting = {
      kind: 'nodes',
      replicas: REPLICAS,
      writeQuorum: WRITE_QUORUM,
      outAfterMs,
      repairBytesPerSecond: null,
      codeAfterMs: this.codeAfterMs,
    };
    const verify = (block: StoredBlock) => isIntactBlock(platform, block);
    const common: Omit<OpenBlocksOptions, 'setting'> = {
      key: null,
      store,
      environment,
      secret: SECRET,
      verify,
      connect: ({ nodeId }) => ({
        drill: null,
        blocks: createRemoteNode({
          server: this.name,
          process,
          timers: environment.timers,
          node: findNode(nodeId),
          network,
          timeline,
          trace,
          statistics,
          reading,
        }),
      }),
    };
    const open = moving === null ? openOnNodes(common, nodes) : openMoving(common, nodes, moving, process);
    const opened = await open;
    const blocks = this.#watch(process, opened.blocks);
    const { view, move } = opened;
    const bus = createMemoryEventBus();
    return {
      environment,
      opened,
      move,
      store,
      blocks,
      services: createDataServices({ store, blocks, bus, platform, environment }),
      cluster: createClusterService({ store, environment, secret: SECRET, view }),
      maintenance: createMaintenance({ store, blocks, environment }, { retention: KEEP_ALL }),
    };
  }
}

interface Opened {
  readonly blocks: BlockStore;
  readonly view: ClusterView;
  readonly move: BlockMoveJob | null;
  start(): void;
}

async function openOnNodes(
  common: Omit<OpenBlocksOptions, 'setting'>,
  setting: BlocksSetting,
): Promise<Opened> {
  const { blocks, view, start } = await openBlocks({ ...common, setting });
  if (view === null) throw new Error('the cluster has no nodes to show');
  return { blocks, view: { ...view, isInUse: true }, move: null, start: () => start('serve') };
}

/** Its own settings name another place only at the first start; from then on the database says where the blocks are. */
async function openMoving(
  common: Omit<OpenBlocksOptions, 'setting'>,
  nodes: BlocksSetting,
  { folders, first }: NonNullable<ClusterServerOptions['moving']>,
  process: SimulatedProcess,
): Promise<Opened> {
  const { store, environment, verify } = common;
  const recorded = await store.read((reader) => reader.getBlockLocation());
  const directory = recorded === undefined ? first : `${DATA}/blocks`;
  const places = await openBlockPlaces({
    ...common,
    data: DATA,
    configured: directory === null ? nodes : { kind: 'folder', directory },
    isTaken: false,
    folders: folders.as(process),
  });
  const move = createBlockMoveJob({ store, environment, verify, places });
  return {
    blocks: places.blocks,
    view: places.view,
    move,
    start() {
      places.start();
      move.start();
    },
  };
}
