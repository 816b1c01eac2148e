import type { ErrorCode } from '@cairn/model';

/** What the exit status of every command means; also printed by `cairn --help`. */
export const EXIT_CODES = {
  ok: 0,
  error: 1,
  usage: 2,
  notSignedIn: 3,
  unreachable: 4,
  notFound: 5,
  conflict: 6,
  partial: 7,
  interrupted: 130,
} as const;

export const EXIT_CODES_HELP = `Exit status:
  0 done · 1 error · 2 wrong usage · 3 not signed in · 4 server cannot be reached
  5 not found · 6 conflict · 7 done in part · 130 interrupted`;

const BY_CODE: Partial<Record<ErrorCode, number>> = {
  usage: EXIT_CODES.usage,
  'bad-path': EXIT_CODES.usage,
  'bad-name': EXIT_CODES.usage,
  'not-signed-in': EXIT_CODES.notSignedIn,
  'token-expired': EXIT_CODES.notSignedIn,
  'session-revoked': EXIT_CODES.notSignedIn,
  'wrong-credentials': EXIT_CODES.notSignedIn,
  'server-unreachable': EXIT_CODES.unreachable,
  'not-a-cairn-server': EXIT_CODES.unreachable,
  unavailable: EXIT_CODES.unreachable,
  'not-found': EXIT_CODES.notFound,
  conflict: EXIT_CODES.conflict,
  'already-exists': EXIT_CODES.conflict,
  'name-taken': EXIT_CODES.conflict,
  'precondition-failed': EXIT_CODES.conflict,
  cancelled: EXIT_CODES.interrupted,
};

/** Exit status for an error with this code. */
export function exitCodeOf(code: ErrorCode): number {
  return BY_CODE[code] ?? EXIT_CODES.error;
}
