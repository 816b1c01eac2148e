/**
 * Bugs to plant, one at a time, in a copy of the sources: proof that the tests would notice. Each is a small change
 * of the kind that people make. `find` must stand exactly once in its file (a test checks it), so a bug follows the
 * code it is about or is found to have lost it.
 */
export interface PlantedBug {
  readonly name: string;
  /** What goes wrong for a user. */
  readonly harm: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Who should notice, tried in this order until one does. */
  readonly detectors: readonly Detector[];
}

/**
 * `sim`: the seeded world; `cluster`: the seeded cluster; `planner`: the planner's property tests; `scenario:<name>`: that scenario in one process;
 * `tests:<folder>`: that folder's tests, for what lies below the simulated disk.
 */
export type Detector = 'sim' | 'cluster' | 'planner' | `scenario:${string}` | `tests:${string}`;
