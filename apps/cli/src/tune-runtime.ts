/** Commands that run for days; their memory matters more than the last bit of speed. */
const LONG_RUNNING = new Set(['serve', 'sync']);
/** A small young generation keeps short-lived garbage from spreading over hundreds of MiB before it is collected. */
const FLAGS = ['--max-semi-space-size=4'];

/**
 * Replaces this process by the same one with settings that only take effect at its start: fewer memory arenas
 * of the C library and a smaller young generation. Measured on 20,000 files they bring the peak from 390 MB to
 * 270 MB. Where a process cannot be replaced (Windows) nothing happens.
 */
export function tuneRuntime(): void {
  const [command] = process.argv.slice(2);
  if (command === undefined || !LONG_RUNNING.has(command)) return;
  if (
    process.env['CAIRN_TUNED'] !== undefined ||
    process.platform === 'win32' ||
    process.execve === undefined
  )
    return;
  const words = [process.execPath, ...process.execArgv, ...FLAGS, ...process.argv.slice(1)];
  const variables = Object.fromEntries(
    Object.entries(process.env).filter(([, value]) => value !== undefined),
  );
  process.execve(process.execPath, words, {
    MALLOC_ARENA_MAX: '2',
    ...variables,
    CAIRN_TUNED: '1',
  } as NodeJS.ProcessEnv);
}
