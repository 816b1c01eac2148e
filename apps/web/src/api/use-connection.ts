import { useSyncExternalStore } from 'react';
import { type Connection, connectionStore } from './connection.ts';

/** How the app and the server are connected just now. */
export function useConnection(): Connection {
  return useSyncExternalStore(connectionStore.subscribe, connectionStore.read);
}
