import type { Log } from '@cairn/environment';

/** The one symbol that is ever looked up, with its signature: `int malloc_trim(size_t pad)` of the GNU C library. */
const SYMBOL = { malloc_trim: { arguments: ['u64'], return: 'i32' } } as const;
const WARNING = 'FFI is an experimental feature';

/**
 * Returns memory that the C library holds although nobody uses it to the system, by its own `malloc_trim`. What buffers, compiled
 * code and the database have freed stays with it for days otherwise, dozens of MiB after a large transfer, and nothing else in
 * Node reaches it: hence the foreign function interface of Node, which is loaded for this one constant function, from what is
 * linked into this process already, and only when it is first called. Where there is no such thing (another C library, macOS,
 * Windows, a runtime without the interface or forbidden to use it) nothing happens; the log says so once, for who looks for it.
 * @returns to be called where some milliseconds of pause are in nobody's way
 */
export function createFreedMemoryReturn(log: Log): () => void {
  let trim: (() => void) | null | undefined;
  return () => {
    if (trim === undefined) trim = findTrim(log);
    trim?.();
  };
}

function findTrim(log: Log): (() => void) | null {
  try {
    const { dlopen } = loadInterface();
    // Null: what is linked into this process.
    const { malloc_trim: trim } = dlopen(null, SYMBOL).functions;
    return () => void trim(0n);
  } catch (error) {
    log.debug('daemon.freed-memory-stays', { error: String(error) });
    return null;
  }
}

/** Without the runtime's warning that the interface may change: whoever reads the daemon's log can do nothing about that. */
function loadInterface(): typeof import('node:ffi') {
  const { emitWarning } = process;
  process.emitWarning = ((warning: string | Error, ...rest: never[]) => {
    if (!String(warning).startsWith(WARNING)) emitWarning.call(process, warning, ...rest);
  }) as typeof process.emitWarning;
  try {
    const loaded = process.getBuiltinModule('node:ffi');
    if (loaded === undefined) throw new Error('this runtime has no foreign function interface');
    return loaded;
  } finally {
    process.emitWarning = emitWarning;
  }
}
