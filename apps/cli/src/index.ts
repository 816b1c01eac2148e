export type { CliContext, TextOutput } from './context.ts';
export { EXIT_CODES } from './exit-codes.ts';
export { runCli } from './run-cli.ts';
