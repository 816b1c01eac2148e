// Plain JavaScript that any Node from 18 on can read.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const SOURCE = ['apps', 'cli', 'src', 'main.ts'];
const BUNDLE = ['apps', 'cli', 'dist'];

// Not imported: whoever imports this one has its streams made, too, which is 25 ms of every start.
const require = createRequire(import.meta.url);
const { readFileSync, statSync } = require('node:fs');

/**
 * What to start: the bundle that `npm ci` put together, if it is whole and of exactly the sources that are here now, or else
 * the sources (docs/adr/0034).
 * @param {string} root the repository
 * @returns {{ path: string, isBundle: boolean }}
 */
export function findProgram(root) {
  const isBundle = isUpToDate(root);
  return { path: isBundle ? join(root, ...BUNDLE, 'main.mjs') : join(root, ...SOURCE), isBundle };
}

function isUpToDate(root) {
  try {
    const { format, files } = JSON.parse(readFileSync(join(root, ...BUNDLE, 'manifest.json'), 'utf8'));
    return format === 1 && files.length > 0 && files.every((file) => isUnchanged(root, file));
  } catch {
    // There is no bundle, or a file of it or a source is gone: sources are always right.
    return false;
  }
}

/** Copies, images and archives keep bytes, but not always times. */
function isUnchanged(root, [path, bytes, modifiedMs, sha256]) {
  const file = `${root}/${path}`;
  const { size, mtimeMs } = statSync(file);
  if (size !== bytes) return false;
  return mtimeMs === modifiedMs || hash(file) === sha256;
}

function hash(file) {
  return require('node:crypto').createHash('sha256').update(readFileSync(file)).digest('hex');
}
