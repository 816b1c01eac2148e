import { isCairnError } from '@cairn/model';
import { t } from '../strings/t.ts';

/** What went wrong, for a person. The server's own words are made for that; others are replaced. */
export function sayError(error: unknown): string {
  if (isOffline(error)) return t('error.offline');
  if (isCairnError(error, 'not-a-cairn-server')) return t('error.otherForm');
  if (isCairnError(error)) {
    const text = error.message.trim();
    const sentence = text.charAt(0).toUpperCase() + text.slice(1);
    return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
  }
  return t('error.unknown');
}

/** Why somebody could not log out. Nothing goes on by itself here: the session is as good as before. */
export function sayLogOutError(error: unknown): string {
  return isOffline(error) ? t('error.stillLoggedIn') : sayError(error);
}

/** Whether the server could not be reached at all, so that what is cached is the best there is. */
export function isOffline(error: unknown): boolean {
  return isCairnError(error, 'server-unreachable');
}

/** Whether the sign-in has ended. */
export function isSignedOut(error: unknown): boolean {
  return isCairnError(error, 'not-signed-in', 'session-revoked', 'token-expired');
}
