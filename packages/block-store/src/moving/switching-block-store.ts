import type { BlockStore } from '../block-store.ts';

/** A block store behind which another one can be put while it is in use. */
export interface SwitchingBlockStore extends BlockStore {
  /**
   * From now on calls go to `next`. Resolves when all that any other one was asked before, streams included, has ended;
   * those are the caller's to close then.
   */
  replace(next: BlockStore): Promise<void>;
}

/** Hands every call to the store that is behind it at that moment. Closes that one. */
export function createSwitchingBlockStore(first: BlockStore): SwitchingBlockStore {
  let current = first;
  const underWay = new Map<BlockStore, number>();
  const waiting = new Map<BlockStore, (() => void)[]>();

  function enter(): BlockStore {
    underWay.set(current, (underWay.get(current) ?? 0) + 1);
    return current;
  }

  function leave(store: BlockStore): void {
    const left = (underWay.get(store) ?? 0) - 1;
    if (left > 0) {
      underWay.set(store, left);
      return;
    }
    underWay.delete(store);
    for (const resolve of waiting.get(store) ?? []) resolve();
    waiting.delete(store);
  }

  async function call<Result>(work: (store: BlockStore) => Promise<Result>): Promise<Result> {
    const store = enter();
    try {
      return await work(store);
    } finally {
      leave(store);
    }
  }

  async function* stream<Item>(work: (store: BlockStore) => AsyncIterable<Item>): AsyncGenerator<Item> {
    const store = enter();
    try {
      yield* work(store);
    } finally {
      leave(store);
    }
  }

  return {
    replace(next) {
      current = next;
      const busy = [...underWay.keys()].filter((store) => store !== next);
      const ends = busy.map(
        (store) =>
          new Promise<void>((resolve) => {
            waiting.set(store, [...(waiting.get(store) ?? []), resolve]);
          }),
      );
      return Promise.all(ends).then(() => undefined);
    },
    put: (blocks, above) => call((store) => store.put(blocks, above)),
    get: (blockId) => call((store) => store.get(blockId)),
    getMany: (blockIds, memory) => stream((store) => store.getMany(blockIds, memory)),
    has: (blockIds) => call((store) => store.has(blockIds)),
    locate: (blockIds) => call((store) => store.locate(blockIds)),
    delete: (location, fence) => call((store) => store.delete(location, fence)),
    list: (after) => stream((store) => store.list(after)),
    usage: () => call((store) => store.usage()),
    compact: (options) => call((store) => store.compact(options)),
    scrub: (options) => call((store) => store.scrub(options)),
    checkHealth: () => call((store) => store.checkHealth()),
    close: () => current.close(),
  };
}
