import { Command } from 'commander';
import { COMMANDS } from './commands/index.ts';
import type { CliContext } from './context.ts';
import { EXIT_CODES_HELP } from './exit-codes.ts';
import type { SetExitCode } from './register-command.ts';

/** The whole command line. Never exits the process itself. */
export function createProgram(context: CliContext, setExitCode: SetExitCode): Command {
  const program = new Command('cairn')
    .description('Keeps folders the same on every device you own, with a server you own.')
    .version('0.1.0', '-V, --version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void context.output.write(text),
      writeErr: (text) => void context.errors.write(text),
      getOutHelpWidth: () => context.output.columns ?? 100,
      getErrHelpWidth: () => context.errors.columns ?? 100,
      outputError: (text, write) =>
        write(
          `cairn: ${text
            .trim()
            .replace(/^error: /, '')
            .replace(/\.?$/, '.')} See "cairn --help" or "cairn COMMAND --help".\n`,
        ),
    })
    .showSuggestionAfterError(true)
    .enablePositionalOptions()
    .addHelpText(
      'after',
      `
First steps:
  cairn serve                                           start a server on this machine
  cairn signup --server http://127.0.0.1:8000 --username ann
  cairn upload photos /                                 copy a folder to the server
  cairn sync ~/Cairn                                    keep a folder the same as the server

${EXIT_CODES_HELP}

Environment: CAIRN_SERVER, CAIRN_HOME, CAIRN_DEVICE, CAIRN_PASSWORD, CAIRN_ALLOW_HTTP=1, CAIRN_DEBUG=1`,
    );
  for (const register of COMMANDS) register(program, context, setExitCode);
  return program;
}
