/** Set for a process that is to end when whoever started it has ended, however that came about. */
export const ENDS_WITH_PARENT = 'CAIRN_ENDS_WITH_PARENT';

/**
 * Asks this process to stop, as SIGTERM does, once its standard input ends, if its environment says so: the system closes
 * the other end when the parent dies, be it by SIGKILL. What this process starts itself does not take that over.
 */
export function endWithParent({ env, stdin, pid }: NodeJS.Process): void {
  if (env[ENDS_WITH_PARENT] !== '1') return;
  delete env[ENDS_WITH_PARENT];
  const stop = () => process.kill(pid, 'SIGTERM');
  stdin.once('end', stop).once('error', stop);
  stdin.resume();
  stdin.unref?.();
}
