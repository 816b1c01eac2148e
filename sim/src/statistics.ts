/** How often something interesting happened, by name. */
export class Statistics {
  readonly #counts = new Map<string, number>();

  count(state: string, times = 1): void {
    this.#counts.set(state, (this.#counts.get(state) ?? 0) + times);
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }
}

/** How many runs met each state, and how often altogether. */
export class Tally {
  readonly #states = new Map<string, { runs: number; times: number }>();
  runs = 0;

  add(counts: Iterable<readonly [string, number]>): void {
    this.runs++;
    for (const [state, times] of counts) this.#add(state, 1, times);
  }

  merge(other: {
    readonly runs: number;
    readonly states: Readonly<Record<string, readonly [number, number]>>;
  }): void {
    this.runs += other.runs;
    for (const [state, [runs, times]] of Object.entries(other.states)) this.#add(state, runs, times);
  }

  get states(): ReadonlyMap<string, { readonly runs: number; readonly times: number }> {
    return this.#states;
  }

  toJson(): { runs: number; states: Record<string, [number, number]> } {
    const states: Record<string, [number, number]> = {};
    for (const state of [...this.#states.keys()].sort()) {
      const { runs, times } = this.#states.get(state) as { runs: number; times: number };
      states[state] = [runs, times];
    }
    return { runs: this.runs, states };
  }

  #add(state: string, runs: number, times: number): void {
    const known = this.#states.get(state);
    if (known === undefined) this.#states.set(state, { runs, times });
    else {
      known.runs += runs;
      known.times += times;
    }
  }
}
