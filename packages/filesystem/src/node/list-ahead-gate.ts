/** What the thread that lists ahead is started with. */
export interface ListAheadJob {
  readonly root: string;
  /** Whether folders are reached through descriptors, as the port's own `list` does. */
  readonly byDescriptor: boolean;
  readonly caseSensitive: boolean;
  readonly executableBit: boolean;
  /** Items after which it ends. */
  readonly maxItems: number;
  /** One number in shared memory: 0 until it may begin. */
  readonly gate: Int32Array<SharedArrayBuffer>;
}

/** Lets the thread begin. */
export function openGate(gate: Int32Array<SharedArrayBuffer>): void {
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
}

/** Stops this thread until it may begin; one that is ended meanwhile never returns. */
export function waitAtGate(gate: Int32Array<SharedArrayBuffer>): void {
  Atomics.wait(gate, 0, 0);
}
