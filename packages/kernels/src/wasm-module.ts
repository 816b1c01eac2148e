/** The compiled module, or `null` where WebAssembly with SIMD is missing or forbidden (by a content security policy, say). */
export function compileModule(base64: string): WebAssembly.Module | null {
  try {
    // Below 4 KiB, so that browsers allow it on the main thread without waiting.
    return new WebAssembly.Module(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
  } catch {
    // Not an error: the TypeScript twin takes over, and `implementation` says so.
    return null;
  }
}

const PAGE_BYTES = 65_536;

/**
 * Memory of fixed size (views of one that grows would come loose), or `null` when the engine grants no more.
 * @param shared other threads can see it; only modules that were made for that take it
 */
export function createMemory(sizeBytes: number, shared = false): WebAssembly.Memory | null {
  const pages = Math.ceil(sizeBytes / PAGE_BYTES);
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
  } catch (error) {
    // Engines reserve gigabytes of address space for each memory and refuse when that runs out.
    if (error instanceof RangeError) return null;
    throw error;
  }
}
