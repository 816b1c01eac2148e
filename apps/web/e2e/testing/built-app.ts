import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const REPOSITORY = join(import.meta.dirname, '..', '..', '..', '..');
const WEB = join(REPOSITORY, 'apps', 'web');
const PAGE = join(WEB, 'dist', 'index.html');
/** A folder can be made by one process only. */
const LOCK = join(WEB, 'node_modules', '.build-lock');
const LOCK_STALE_MS = 300_000;
const POLL_MS = 200;

async function newestChange(folder: string): Promise<number> {
  let newest = 0;
  for (const item of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!item.isFile() || item.name.endsWith('.test.ts')) continue;
    const path = join(item.parentPath, item.name);
    // What an editor took away meanwhile was no source.
    newest = Math.max(newest, (await stat(path).catch(() => null))?.mtimeMs ?? 0);
  }
  return newest;
}

async function isFresh(): Promise<boolean> {
  if (!existsSync(PAGE)) return false;
  const builtAtMs = (await stat(PAGE)).mtimeMs;
  const packages = ['client', 'content', 'environment', 'kernels', 'model', 'protocol'];
  const folders = [
    ...['src', 'build'].map((name) => join(WEB, name)),
    ...packages.map((name) => join(REPOSITORY, 'packages', name, 'src')),
  ];
  for (const folder of folders) if ((await newestChange(folder)) > builtAtMs) return false;
  return true;
}

async function build(): Promise<void> {
  const vite = join(
    dirname(createRequire(join(WEB, 'package.json')).resolve('vite/package.json')),
    'bin',
    'vite.js',
  );
  const child = spawn(process.execPath, [vite, 'build', 'apps/web', '--logLevel', 'warn'], {
    cwd: REPOSITORY,
    // Vitest's own settings would make a build for tests.
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`the web app cannot be built:\n${output.trim()}`);
  // Such as code of Node's in what browsers load.
  if (output.trim() !== '') throw new Error(`the build of the web app warns:\n${output.trim()}`);
}

/** Builds the web app if it is missing or older than its sources; several test files at once build it once. */
export async function ensureBuilt(): Promise<void> {
  await mkdir(dirname(LOCK), { recursive: true });
  for (;;) {
    try {
      await mkdir(LOCK);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const since = (await stat(LOCK).catch(() => null))?.mtimeMs ?? Date.now();
      if (Date.now() - since > LOCK_STALE_MS) await rm(LOCK, { recursive: true, force: true });
      else await sleep(POLL_MS);
    }
  }
  try {
    if (!(await isFresh())) await build();
  } finally {
    await rm(LOCK, { recursive: true, force: true });
  }
}
