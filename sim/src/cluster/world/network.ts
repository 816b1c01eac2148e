import type { Draw } from '../../random.ts';

/** The way between one server and one node. */
export interface Link {
  /** What the server sends does not arrive. */
  isDeafThere: boolean;
  /** What the node answers does not arrive. */
  isDeafBack: boolean;
  lossPercent: number;
  /** Of 100 messages, so many are late by up to half a minute. */
  latePercent: number;
  latencyMs: number;
}

/** All links of a world. */
export class Network {
  readonly #links = new Map<string, Link>();
  readonly draw: Draw;
  /** Everywhere, a message is lost or late now and then. */
  isRough: boolean;

  constructor(draw: Draw, isRough: boolean) {
    this.draw = draw;
    this.isRough = isRough;
  }

  link(server: string, node: string): Link {
    const key = `${server} ${node}`;
    let link = this.#links.get(key);
    if (link === undefined) {
      link = { isDeafThere: false, isDeafBack: false, lossPercent: 0, latePercent: 0, latencyMs: 1 };
      this.#links.set(key, link);
    }
    return link;
  }

  /** All links are as they should be; a rough network stays so. */
  heal(): void {
    this.#links.clear();
  }

  /** How long the next message takes; `null`: it never arrives. */
  travel(link: Link, isDeaf: boolean): number | null {
    const extra = this.isRough ? 1 : 0;
    if (isDeaf || this.draw.chance(link.lossPercent + extra)) return null;
    const base = this.draw.below(1 + link.latencyMs);
    return this.draw.chance(link.latePercent + extra) ? base + this.draw.below(30_000) : base;
  }
}
