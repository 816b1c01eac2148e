import { CairnError } from '@cairn/model';
import type { CliContext } from './context.ts';

export interface ServeFlags {
  readonly data?: string;
  readonly host?: string;
  readonly port?: string;
  readonly printConfig?: boolean;
}

/** `cairn serve` */
export async function serve(_context: CliContext, _flags: ServeFlags): Promise<void> {
  throw new CairnError('unavailable', 'the server is not part of this build yet');
}
