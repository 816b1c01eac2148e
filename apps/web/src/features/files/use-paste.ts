import { useEffect, useRef } from 'react';
import type { Destination } from '../../api/entries.ts';
import { clipboardStore } from './clipboard.ts';
import type { FileActions } from './use-file-actions.ts';

/** Pastes files from outside, or entries that were cut or copied here, into the folder, wherever the focus is. */
export function usePaste(
  folder: Destination | null,
  actions: FileActions,
  upload: (transfer: DataTransfer, to: Destination) => Promise<void>,
): void {
  const current = useRef({ folder, actions, upload });
  useEffect(() => {
    current.current = { folder, actions, upload };
  });
  useEffect(() => {
    const onPaste = (event: ClipboardEvent) => {
      const { target, clipboardData } = event;
      if (
        event.defaultPrevented ||
        target instanceof HTMLInputElement ||
        target instanceof HTMLTextAreaElement
      )
        return;
      if (document.querySelector('[role="dialog"]') !== null) return;
      const now = current.current;
      if (now.folder === null) return;
      if (clipboardData?.types.includes('Files') === true) {
        event.preventDefault();
        void now.upload(clipboardData, now.folder);
        return;
      }
      const clipboard = clipboardStore.read();
      if (clipboard !== null) void now.actions.paste(clipboard, now.folder);
    };
    document.addEventListener('paste', onPaste);
    return () => document.removeEventListener('paste', onPaste);
  }, []);
}
