/**
 * Seeds of clusters that once found something, with what it was. Every one is run by the tests for ever. They mean other
 * histories after a change of what is drawn; what they found has a test of its own where it was.
 */
export const KEPT_CLUSTER_SEEDS: readonly (readonly [seed: number, found: string])[] = [
  [2, 'when all nodes were drained, every replica counted as surplus and was deleted'],
  [6, 'the same, with two servers and three nodes'],
  [17, 'of two removals of a node at the same time, one failed with an internal error'],
  [100226, 'a server that did not know the newest nodes yet said that blocks on them were lost'],
  [143, 'a segment found after a kill counted as durable before its name was, and a power cut took it'],
];
