import type { FileObject } from '@cairn/protocol';
import { onSignedOut } from '../../api/session.ts';

/** Entries that were cut or copied in this tab, waiting to be pasted. */
export interface Clipboard {
  readonly kind: 'cut' | 'copy';
  readonly entries: readonly FileObject[];
}

let clipboard: Clipboard | null = null;
const listeners = new Set<() => void>();

export function setClipboard(next: Clipboard | null): void {
  clipboard = next;
  for (const listener of listeners) listener();
}

export const clipboardStore = {
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  read: (): Clipboard | null => clipboard,
};

onSignedOut(() => setClipboard(null));
