import { CairnError } from '@cairn/model';
import { InvalidStateError } from '../invalid-state.ts';

const PRIMARY_CODE_MASK = 0xff;
const BUSY = 5;
const READ_ONLY = 8;
const IO_ERROR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANNOT_OPEN = 14;
const CONSTRAINT = 19;
const NOT_A_DATABASE = 26;

/** The SQLite result code of an error of `node:sqlite`, without its extension; `null` for any other error. */
export function sqliteCode(error: unknown): number | null {
  if (!(error instanceof Error)) return null;
  const errcode = (error as Error & { errcode?: unknown }).errcode;
  return typeof errcode === 'number' ? errcode & PRIMARY_CODE_MASK : null;
}

/** Whether nothing more may be written through this connection: a failed write or sync leaves unknown pages. */
export function isFatal(error: unknown): boolean {
  const code = sqliteCode(error instanceof CairnError ? error.cause : error);
  return code === IO_ERROR || code === CORRUPT || code === NOT_A_DATABASE;
}

/** What SQLite reports, in our errors; errors of others stay as they are. */
export function translateError(error: unknown): unknown {
  switch (sqliteCode(error)) {
    case FULL:
      return new CairnError(
        'storage-full',
        'the disk with the metadata is full, so nothing was changed; free some space and try again',
        { cause: error },
      );
    case CORRUPT:
    case NOT_A_DATABASE:
      return new CairnError(
        'data-damaged',
        'the metadata database is damaged; stop the server and restore it from a backup',
        { cause: error },
      );
    case IO_ERROR:
      return new CairnError(
        'unavailable',
        'the disk failed under the metadata database; check the disk, then start the server again',
        { cause: error },
      );
    case BUSY:
      return new CairnError('unavailable', 'another process holds the metadata database; try again', {
        cause: error,
      });
    case READ_ONLY:
    case CANNOT_OPEN:
      return new CairnError(
        'unavailable',
        'the metadata database cannot be opened for writing; check that its folder exists and is writable',
        { cause: error },
      );
    case CONSTRAINT:
      return new InvalidStateError([ruleOf(error as Error)], { cause: error });
    default:
      return error;
  }
}

/** Whether a constraint of the schema refused a statement or, for deferred ones, the commit. */
export function isConstraint(error: unknown): boolean {
  return sqliteCode(error) === CONSTRAINT;
}

/** Uniqueness rules beside primary keys, by the columns that SQLite names. */
const UNIQUE_RULES: Readonly<Record<string, string>> = {
  'users.folded_username': 'one_user_per_name',
  'users.personal_space_id': 'one_user_per_personal_space',
  'members.space_id': 'one_owner_per_space',
  'entries.space_id': 'one_root_per_space',
  'entries.space_id, entries.parent_id, entries.trash_id, entries.folded_name, entries.parent_kind':
    'one_name_per_sibling',
};

/** The rule that a statement violated, from the message: triggers begin theirs with "cairn NAME: ". */
function ruleOf(error: Error): string {
  const [, trigger] = /^cairn (\w+): /.exec(error.message) ?? [];
  if (trigger !== undefined) return trigger;
  const [, kind, detail] = /^(\w+) constraint failed: (.*)$/.exec(error.message) ?? [];
  if (kind === 'UNIQUE' && detail !== undefined) {
    return UNIQUE_RULES[detail] ?? `${detail.slice(0, detail.indexOf('.'))}_key`;
  }
  return detail ?? error.message;
}
