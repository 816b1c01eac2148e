import type { ErrorCode } from '@cairn/model';
import { z } from 'zod';

export interface ErrorDescription {
  readonly status: number;
  /** The same for every occurrence (RFC 9457); what happened this time is in `detail`. */
  readonly title: string;
}

/**
 * HTTP status and title of every error code. Codes that only a client raises never leave a server: they are
 * listed so that the table is total, and answer as an internal error.
 */
export const ERROR_TABLE: Readonly<Record<ErrorCode, ErrorDescription>> = {
  'not-signed-in': { status: 401, title: 'Not signed in' },
  'token-expired': { status: 401, title: 'Access token expired' },
  'session-revoked': { status: 401, title: 'Signed out' },
  'wrong-credentials': { status: 401, title: 'Wrong username or password' },
  'name-taken': { status: 409, title: 'Name taken' },
  'sign-up-closed': { status: 403, title: 'Sign-up is closed' },
  'set-up-code-wrong': { status: 403, title: 'Wrong set-up code' },
  'too-many-attempts': { status: 429, title: 'Too many attempts' },

  'bad-request': { status: 400, title: 'Bad request' },
  'bad-name': { status: 400, title: 'Not a usable name' },
  'bad-path': { status: 400, title: 'Not a usable path' },
  'cross-site': { status: 403, title: 'From another site' },
  'not-found': { status: 404, title: 'Not found' },
  'not-a-file': { status: 409, title: 'Not a file' },
  'not-a-folder': { status: 409, title: 'Not a folder' },
  'already-exists': { status: 409, title: 'Exists already' },
  'too-large': { status: 413, title: 'Too large' },
  'limit-reached': { status: 429, title: 'Limit reached' },

  conflict: { status: 409, title: 'Conflict' },
  'cursor-unknown': { status: 410, title: 'Unknown cursor' },
  'blocks-missing': { status: 409, title: 'Blocks missing' },
  'block-wrong': { status: 422, title: 'Block does not fit its id' },
  'changeset-mismatch': { status: 422, title: 'Changeset id used before' },
  'precondition-failed': { status: 412, title: 'Precondition failed' },
  'range-wrong': { status: 416, title: 'Range not satisfiable' },
  'quota-exceeded': { status: 507, title: 'Quota exceeded' },
  'horizon-passed': { status: 410, title: 'Too long ago' },
  'no-preview': { status: 415, title: 'No preview' },

  'storage-full': { status: 507, title: 'Storage full' },
  'data-damaged': { status: 500, title: 'Stored data damaged' },
  unavailable: { status: 503, title: 'Not available' },
  internal: { status: 500, title: 'Internal error' },

  'server-unreachable': { status: 500, title: 'Internal error' },
  'not-a-cairn-server': { status: 500, title: 'Internal error' },
  'protocol-mismatch': { status: 426, title: 'Protocol mismatch' },
  'local-io': { status: 500, title: 'Internal error' },
  'local-disk-full': { status: 500, title: 'Internal error' },
  'local-changed': { status: 500, title: 'Internal error' },
  'root-missing': { status: 500, title: 'Internal error' },
  'root-foreign': { status: 500, title: 'Internal error' },
  'already-running': { status: 500, title: 'Internal error' },
  'not-running': { status: 500, title: 'Internal error' },
  'not-configured': { status: 500, title: 'Internal error' },
  'blocks-elsewhere': { status: 500, title: 'Internal error' },
  held: { status: 500, title: 'Internal error' },
  cancelled: { status: 500, title: 'Internal error' },
  usage: { status: 500, title: 'Internal error' },
};

/**
 * Problem details (RFC 9457). `code` is stable and for programs, `detail` is for a person and says what to do
 * next. More members may follow, named by the code: `conflicts`, `blocks`, `retryAfterMs`, `issues`.
 */
export const problemSchema = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string(),
  requestId: z.string(),
});

export type Problem = z.infer<typeof problemSchema>;

/** The `type` member of a problem: a stable URI reference per code. */
export function problemType(code: ErrorCode): string {
  return `urn:cairn:problem:${code}`;
}
