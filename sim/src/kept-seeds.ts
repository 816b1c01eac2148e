/** Seeds that once found something, with what it was. Every one is run by the tests for ever. */
export const KEPT_SEEDS: readonly (readonly [seed: number, found: string])[] = [
  [1493, 'a folder that could not be listed counted as known when its name was seen'],
  [889, '"in sync" was said for minutes while the network was silent'],
];
