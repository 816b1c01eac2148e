import { isAbsolute, join, relative } from 'node:path';
import {
  type BlockStore,
  createMovingBlockStore,
  createSwitchingBlockStore,
  type StoreKey,
} from '@cairn/block-store';
import type { StoredBlock } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import type { BlockPlaces, OpenedMove } from '@cairn/maintenance';
import type { BlockLocationRecord, BlockPlaceRecord, MetadataStore } from '@cairn/metadata-store';
import { CairnError, createId, isCairnError } from '@cairn/model';
import type { ClusterView } from '@cairn/services';
import { type BlockFolders, serverFolders } from './block-folders.ts';
import { describeSetting, parseBlocks } from './blocks-setting.ts';
import { describeMovedAway, locateBlocks, settingOf } from './locate-blocks.ts';
import { type BlocksSetting, type OpenBlocksOptions, type OpenedBlocks, openBlocks } from './open-blocks.ts';

export interface OpenBlockPlacesOptions {
  readonly data: string;
  readonly configured: BlocksSetting;
  /** The configured place is the place, whatever is recorded. */
  readonly isTaken: boolean;
  readonly key: StoreKey | null;
  readonly store: MetadataStore;
  readonly environment: Environment;
  readonly secret: Uint8Array;
  readonly verify: (block: StoredBlock) => boolean;
  /** Where folders are; on the server's disks unless told. */
  readonly folders?: BlockFolders;
  /** How a storage node is reached; over the network unless told. */
  readonly connect?: NonNullable<OpenBlocksOptions['connect']>;
}

export interface OpenedBlockPlaces extends BlockPlaces {
  /** Where the blocks are at each moment. */
  readonly blocks: BlockStore;
  /** The storage nodes that have joined, in use or not. */
  readonly view: ClusterView;
  /** On how many nodes each block ought to be; 0 while that cannot be said. */
  wantedReplicas(): number;
  /** Begins to look after the nodes. */
  start(): void;
  close(): Promise<void>;
}

type Move = BlockLocationRecord & { readonly move: NonNullable<BlockLocationRecord['move']> };

/** Settings of nodes that have joined before blocks are on them. */
const UNUSED_NODES = parseBlocks('nodes:', 'the default');

function precondition(message: string): CairnError {
  return new CairnError('precondition-failed', message);
}

/** Where a move goes from and to. */
function sidesOf({ place, move }: Move): readonly [BlockPlaceRecord, BlockPlaceRecord] {
  return move.isReturn ? [move.target, place] : [place, move.target];
}

function isInside(directory: string, other: string): boolean {
  const path = relative(other, directory);
  return path === '' || (!path.startsWith('..') && !isAbsolute(path));
}

/**
 * Opens the blocks of a server where they are (docs/adr/0017-moving-blocks.md), and lets them be moved while it runs.
 * @throws CairnError `blocks-elsewhere` for settings that contradict the database, and as {@link openBlocks}
 */
