import type { Command } from 'commander';
import type { CliContext } from './context.ts';

/** Tells the exit status of a command that ended without throwing (done in part). */
export type SetExitCode = (code: number) => void;
/** Adds one command to the program; heavy modules are imported when the command runs. */
export type RegisterCommand = (program: Command, context: CliContext, setExitCode: SetExitCode) => void;
