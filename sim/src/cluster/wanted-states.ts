/** What a cluster worth its name goes through. One of these never met in many runs means that the simulator is blind there. */
export const WANTED_CLUSTER_STATES: readonly string[] = [
  'committed',
  'node-killed',
  'node:suspect',
  'node:down',
  'node:out',
  'node:fenced',
];
