import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

/** Time of `cp -r` and `sync` (of that filesystem only) in milliseconds. The copy stays until the run ends. */
export function measureCopy(source: string, target: string): number {
  const startMs = performance.now();
  execFileSync('sh', ['-c', 'cp -r "$1" "$2" && sync -f "$2"', 'sh', source, target]);
  return performance.now() - startMs;
}

/** Time of `rsync -a` into one folder and on into another; `null` where rsync is not installed. */
export function measureRsync(source: string, work: string): number | null {
  if (spawnSync('rsync', ['--version'], { stdio: 'ignore' }).status !== 0) return null;
  const middle = join(work, 'rsync-server');
  const end = join(work, 'rsync-b');
  const startMs = performance.now();
  execFileSync('rsync', ['-a', `${source}/`, `${middle}/`]);
  execFileSync('rsync', ['-a', `${middle}/`, `${end}/`]);
  const timeMs = performance.now() - startMs;
  for (const folder of [middle, end]) rmSync(folder, { recursive: true, force: true });
  return timeMs;
}
