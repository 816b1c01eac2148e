/** Seeds that once found something, with what it was. Every one is run by the tests for ever. */
export const KEPT_SEEDS: readonly (readonly [seed: number, found: string])[] = [
  [8, 'a second write of the same size within one step of a disk’s coarse times was never read'],
  [211, 'a hint that was lost on a connection that lives was never asked after'],
  [1256, 'a folder that could not be listed counted as known when its name was seen'],
];
