import { CairnError } from '@cairn/model';
import type { CliContext } from './context.ts';

/**
 * Asks for a yes before something that cannot be taken back.
 * @param what what it does, for the error where nobody can be asked: `this deletes for good`
 * @param undone what is said after a no: `nothing was deleted`
 * @throws CairnError `usage` where nobody can be asked, `cancelled`
 */
export async function askToGoOn(
  context: CliContext,
  message: string,
  { what, undone }: { readonly what: string; readonly undone: string },
): Promise<void> {
  if (context.input.isTTY !== true) {
    throw new CairnError('usage', `${what}, and nobody is there to be asked. Add --yes`);
  }
  const { confirm } = await import('@clack/prompts');
  if ((await confirm({ message, initialValue: false })) !== true) {
    throw new CairnError('cancelled', `cancelled; ${undone}`);
  }
}
