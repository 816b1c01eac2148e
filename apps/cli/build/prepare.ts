import { join } from 'node:path';

/**
 * What `npm ci` runs at its end: puts the programs together, so that they start sooner. Where the tools for development are
 * left out (`--omit=dev`), what was put together before is used if it is of these sources.
 */
const root = join(import.meta.dirname, '..', '..', '..');

try {
  const { buildBundle } = await import('./bundle.ts');
  await buildBundle(root, join(root, 'apps', 'cli', 'dist'));
} catch (error) {
  if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') {
    console.log('command line: not bundled, since its tools are not installed (npm ci --omit=dev)');
  } else {
    console.error(`command line: could not be bundled, and runs from its sources (${error}).`);
  }
}
