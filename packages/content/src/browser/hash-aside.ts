type Hash = (bytes: Uint8Array) => Promise<Uint8Array>;

export interface HashAsideDeps {
  /** The browser's own; `null` where there is none, as in pages that came without encryption from another machine. */
  readonly native: Hash | null;
  /** Loads the one in WebAssembly. */
  loadWasm(): Promise<(bytes: Uint8Array) => Uint8Array>;
  /** Milliseconds of a clock that never goes back. */
  now(): number;
}

/**
 * Chromium copies what it is to hash, and from nearly 1 MiB on into memory that it takes from the system for every call:
 * on some systems that takes several times as long as hashing.
 */
const LARGE_BYTES = 900 * 1024;
/** The first call of either is slower than those that follow, and others use the processor, too: the best counts. */
const TRIALS = 4;

/** The fastest SHA-256 here for contents: which one that is for large blocks is tried out with the first of them. */
export function createHashAside({ native, loadWasm, now }: HashAsideDeps): Hash {
  let loading: ReturnType<HashAsideDeps['loadWasm']> | null = null;
  let trials = 0;
  const best = { native: Number.POSITIVE_INFINITY, wasm: Number.POSITIVE_INFINITY };
  /** One trial at a time: neither is to wait for the other. */
  let turn: Promise<unknown> = Promise.resolve();

  const load = (): ReturnType<HashAsideDeps['loadWasm']> => {
    loading ??= loadWasm();
    return loading;
  };
  const hashInWasm: Hash = async (bytes) => (await load())(bytes);

  async function tryBoth(own: Hash, bytes: Uint8Array): Promise<Uint8Array> {
    await load();
    const start = now();
    await own(bytes);
    const middle = now();
    const digest = await hashInWasm(bytes);
    best.native = Math.min(best.native, (middle - start) / bytes.length);
    best.wasm = Math.min(best.wasm, (now() - middle) / bytes.length);
    return digest;
  }

  return (bytes) => {
    if (native === null) return hashInWasm(bytes);
    if (bytes.length < LARGE_BYTES) return native(bytes);
    if (trials >= TRIALS) return best.wasm < best.native ? hashInWasm(bytes) : native(bytes);
    trials++;
    const tried = turn.then(() => tryBoth(native, bytes));
    // Whoever asked is told of what went wrong; it does not stop the next trial.
    turn = tried.catch(() => undefined);
    // Where WebAssembly is not to be had, the browser's own is what there is.
    return tried.catch(() => native(bytes));
  };
}
