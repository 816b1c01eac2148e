import { CairnError } from '@cairn/model';
import type { ContentPlatform } from '../platform.ts';
import { sha256 } from './sha256.ts';

/**
 * Hashing in browsers and their workers. There is no zstd in browsers: what they send goes uncompressed, and blocks
 * that were compressed elsewhere cannot be opened (an app reads files as the server serves them).
 */
export function createBrowserPlatform(): ContentPlatform {
  // Absent where the page came without encryption from another machine.
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  const hashAside = async (bytes: Uint8Array): Promise<Uint8Array> =>
    new Uint8Array(await (subtle as SubtleCrypto).digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
  return {
    sha256,
    ...(subtle === undefined ? {} : { sha256Aside: hashAside }),
    compress: () => null,
    decompress() {
      throw new CairnError('usage', 'browsers cannot decompress blocks; download the file instead');
    },
  };
}
