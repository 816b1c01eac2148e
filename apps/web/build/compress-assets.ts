import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Plugin } from 'vite';

const COMPRESSIBLE = /\.(js|css|html|svg|json|wasm|webmanifest|txt)$/;
/** Below this, a compressed answer saves less than its header costs. */
const MIN_BYTES = 1024;
/** The best (11) takes ten times as long, at each `npm ci`, for some 4 % less. */
const BROTLI_QUALITY = 9;

const toBrotli = promisify(brotliCompress);
const toGzip = promisify(gzip);

/** Writes `.br` and `.gz` beside what is worth it, so that the server never compresses while it answers. */
export function compressAssets(): Plugin {
  let folder = '';
  return {
    name: 'cairn:compress-assets',
    apply: 'build',
    configResolved(config) {
      folder = join(config.root, config.build.outDir);
    },
    // After `public/` was copied too.
    async closeBundle() {
      const items = await readdir(folder, { recursive: true, withFileTypes: true });
      for (const item of items) {
        if (!item.isFile() || !COMPRESSIBLE.test(item.name)) continue;
        const path = join(item.parentPath, item.name);
        const bytes = await readFile(path);
        if (bytes.length < MIN_BYTES) continue;
        const params = {
          [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
          [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        };
        const [brotli, gzipped] = await Promise.all([
          toBrotli(bytes, { params }),
          toGzip(bytes, { level: constants.Z_BEST_COMPRESSION }),
        ]);
        if (brotli.length < bytes.length) await writeFile(`${path}.br`, brotli);
        if (gzipped.length < bytes.length) await writeFile(`${path}.gz`, gzipped);
      }
    },
  };
}
