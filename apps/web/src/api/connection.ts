/**
 * `live`: changes of others arrive at once. `connecting`: not yet, or not any more. `unreachable`: the last question had no answer.
 * `offline`: the browser says that there is no network.
 */
export type Connection = 'live' | 'connecting' | 'unreachable' | 'offline';

let socketIsOpen = false;
let isReachable = true;
let state: Connection = read();
const listeners = new Set<() => void>();

function read(): Connection {
  if (socketIsOpen) return 'live';
  if (typeof navigator !== 'undefined' && !navigator.onLine) return 'offline';
  return isReachable ? 'connecting' : 'unreachable';
}

function publish(): void {
  const next = read();
  if (next === state) return;
  state = next;
  for (const listener of listeners) listener();
}

export function noteReachable(): void {
  isReachable = true;
  publish();
}

export function noteUnreachable(): void {
  isReachable = false;
  publish();
}

export function noteSocket(open: boolean): void {
  socketIsOpen = open;
  if (open) isReachable = true;
  publish();
}

if (typeof window !== 'undefined') {
  window.addEventListener('online', publish);
  window.addEventListener('offline', publish);
}

export const connectionStore = {
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  read: (): Connection => state,
};
