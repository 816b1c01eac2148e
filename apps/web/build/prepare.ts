import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * What `npm ci` runs at its end: builds the web app, so that `npm start` has it. Where the tools for development
 * are left out (`--omit=dev`), the app that was built before stays.
 */
const root = join(import.meta.dirname, '..', '..', '..');

function findVite(): string | null {
  try {
    const manifest = createRequire(import.meta.url).resolve('vite/package.json');
    return join(dirname(manifest), 'bin', 'vite.js');
  } catch {
    return null;
  }
}

const vite = findVite();
if (vite === null) {
  console.log('web app: not built, since its tools are not installed (npm ci --omit=dev)');
} else {
  const { status } = spawnSync(process.execPath, [vite, 'build', 'apps/web', '--logLevel', 'warn'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) {
    // The server, the daemon and the command line work without it; failing the whole install would not.
    console.error('web app: the build failed (see above). Everything else works; try "npm run build:web".');
  }
}
