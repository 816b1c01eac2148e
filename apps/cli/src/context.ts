import type { Readable } from 'node:stream';

/** What a command may touch of its process; tests pass their own. */
export interface CliContext {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly output: TextOutput;
  readonly errors: TextOutput;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

export interface TextOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Prints lines to standard output. */
export function print(context: CliContext, ...lines: string[]): void {
  for (const line of lines) context.output.write(`${line}\n`);
}

/** Prints data for programs: one JSON document. */
export function printJson(context: CliContext, value: unknown): void {
  context.output.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Prints remarks to standard error, so that they never get among data. */
export function remark(context: CliContext, ...lines: string[]): void {
  for (const line of lines) context.errors.write(`${line}\n`);
}

/** Bold, dim and green only where a person looks at a terminal that wants colours. */
export function paint(
  context: CliContext,
  style: 'bold' | 'dim' | 'green' | 'red' | 'blue',
  text: string,
): string {
  if (context.output.isTTY !== true || context.variables['NO_COLOR'] || context.variables['TERM'] === 'dumb')
    return text;
  const codes = { bold: [1, 22], dim: [2, 22], green: [32, 39], red: [31, 39], blue: [34, 39] } as const;
  const [on, off] = codes[style];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}