export async function openBlockPlaces(options: OpenBlockPlacesOptions): Promise<OpenedBlockPlaces> {
  const { data, configured, key, store, environment, verify, folders = serverFolders } = options;
  const { log } = environment;
  /** By the id of their place. */
  const open = new Map<string, OpenedBlocks>();
  const retiring = new Map<string, OpenedBlocks>();
  /** The nodes, in use or not. */
  let cluster: OpenedBlocks | null = null;
  /** What other places have that are open beside the nodes. */
  let besideNodes: BlockStore | null = null;
  let isStarted = false;
  let isClosed = false;

  const isSaid = configured.kind === 'nodes' || configured.directory !== join(data, 'blocks');
  const { location, isRecorded } = await locateBlocks({
    configured,
    isSaid,
    isTaken: options.isTaken,
    store,
    environment,
    folders,
    async hasAny(directory, blockIds) {
      // To look must not make a store where there is none.
      if (!(await folders.list(directory)).includes('segments')) return false;
      const found = await openBlocks({ ...options, setting: { kind: 'folder', directory } });
      try {
        return (await found.blocks.has(blockIds)).includes(true);
      } finally {
        await found.close();
      }
    },
  });
  const startWarning = describeMovedAway(configured, isSaid, location);
  if (startWarning !== null) log.warn('blocks.moved-away', { warning: startWarning });

  let changingNodes: Promise<unknown> = Promise.resolve();
  /** One after the other: who comes second finds what the first one left. */
  function useNodes<Result>(change: () => Promise<Result>): Promise<Result> {
    const mine = changingNodes.then(change);
    changingNodes = mine.catch(() => undefined);
    return mine;
  }

  async function openNodes(setting: BlocksSetting, isIdle: boolean): Promise<OpenedBlocks> {
    const former = cluster;
    cluster = null;
    await former?.close();
    const opened = await openBlocks({
      ...options,
      // A key seals a folder of this server; it has nothing to do with nodes that only wait.
      key: isIdle ? null : key,
      setting,
      isIdle,
      async isElsewhere(blockIds) {
        return besideNodes === null ? [] : besideNodes.has(blockIds);
      },
    });
    if (isClosed) {
      await opened.close();
      throw new CairnError('unavailable', 'the server is stopping');
    }
    cluster = opened;
    if (isStarted) opened.start(isIdle ? 'watch' : 'serve');
    return opened;
  }

  async function openPlace(place: BlockPlaceRecord): Promise<OpenedBlocks> {
    const known = open.get(place.placeId);
    if (known !== undefined) return known;
    const setting = settingOf(place);
    if (setting.kind === 'nodes') {
      return useNodes(async () => {
        const opened = await openNodes(setting, false);
        open.set(place.placeId, opened);
        return opened;
      });
    }
    // Somebody still reads from it since the last move.
    const opened = retiring.get(place.placeId) ?? (await openBlocks({ ...options, setting }));
    retiring.delete(place.placeId);
    open.set(place.placeId, opened);
    return opened;
  }

  const isNodes = (place: BlockPlaceRecord) => settingOf(place).kind === 'nodes';

  async function openAs(
    wanted: BlockLocationRecord,
  ): Promise<{ blocks: BlockStore; move: OpenedMove | null }> {
    if (wanted.move === null) {
      const { blocks } = await openPlace(wanted.place);
      // Nodes that blocks were moved away from have nothing to see to any more.
      besideNodes = isNodes(wanted.place) ? null : blocks;
      return { blocks, move: null };
    }
    const [fromPlace, toPlace] = sidesOf({ ...wanted, move: wanted.move });
    const from = await openPlace(fromPlace);
    const to = await openPlace(toPlace);
    besideNodes = isNodes(fromPlace) ? to.blocks : from.blocks;
    const { view } = to;
    return {
      blocks: createMovingBlockStore({ from: from.blocks, to: to.blocks, verify }),
      move: {
        from: from.blocks,
        to: to.blocks,
        isComplete:
          view === null
            ? (blockIds) => to.blocks.has(blockIds)
            : async (blockIds) => (await view.countReplicas(blockIds)).map((count) => count >= view.replicas),
      },
    };
  }

  const describe = ({ place, move }: BlockLocationRecord) =>
    JSON.stringify([place.placeId, move?.target.placeId, move?.isReturn]);

  let current = location;
  let opened: Awaited<ReturnType<typeof openAs>>;
  try {
    opened = await openAs(location);
    if (cluster === null) await openNodes(UNUSED_NODES, true);
  } catch (error) {
    await closeAll();
    throw error;
  }
  const blocks = createSwitchingBlockStore(opened.blocks);

  async function closeAll(): Promise<void> {
    isClosed = true;
    const all = new Set([...open.values(), ...retiring.values(), ...(cluster === null ? [] : [cluster])]);
    open.clear();
    cluster = null;
    const results = await Promise.allSettled([...all].map((each) => each.close()));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  /** Closes what is no longer wanted once nobody reads from it. */
  async function retire(placeId: string, ended: Promise<void>): Promise<void> {
    const left = open.get(placeId);
    if (left === undefined) return;
    open.delete(placeId);
    retiring.set(placeId, left);
    if (left === cluster) {
      cluster = null;
      await useNodes(async () => {
        if (cluster === null && !isClosed) await openNodes(UNUSED_NODES, true);
      });
    }
    await ended;
    if (isClosed || retiring.get(placeId) !== left) return;
    retiring.delete(placeId);
    await left.close();
    log.info('blocks.place-closed', { placeId });
  }

  async function apply(wanted: BlockLocationRecord): Promise<OpenedMove | null> {
    if (describe(wanted) !== describe(current)) {
      const next = await openAs(wanted);
      const ended = blocks.replace(next.blocks);
      opened = next;
      current = wanted;
      const keep = new Set([wanted.place.placeId, wanted.move?.target.placeId]);
      for (const placeId of [...open.keys()]) {
        if (keep.has(placeId)) continue;
        retire(placeId, ended).catch((error: unknown) =>
          log.error('blocks.place-not-closed', { placeId, error: String(error) }),
        );
      }
    }
    return opened.move;
  }

  async function prepareFolder(directory: string, now: BlockLocationRecord): Promise<BlockPlaceRecord> {
    const present = settingOf(now.place);
    const own = present.kind === 'folder' ? present.directory : null;
    if (own !== null && (isInside(directory, own) || isInside(own, directory))) {
      throw precondition(
        `${directory} and ${own}, where the blocks are, lie in each other; choose another folder`,
      );
    }
    try {
      const names = await folders.list(directory);
      const marker = await folders.readMarker(directory);
      if (marker === null ? names.length > 0 : marker.serverId !== now.serverId) {
        const what = marker === null ? 'something in it' : 'the blocks of another server';
        throw precondition(`${directory} has ${what}; name a folder that is empty or not there yet`);
      }
      if (marker?.placeId === now.place.placeId) {
        throw precondition(`${directory} is where the blocks are already, under another name`);
      }
      await folders.prepare(directory);
      const placeId = marker?.placeId ?? createId<string>(environment.random.bytes(16));
      await folders.writeMarker(directory, { serverId: now.serverId, placeId });
      // Whether it can be used, with this key or without one, is better known now.
      if (!retiring.has(placeId)) {
        await (await openBlocks({ ...options, setting: { kind: 'folder', directory } })).close();
      }
      return { placeId, setting: `file:${directory}` };
    } catch (error) {
      if (isCairnError(error, 'precondition-failed')) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new CairnError(
        'precondition-failed',
        `blocks cannot be moved to ${directory}: ${reason}. Mend that, or choose another folder`,
        { cause: error },
      );
    }
  }

  function prepareNodes(setting: Extract<BlocksSetting, { kind: 'nodes' }>): BlockPlaceRecord {
    if (key !== null) {
      throw precondition(
        'the blocks of this server are sealed with its own key, and would not be on the nodes; that move is not possible. Nodes seal what they hold with keys of their own',
      );
    }
    const up = (cluster?.view?.health() ?? []).filter(
      (node) => node.state === 'up' && !node.isDraining && !node.isFull,
    ).length;
    if (up < setting.replicas) {
      throw precondition(
        `each block is to go to ${setting.replicas} storage nodes, but ${up} are up and can take any; let more join ("cairn admin nodes invite"), or see "cairn admin nodes"`,
      );
    }
    return { placeId: createId<string>(environment.random.bytes(16)), setting: describeSetting(setting) };
  }

  /** @throws CairnError `bad-request` */
  function parseTarget(target: string): BlocksSetting {
    if (target.startsWith('file:') && !isAbsolute(target.slice('file:'.length))) {
      throw new CairnError(
        'bad-request',
        `"${target}" does not begin with file:/; name the folder with its whole path on the server`,
      );
    }
    try {
      return parseBlocks(target, 'the target of the move');
    } catch (error) {
      if (!isCairnError(error, 'usage')) throw error;
      throw new CairnError('bad-request', error.message, { cause: error });
    }
  }

  function isSame(target: string, place: BlockPlaceRecord): boolean {
    const [one, other] = [parseTarget(target), settingOf(place)];
    if (one.kind === 'nodes' || other.kind === 'nodes') return one.kind === other.kind;
    return one.directory === other.directory;
  }

  const isInUse = () => isNodes(current.place) || (current.move !== null && isNodes(current.move.target));

  function needFaults(): ClusterView['faults'] {
    const faults = cluster?.view?.faults;
    if (faults !== undefined) return faults;
    throw precondition('no storage node has joined; "cairn admin nodes invite" makes a token for one');
  }

  return {
    blocks,
    warnOf: (location) => describeMovedAway(configured, isSaid, location),
    isSame,
    async prepare(target, now) {
      const setting = parseTarget(target);
      if (isSame(target, now.place)) {
        throw precondition(`the blocks are in ${now.place.setting} already; there is nothing to move`);
      }
      return setting.kind === 'folder' ? prepareFolder(setting.directory, now) : prepareNodes(setting);
    },
    apply,
    view: {
      get isInUse() {
        return isInUse();
      },
      health: () => cluster?.view?.health() ?? [],
      refresh: async () => cluster?.view?.refresh(),
      get replicas() {
        return cluster?.view?.replicas ?? 0;
      },
      get writeQuorum() {
        return cluster?.view?.writeQuorum ?? 0;
      },
      countReplicas: async (blockIds) => cluster?.view?.countReplicas(blockIds) ?? blockIds.map(() => 0),
      get codeAfterMs() {
        return cluster?.view?.codeAfterMs ?? null;
      },
      repair: () => cluster?.view?.repair() ?? NO_REPAIR,
      repairSoon: () => cluster?.view?.repairSoon(),
      faults: {
        holdOut: (nodeId, forMs) => needFaults().holdOut(nodeId, forMs),
        reportFull: async (nodeId, forMs) => needFaults().reportFull(nodeId, forMs),
        damageCanary: async (nodeId, blockId) => needFaults().damageCanary(nodeId, blockId),
        inspect: async (nodeId, blockId) => needFaults().inspect(nodeId, blockId),
        noteMissing: (blockId) => cluster?.view?.faults.noteMissing(blockId),
      },
    },
    wantedReplicas: () =>
      current.move === null && isNodes(current.place) ? (cluster?.view?.replicas ?? 0) : 0,
    start() {
      isStarted = true;
      cluster?.start(isInUse() ? 'serve' : 'watch');
      if (!isRecorded) log.warn('blocks.place-not-recorded', { place: location.place.setting });
    },
    close: closeAll,
  };
}

const NO_REPAIR: ReturnType<ClusterView['repair']> = {
  isRunning: false,
  checkedBlocks: 0,
  underReplicated: 0,
  repaired: 0,
  waiting: 0,
  unavailable: 0,
  lost: 0,
  codedBlocks: 0,
  codedBytes: 0,
  copiedBytes: 0,
  noted: 0,
  lastRunAt: null,
};
