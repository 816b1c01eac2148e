import module from 'node:module';
import { endWithParent } from './end-with-parent.ts';
import { tuneRuntime } from './tune-runtime.ts';

/** By then whatever was started is at rest. */
const FLUSH_CACHE_MS = 20_000;

tuneRuntime();
// Sources are stripped of their types once, not at every start; the stripper's memory is saved, too.
module.enableCompileCache();
// Stacks then name the sources, not the bundle.
if (process.env['CAIRN_DEBUG']) process.setSourceMapsEnabled(true);
// It is written when a process ends by itself; one that runs for days mostly does not.
setTimeout(() => module.flushCompileCache(), FLUSH_CACHE_MS).unref();

const [{ CairnError }, { runCli }] = await Promise.all([import('@cairn/model'), import('./run-cli.ts')]);

const interruption = new AbortController();
let interrupted = false;

function onSignal(): void {
  // The second Ctrl-C does not wait for a clean end.
  if (interrupted) process.exit(130);
  interrupted = true;
  interruption.abort(new CairnError('cancelled', 'interrupted'));
}
process.on('SIGINT', onSignal);
process.on('SIGTERM', onSignal);
endWithParent(process);
// `cairn list | head` closes our output early; that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

process.exitCode = await runCli(process.argv.slice(2), {
  variables: process.env,
  input: process.stdin,
  output: process.stdout,
  errors: process.stderr,
  signal: interruption.signal,
});
// A prompt may have left standard input flowing, which would keep the process alive.
process.stdin.unref?.();
