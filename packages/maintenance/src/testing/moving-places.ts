import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type BlockStore,
  createMemoryBlockStore,
  createMovingBlockStore,
  createSwitchingBlockStore,
} from '@cairn/block-store';
import type { BlockLocationRecord, BlockPlaceRecord, MetadataStore } from '@cairn/metadata-store';
import type { BlockPlaces } from '../block-move-job.ts';
import type { OpenedMove } from '../move-blocks.ts';

/** Work that stands before each of its calls of a store until it is told to go on. */
interface Work {
  readonly name: string;
  readonly waiting: (() => void)[];
  hasEnded: boolean;
}

const present = new AsyncLocalStorage<Work>();

/** Nothing outside of such work ever waits here. */
async function turn(): Promise<void> {
  const work = present.getStore();
  if (work !== undefined) await new Promise<void>((resolve) => work.waiting.push(resolve));
}

/** All that goes on in memory at once has gone on after this. */
async function settle(): Promise<void> {
  for (let round = 0; round < 3; round++) await new Promise((resolve) => setImmediate(resolve));
}

function paced(store: BlockStore): BlockStore {
  const wait =
    <Input extends unknown[], Result>(call: (...input: Input) => Promise<Result>) =>
    async (...input: Input) => {
      await turn();
      return call(...input);
    };
  return {
    ...store,
    put: wait(store.put),
    get: wait(store.get),
    has: wait(store.has),
    locate: wait(store.locate),
    delete: wait(store.delete),
    async *getMany(blockIds) {
      for (const blockId of blockIds) {
        await turn();
        yield await store.get(blockId);
      }
    },
    async *list(after) {
      for await (const location of store.list(after)) {
        yield location;
        await turn();
      }
    },
  };
}

export const PLACES = ['file:/a', 'file:/b', 'file:/c'] as const;

/** Places of blocks in memory, and work in the midst of which they are moved, one call after the other. */
export function createMovingPlaces(store: MetadataStore) {
  const memories = new Map(PLACES.map((setting) => [setting as string, createMemoryBlockStore()]));
  const stores = new Map([...memories].map(([setting, memory]) => [setting, paced(memory)]));
  const storeOf = ({ setting }: BlockPlaceRecord) => stores.get(setting) as BlockStore;
  const works: Work[] = [];
  const failures: string[] = [];
  const first: BlockLocationRecord = {
    serverId: 'server',
    place: { placeId: PLACES[0], setting: PLACES[0] },
    previous: null,
    movedAt: null,
    leftBlocks: 0,
    move: null,
  };
  const blocks = createSwitchingBlockStore(storeOf(first.place));
  let opened: OpenedMove | null = null;
  let applied = '';

  async function apply(location: BlockLocationRecord, isNew = false): Promise<OpenedMove | null> {
    const { place, move } = location;
    const described = JSON.stringify([place, move?.target, move?.isReturn]);
    if (described === applied && !isNew) return opened;
    applied = described;
    if (move === null) {
      opened = null;
      void blocks.replace(storeOf(place));
    } else {
      const [from, to] = (move.isReturn ? [move.target, place] : [place, move.target]).map(storeOf) as [
        BlockStore,
        BlockStore,
      ];
      opened = { from, to, isComplete: (blockIds) => to.has(blockIds) };
      void blocks.replace(createMovingBlockStore({ from, to, verify: () => true }));
    }
    return opened;
  }

  const places: BlockPlaces = {
    warnOf: () => null,
    isSame: (target, place) => target === place.setting,
    prepare: async (target) => ({ placeId: target, setting: target }),
    apply: (location) => apply(location),
  };

  return {
    places,
    blocks,
    memories,
    failures,
    /** For work: its calls of the database stand as well. */
    store: {
      ...store,
      read: async (work) => {
        await turn();
        return store.read(work);
      },
      transact: async (work) => {
        await turn();
        return store.transact(work);
      },
    } satisfies MetadataStore as MetadataStore,
    begin: () => store.transact((transaction) => transaction.setBlockLocation(first)),
    /** Names of the work that stands, and may go on. */
    standing: () => works.filter(({ waiting }) => waiting.length > 0).map(({ name }) => name),
    isRunning: (name: string) => works.some((work) => work.name === name),
    async start(name: string, work: () => Promise<void>): Promise<void> {
      const started: Work = { name, waiting: [], hasEnded: false };
      works.push(started);
      present
        .run(started, work)
        .catch((error: unknown) => {
          failures.push(`${name}: ${String(error)}`);
        })
        .finally(() => {
          const place = works.indexOf(started);
          if (place >= 0) works.splice(place, 1);
        });
      await settle();
    },
    /** Lets one call of this work be made, and what follows from it. */
    async step(name: string): Promise<void> {
      works.find((work) => work.name === name)?.waiting.shift()?.();
      await settle();
    },
    /** The process ends, and another one starts with what is recorded. */
    async crash(): Promise<void> {
      works.splice(0);
      const location = await store.read((reader) => reader.getBlockLocation());
      if (location !== undefined) await apply(location, true);
    },
  };
}
