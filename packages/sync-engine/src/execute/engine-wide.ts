import { isCairnError } from '@cairn/model';

/** Errors that are about the connection or the account, not about one file. */
export function isEngineWide(error: unknown): boolean {
  return isCairnError(
    error,
    'server-unreachable',
    'not-a-cairn-server',
    'protocol-mismatch',
    'session-revoked',
    'not-signed-in',
    'token-expired',
    'storage-full',
    'quota-exceeded',
    'unavailable',
    'internal',
    'limit-reached',
    'too-many-attempts',
    'root-missing',
    'cancelled',
  );
}
