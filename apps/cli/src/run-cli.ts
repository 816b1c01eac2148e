import { CairnError, isCairnError } from '@cairn/model';
import { CommanderError } from 'commander';
import { type CliContext, remark } from './context.ts';
import { EXIT_CODES, exitCodeOf } from './exit-codes.ts';
import { showText } from './output/text.ts';
import { createProgram } from './program.ts';

/**
 * Runs one command line.
 * @param words without the runtime and the script
 * @returns the exit status
 */
export async function runCli(words: readonly string[], context: CliContext): Promise<number> {
  let exitCode: number = EXIT_CODES.ok;
  const program = createProgram(context, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(words, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage;
    return report(context, error, words);
  }
}

function report(context: CliContext, error: unknown, words: readonly string[]): number {
  const known = context.signal.aborted
    ? new CairnError('cancelled', 'interrupted', { cause: error })
    : isCairnError(error)
      ? error
      : new CairnError('internal', `something unforeseen happened: ${describe(error)}. Please report it`, {
          cause: error,
        });
  const detail = showText(known.message);
  remark(context, `cairn: ${detail}${/[.!?]$/.test(detail) ? '' : '.'}`);
  if (context.variables['CAIRN_DEBUG'] && error instanceof Error) remark(context, showStack(error));
  const end = words.indexOf('--');
  if ((end === -1 ? words : words.slice(0, end)).includes('--json')) {
    const requestId = known.details['requestId'];
    remark(
      context,
      JSON.stringify({ code: known.code, detail: known.message, ...(requestId ? { requestId } : {}) }),
    );
  }
  return exitCodeOf(known.code);
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function showStack(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${showStack(error.cause)}` : '';
  return (error.stack ?? error.message) + cause;
}
