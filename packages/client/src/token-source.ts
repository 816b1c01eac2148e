import { CairnError } from '@cairn/model';

/** Where access tokens come from; `null` for requests before signing in. */
export interface TokenSource {
  /** A token that should still be good. Throws `not-signed-in` or `session-revoked`. */
  current(signal?: AbortSignal): Promise<string>;
  /** A token other than `refused`, which the server did not accept any more. */
  replace(refused: string, signal?: AbortSignal): Promise<string>;
  /** The stored token, if it is not the one that the server `refused` for good; never asks the server. */
  reload(refused: string): Promise<string | null>;
}

/** The server does not accept this device's sign-in any more; only signing in again helps. */
export function sessionEnded(serverUrl: string, cause: unknown): CairnError {
  return new CairnError(
    'session-revoked',
    `the sign-in of this device has ended (it was revoked, or not used for a long time). Sign in again with "cairn login --server ${serverUrl}"`,
    { cause },
  );
}
