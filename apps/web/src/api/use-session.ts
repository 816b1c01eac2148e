import type { MeResponse } from '@cairn/protocol';
import { useSyncExternalStore } from 'react';
import { type SessionState, sessionStore } from './session.ts';

export function useSession(): SessionState {
  return useSyncExternalStore(sessionStore.subscribe, sessionStore.read);
}

export interface Account {
  readonly me: MeResponse;
  readonly isAdministrator: boolean;
  readonly spaceId: MeResponse['spaces'][number]['spaceId'];
  readonly rootId: MeResponse['spaces'][number]['rootId'];
}

/** Who is signed in. Only for what is shown to somebody who is. */
export function useAccount(): Account {
  const state = useSession();
  const me = state.status === 'signed-in' ? state.me : null;
  const [personal] = me?.spaces ?? [];
  if (me === null || personal === undefined) throw new Error('nobody is signed in');
  return {
    me,
    isAdministrator: me.user.role === 'administrator',
    spaceId: personal.spaceId,
    rootId: personal.rootId,
  };
}
