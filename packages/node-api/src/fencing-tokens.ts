import type { BlockLocation, Fence } from '@cairn/block-store';
import { CairnError } from '@cairn/model';
import type { FencingTokens, NodeApiOptions } from './node-api-options.ts';

/**
 * The highest token of each job that a node has seen.
 * @param found what was kept of them before
 * @param save resolves when they are durable; a token counts only then
 */
export function createFencingTokens(
  found: Readonly<Record<string, number>>,
  save: (tokens: Readonly<Record<string, number>>) => Promise<void>,
): FencingTokens {
  let highest = found;
  let writing: Promise<void> = Promise.resolve();
  return {
    get highest() {
      return highest;
    },
    async admit({ job, token }) {
      // One after the other, so that a lower token cannot be written over a higher one.
      const mine = writing.then(async () => {
        const known = highest[job] ?? 0;
        if (token < known) {
          throw new CairnError(
            'precondition-failed',
            'another server does this job by now; this request is from one that was late',
          );
        }
        if (token === known) return;
        const next = { ...highest, [job]: token };
        await save(next);
        highest = next;
      });
      writing = mine.catch(() => undefined);
      return mine;
    },
  };
}

/**
 * Deletes blocks, each of its generation only, for whoever has the highest token of the job.
 * @returns whether each was there, in the same order
 * @throws CairnError `precondition-failed` when a higher one was seen, and what the store throws
 */
export async function deleteWithFence(
  { blocks, fencing }: Pick<NodeApiOptions, 'blocks' | 'fencing'>,
  locations: readonly Pick<BlockLocation, 'blockId' | 'generation'>[],
  fence: Fence | undefined,
): Promise<boolean[]> {
  if (fence !== undefined) await fencing.admit(fence);
  // At the same time, so that they share a flush.
  const results = await Promise.allSettled(
    locations.map(({ blockId, generation }) => blocks.delete({ blockId, generation })),
  );
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
