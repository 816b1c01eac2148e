/** Commands that run for days, or move many bytes. */
const TUNED = new Set(['serve', 'sync', 'upload', 'put', 'download', 'get']);
/** A small young generation and a heap that grows in small steps keep garbage from spreading over hundreds of MiB. */
const HEAP_FLAGS = ['--max-semi-space-size=4', '--heap-growing-percent=30'];
/** A daemon gives its garbage back once it rests (`sync/trim-memory.ts`). */
const DAEMON_FLAGS = ['--expose-gc'];
/**
 * The server keeps little and makes much for a moment: with the smallest young generation and larger steps it needs
 * a fifth less CPU time for 20,000 small files, and 15 MB more memory.
 */
const SERVER_HEAP_FLAGS = ['--max-semi-space-size=2', '--heap-growing-percent=100'];
/**
 * Buffers count towards the heap's own limit instead of forcing a full collection for every few dozen MiB of them. What a
 * thread had for its heap goes when it ends: otherwise the runtime keeps that for other threads, of which there are none.
 */
const FLAGS = [
  '--external-memory-accounted-in-global-limit',
  '--external-memory-max-growing-factor=1.05',
  '--no-memory-pool-share-memory-on-teardown',
];

/**
 * Replaces this process by the same one with settings that only take effect at its start. Measured: a device's
 * peak with 20,000 small files falls from 390 MB to 220 MB, the server's CPU time for 1 GiB up and down from
 * 10.3 s to 6.1 s. Where a process cannot be replaced (Windows) nothing happens.
 */
export function tuneRuntime(): void {
  const [command] = process.argv.slice(2);
  if (command === undefined || !TUNED.has(command)) return;
  if (
    process.env['CAIRN_TUNED'] !== undefined ||
    process.platform === 'win32' ||
    process.execve === undefined
  )
    return;
  const heapFlags = command === 'serve' ? SERVER_HEAP_FLAGS : HEAP_FLAGS;
  const ownFlags = command === 'sync' ? [...heapFlags, ...DAEMON_FLAGS] : heapFlags;
  const words = [process.execPath, ...process.execArgv, ...ownFlags, ...FLAGS, ...process.argv.slice(1)];
  const variables = Object.fromEntries(
    Object.entries(process.env).filter(([, value]) => value !== undefined),
  );
  process.execve(process.execPath, words, {
    MALLOC_ARENA_MAX: '2',
    UV_THREADPOOL_SIZE: '16',
    ...variables,
    CAIRN_TUNED: '1',
  } as NodeJS.ProcessEnv);
}
