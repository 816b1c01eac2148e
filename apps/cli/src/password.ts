import { CairnError } from '@cairn/model';
import type { CliContext } from './context.ts';

const MAX_INPUT_BYTES = 4096;

export interface PasswordOptions {
  /** `--password-stdin` */
  readonly passwordStdin?: boolean | undefined;
  /** Ask twice, for a new password. */
  readonly confirm?: boolean;
}

/** The password from standard input, from CAIRN_PASSWORD, or typed without echo; never from the arguments. */
export async function readPassword(context: CliContext, options: PasswordOptions): Promise<string> {
  if (options.passwordStdin === true) return readFirstLine(context);
  const fromVariable = context.variables['CAIRN_PASSWORD'];
  if (fromVariable) return fromVariable;
  if (context.input.isTTY !== true) {
    throw new CairnError(
      'usage',
      'no password was given. Set CAIRN_PASSWORD, or pipe it in with --password-stdin',
    );
  }
  const typed = await ask('Password');
  if (options.confirm === true && (await ask('Password again')) !== typed) {
    throw new CairnError('usage', 'the two passwords differ. Try again');
  }
  return typed;
}

async function ask(message: string): Promise<string> {
  const { isCancel, password } = await import('@clack/prompts');
  const typed = await password({ message });
  if (isCancel(typed)) throw new CairnError('cancelled', 'cancelled');
  return typed;
}

/** The first line of standard input. @throws CairnError `usage` when there is none */
export async function readFirstLine(context: CliContext, what = 'password'): Promise<string> {
  let text = '';
  for await (const piece of context.input) {
    text += String(piece);
    if (text.includes('\n') || text.length > MAX_INPUT_BYTES) break;
  }
  const line = text.split('\n', 1)[0]?.replace(/\r$/, '') ?? '';
  if (line === '')
    throw new CairnError('usage', `standard input has no ${what} on its first line. Pipe one in`);
  return line;
}
