import type { WireBytes } from '../world/counting-proxy.ts';

/** The three processes of a world. */
export interface PerProcess<Value> {
  readonly server: Value;
  readonly a: Value;
  readonly b: Value;
}

export interface StepResult {
  readonly step: string;
  /** Until B had it, in milliseconds. */
  readonly timeMs: number;
  /** Until both devices said that they are in sync, in milliseconds; asked about twice a second. */
  readonly restMs: number;
  /** `cp -r` and `sync` of the same data, `null` where there is nothing to copy. */
  readonly floorMs: number | null;
  /** `rsync -a` to the server's place and on to B's, where installed. */
  readonly rsyncMs: number | null;
  /** Bytes of the data the step is about. */
  readonly dataBytes: number;
  /** Over both hops, counted until both devices were at rest; `null` without proxies. */
  readonly wire: { readonly a: WireBytes; readonly b: WireBytes } | null;
  /** During the step and until rest. */
  readonly cpuSeconds: PerProcess<number>;
  /** Peak during the step and until rest. */
  readonly peakRssBytes: PerProcess<number>;
  /** How A's and B's trees differed when both were at rest. */
  readonly differences: readonly string[];
}
