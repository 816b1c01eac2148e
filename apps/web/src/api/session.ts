import type { CairnError } from '@cairn/model';
import { type MeResponse, meResponseSchema } from '@cairn/protocol';
import { isOffline, isSignedOut } from './errors.ts';
import { forgetKept } from './local-cache.ts';
import { queryClient } from './query-client.ts';
import { startRenewing, stopRenewing } from './renewal.ts';
import { ask, KEPT_ACCOUNT, signIn, tell, whenSessionEnds } from './request.ts';
import { forgetTokenLife } from './token-life.ts';

/** Why somebody who was signed in is not any more. */
export type SignedOutReason = 'new' | 'ended' | 'logged-out';

export type SessionState =
  | { readonly status: 'starting' }
  | { readonly status: 'unreachable'; readonly error: unknown }
  | { readonly status: 'signed-out'; readonly reason: SignedOutReason }
  | { readonly status: 'signed-in'; readonly me: MeResponse };

const TABS = 'cairn-session';

let state: SessionState = { status: 'starting' };
const listeners = new Set<() => void>();
const tabs = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(TABS);

function publish(next: SessionState): void {
  state = next;
  if (next.status === 'signed-in') {
    noteLeaving(false);
    startRenewing();
  } else stopRenewing();
  for (const listener of listeners) listener();
}

export const sessionStore = {
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  read: (): SessionState => state,
};

/** Finds out who is signed in. Without a server, what was kept of the last time is believed. */
export async function startSession(): Promise<void> {
  try {
    const me = await ask('/me', meResponseSchema);
    localStorage.setItem(KEPT_ACCOUNT, JSON.stringify(me));
    publish({ status: 'signed-in', me });
  } catch (error) {
    if (isSignedOut(error)) {
      const wasSignedIn = localStorage.getItem(KEPT_ACCOUNT) !== null;
      await endSession(wasSignedIn ? 'ended' : 'new');
      return;
    }
    const kept = readKeptAccount();
    if (isOffline(error) && kept !== null) publish({ status: 'signed-in', me: kept });
    else publish({ status: 'unreachable', error });
  }
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Signs in. Throws CairnError with `wrong-credentials` or `too-many-attempts`. */
export async function logIn(credentials: Credentials): Promise<void> {
  const json = { ...credentials, deviceName: describeBrowser(), session: 'cookie' };
  await signIn('/auth/login', json);
  await enter();
}

/** Makes an account and signs in. Throws CairnError with `name-taken`, `set-up-code-wrong`, `sign-up-closed`, … */
export async function register(credentials: Credentials & { readonly setUpCode?: string }): Promise<void> {
  const json = { ...credentials, deviceName: describeBrowser(), session: 'cookie' };
  await signIn('/auth/register', json);
  await enter();
}

async function enter(): Promise<void> {
  queryClient.clear();
  await forgetKept();
  await startSession();
  tabs?.postMessage('signed-in');
}

/** A tab that goes away while it ends the session leaves the others waiting no longer than this. */
const LEAVING_MS = 60_000;
let leavingUntilMs = 0;

/** Whether its person is ending the session, in this tab or another: what is asked now is refused, and that is no news. */
export function isLeavingSession(): boolean {
  return performance.now() < leavingUntilMs;
}

function noteLeaving(isLeaving: boolean): void {
  leavingUntilMs = isLeaving ? performance.now() + LEAVING_MS : 0;
}

/** Signs this browser out; without a server it at least says so. */
export async function logOut(): Promise<void> {
  await leaveBy(() => tell('/auth/logout', { json: {} }));
}

/**
 * Ends the session by something that its own person does here.
 * @param act throws when the server did not hear of it
 */
export async function leaveBy(act: () => Promise<void>): Promise<void> {
  // The news of it may come back over the socket before the answer does, here and in other tabs.
  noteLeaving(true);
  tabs?.postMessage('leaving');
  try {
    await act();
  } catch (error) {
    // Already signed out is as good; an unreachable server must be told later, so the person hears of it.
    if (!isSignedOut(error)) {
      noteLeaving(false);
      tabs?.postMessage('staying');
      throw error;
    }
  }
  await endSession('logged-out');
  tabs?.postMessage('signed-out');
}

let ending = false;

/** Forgets what this browser kept of the account, and shows the sign-in page. */
export async function endSession(reason: SignedOutReason): Promise<void> {
  if (ending || state.status === 'signed-out') return;
  ending = true;
  try {
    localStorage.removeItem(KEPT_ACCOUNT);
    forgetTokenLife();
    publish({ status: 'signed-out', reason });
    // What is still under way must not fill the cache again.
    void queryClient.cancelQueries();
    queryClient.clear();
    await forgetKept();
    for (const listener of forgetters) listener();
    navigator.serviceWorker?.controller?.postMessage('signed-out');
  } finally {
    ending = false;
  }
}

const forgetters = new Set<() => void>();

/** Calls the listener when the session ends, to forget what belongs to the account. */
export function onSignedOut(listener: () => void): () => void {
  forgetters.add(listener);
  return () => forgetters.delete(listener);
}

whenSessionEnds((_error: CairnError) => {
  if (state.status === 'signed-in') void endSession(isLeavingSession() ? 'logged-out' : 'ended');
});
tabs?.addEventListener('message', ({ data }) => {
  if (data === 'leaving') noteLeaving(true);
  if (data === 'staying') noteLeaving(false);
  if (data === 'signed-out') {
    // What this tab heard of the server first was only that its session had ended.
    if (state.status === 'signed-out') publish({ status: 'signed-out', reason: 'logged-out' });
    else void endSession('logged-out');
  }
  if (data === 'signed-in' && state.status !== 'signed-in') void startSession();
});

function readKeptAccount(): MeResponse | null {
  try {
    const parsed = meResponseSchema.safeParse(JSON.parse(localStorage.getItem(KEPT_ACCOUNT) ?? 'null'));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** A name for this browser in the list of devices, such as `Firefox on Linux`. */
export function describeBrowser(agent: string = navigator.userAgent): string {
  const browser =
    [
      [/\bEdg\//, 'Edge'],
      [/\bOPR\//, 'Opera'],
      [/\bFirefox\//, 'Firefox'],
      [/(Chrome|Chromium|CriOS)\//, 'Chrome'],
      [/\bSafari\//, 'Safari'],
    ].find(([pattern]) => (pattern as RegExp).test(agent))?.[1] ?? 'Browser';
  const system = [
    [/\bAndroid\b/, 'Android'],
    [/\b(iPhone|iPad)\b/, 'iOS'],
    [/\bWindows\b/, 'Windows'],
    [/\bMac OS X\b/, 'macOS'],
    [/\bLinux\b/, 'Linux'],
  ].find(([pattern]) => (pattern as RegExp).test(agent))?.[1];
  return system === undefined ? `${browser}` : `${browser} on ${system}`;
}
