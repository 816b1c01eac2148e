import { CairnError } from '@cairn/model';
import type { ContentPlatform } from '../platform.ts';
import { createHashAside } from './hash-aside.ts';
import { sha256 } from './sha256.ts';

/**
 * Hashing in browsers and their workers. There is no zstd in browsers: what they send goes uncompressed, and blocks
 * that were compressed elsewhere cannot be opened (an app reads files as the server serves them).
 */
export function createBrowserPlatform(): ContentPlatform {
  // Absent where the page came without encryption from another machine.
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  const hashNatively = async (bytes: Uint8Array): Promise<Uint8Array> =>
    new Uint8Array(await (subtle as SubtleCrypto).digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
  return {
    sha256,
    sha256Aside: createHashAside({
      native: subtle === undefined ? null : hashNatively,
      // Gone where the server has another version of the app by now; the slowest way is a way, too.
      loadWasm: () =>
        import('./wasm-sha256.ts').then(
          ({ createWasmSha256 }) => createWasmSha256(),
          () => sha256,
        ),
      now: () => performance.now(),
    }),
    compress: () => null,
    decompress() {
      throw new CairnError('usage', 'browsers cannot decompress blocks; download the file instead');
    },
  };
}
