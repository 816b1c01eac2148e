import type { BlockId } from '@cairn/model';
import type { BlockLocation, BlockStore } from '../block-store.ts';

const PAGE_BLOCKS = 500;

async function* pagesOf(store: BlockStore, after: BlockId | undefined): AsyncGenerator<BlockLocation[]> {
  let page: BlockLocation[] = [];
  for await (const location of store.list(after)) {
    page.push(location);
    if (page.length < PAGE_BLOCKS) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/**
 * The blocks of two stores, each once with its higher generation: those of the first, then what the second alone has.
 * A block that gets into the first one meanwhile may be left out, as one that is written while any list is read.
 * @param after goes on behind this block; from the beginning when neither has it any more
 */
export async function* listBoth(
  first: BlockStore,
  second: BlockStore,
  after: BlockId | undefined,
): AsyncGenerator<BlockLocation> {
  const isIn = async (store: BlockStore) => after !== undefined && (await store.has([after]))[0] === true;
  const isInFirst = await isIn(first);
  const isInSecond = !isInFirst && (await isIn(second));
  if (!isInSecond) {
    for await (const page of pagesOf(first, isInFirst ? after : undefined)) {
      const others = await second.locate(page.map(({ blockId }) => blockId));
      for (const [index, location] of page.entries()) {
        const other = others[index] ?? null;
        yield other !== null && other.generation > location.generation ? other : location;
      }
    }
  }
  for await (const page of pagesOf(second, isInSecond ? after : undefined)) {
    const isTold = await first.has(page.map(({ blockId }) => blockId));
    for (const [index, location] of page.entries()) if (isTold[index] !== true) yield location;
  }
}
