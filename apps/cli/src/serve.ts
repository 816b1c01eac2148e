import { runServer } from '@cairn/server';
import { type CliContext, print } from './context.ts';

export interface ServeFlags {
  readonly data?: string;
  readonly host?: string;
  readonly port?: string;
  readonly config?: string;
  readonly printConfig?: boolean;
  readonly blocksAreHere?: boolean;
}

/** `cairn serve`: runs until a signal asks it to stop. */
export function serve(context: CliContext, flags: ServeFlags): Promise<void> {
  return runServer(flags, {
    variables: context.variables,
    cwd: process.cwd(),
    print: (text) => print(context, text.replace(/\n$/, '')),
  });
}
