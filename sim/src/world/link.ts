import type { Draw } from '../random.ts';

/** What is wrong with a device's connection; all may change at any time. */
export interface LinkFaults {
  /** Nothing gets through, and that is known at once. */
  offline: boolean;
  /** Nothing gets through, and nobody says so: requests and sockets just stay silent. */
  halfOpen: boolean;
  /** Percent of the requests: lost on the way; done but their answer lost; done twice; answered too late. */
  lossBefore: number;
  lossAfter: number;
  duplicates: number;
  late: number;
  /** Percent of the answers that break in the middle. */
  broken: number;
  /** Percent of the requests that something in between answers with a status of its own. */
  strangers: number;
  /** Percent of the hints that are lost, and that come much later than those after them. */
  hintsLost: number;
  hintsLate: number;
  /** Percent of the answers with blocks in which a byte is another one than was sent. */
  damaged: number;
  /** That many commits from now on happen, but their answers are lost. */
  lostCommits: number;
}

export interface LinkShape {
  /** One way, milliseconds. */
  readonly latencyMs: readonly [number, number];
}

/** A device's connection to the server, with counts of what crossed it. */
export interface Link {
  readonly faults: LinkFaults;
  readonly shape: LinkShape;
  readonly draw: Draw;
  /** Of its own, so that damage leaves everything else as it is. */
  readonly damageDraw: Draw;
  requests: number;
  commits: number;
  packs: number;
  reads: number;
  /** Commits that were sent and are not answered yet. */
  openCommits: number;
}

const WELL: LinkFaults = {
  offline: false,
  halfOpen: false,
  lossBefore: 0,
  lossAfter: 0,
  duplicates: 0,
  late: 0,
  broken: 0,
  strangers: 0,
  hintsLost: 0,
  hintsLate: 0,
  damaged: 0,
  lostCommits: 0,
};

export function createLink(shape: LinkShape, draw: Draw, damageDraw: Draw): Link {
  const damaged = damageDraw.chance(6) ? damageDraw.pick([5, 40]) : 0;
  return {
    faults: { ...WELL, damaged },
    shape,
    draw,
    damageDraw,
    requests: 0,
    commits: 0,
    packs: 0,
    reads: 0,
    openCommits: 0,
  };
}

export function healLink(link: Link): void {
  Object.assign(link.faults, WELL);
}

export function latencyOf({ shape: { latencyMs }, draw }: Link): number {
  const [least, most] = latencyMs;
  return least + draw.below(Math.max(1, (most - least) * 10)) / 10;
}
