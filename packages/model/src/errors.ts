/**
 * Errors that may reach a person or another program. Codes are stable: scripts match on them. Programmer errors
 * are plain `Error`s and are not listed here.
 */
export const ERROR_CODES = {
  // who you are
  'not-signed-in': 'never',
  'token-expired': 'after-refresh',
  'session-revoked': 'never',
  'wrong-credentials': 'never',
  'name-taken': 'never',
  'sign-up-closed': 'never',
  'set-up-code-wrong': 'never',
  'too-many-attempts': 'later',
  // what you ask
  'bad-request': 'never',
  'bad-name': 'never',
  'bad-path': 'never',
  'cross-site': 'never',
  'not-found': 'never',
  'not-a-file': 'never',
  'not-a-folder': 'never',
  'already-exists': 'never',
  'too-large': 'never',
  'limit-reached': 'later',
  // the space
  conflict: 'after-refresh',
  'cursor-unknown': 'after-refresh',
  'blocks-missing': 'after-refresh',
  'block-wrong': 'never',
  'changeset-mismatch': 'never',
  'precondition-failed': 'after-refresh',
  'range-wrong': 'never',
  'quota-exceeded': 'never',
  'horizon-passed': 'never',
  'no-preview': 'never',
  // the server
  'storage-full': 'later',
  'data-damaged': 'never',
  unavailable: 'later',
  internal: 'later',
  // the client's own
  'server-unreachable': 'later',
  'not-a-cairn-server': 'never',
  'protocol-mismatch': 'never',
  'local-io': 'later',
  'local-disk-full': 'later',
  'local-changed': 'later',
  'root-missing': 'never',
  'root-foreign': 'never',
  'already-running': 'never',
  'not-running': 'never',
  'not-configured': 'never',
  'blocks-elsewhere': 'never',
  held: 'never',
  cancelled: 'never',
  usage: 'never',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;
/** When trying the same again may help. */
export type RetryClass = 'never' | 'later' | 'after-refresh';

export interface CairnErrorOptions {
  readonly cause?: unknown;
  /** Machine-readable facts that go with the code (conflicts, missing blocks, a limit). Never secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * @param code stable code
 * @param message what happened and what to do next, for a person; no secrets
 */
export class CairnError extends Error {
  override readonly name = 'CairnError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: CairnErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }

  get retry(): RetryClass {
    return ERROR_CODES[this.code];
  }
}

/** Whether `error` is a CairnError, optionally with one of the given codes. */
export function isCairnError(error: unknown, ...codes: ErrorCode[]): error is CairnError {
  return error instanceof CairnError && (codes.length === 0 || codes.includes(error.code));
}
