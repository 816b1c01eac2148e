import { existsSync } from 'node:fs';
import { join } from 'node:path';
import tailwind from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { compressAssets } from './build/compress-assets.ts';
import { preloadFirstScreen } from './build/preload-first-screen.ts';

const root = import.meta.dirname;
const serviceWorker = join(root, 'src', 'service-worker.ts');

/** What the first screen needs, though other screens may need it, too. */
const FIRST_SCREEN = new RegExp(
  [
    'packages/(model|protocol)/src/',
    'node_modules/lucide-react/',
    'apps/web/src/(api|state|strings)/',
    'apps/web/src/transfers/(?!worker)',
    'apps/web/src/ui/(?!menu-content|dialog|confirm-dialog|tabs)',
    'apps/web/src/app/(logo|folder-link)',
    'apps/web/src/features/files/(describe-entry|name-editor|sort-entries|strings|thumbnail)',
  ].join('|'),
);

/** Builds the app into `dist`, which the server serves under a policy without inline code (ADR 0019 §4). */
export default defineConfig({
  root,
  plugins: [
    react(),
    tailwind(),
    preloadFirstScreen(['/src/app/start-app.tsx', '/src/features/files/files-page.tsx']),
    compressAssets(),
  ],
  resolve: {
    alias: { 'react-style-singleton': join(root, 'build', 'constructed-styles.ts') },
  },
  worker: { format: 'es' },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: ['chrome120', 'firefox121', 'safari17'],
    // `data:` addresses are not within the policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // What a service worker may keep: source file → hashed assets.
    manifest: 'assets.json',
    rolldownOptions: {
      input: {
        app: join(root, 'index.html'),
        // Keeps its name, since its address is its identity. It imports nothing that the app imports too.
        ...(existsSync(serviceWorker) ? { 'service-worker': serviceWorker } : {}),
      },
      output: {
        entryFileNames: (chunk) =>
          chunk.name === 'service-worker' ? 'service-worker.js' : 'assets/[name]-[hash].js',
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
        // What every screen needs is one file: it compresses better than fifty small ones, and asks less.
        codeSplitting: {
          groups: [
            {
              name: 'base',
              test: /node_modules\/(react|react-dom|scheduler|@tanstack\/(?!react-virtual|virtual-core)[^/]+|zod)\//,
            },
            {
              name: 'common',
              test: FIRST_SCREEN,
            },
          ],
        },
      },
    },
  },
});
