import { type EntryId, isCairnError } from '@cairn/model';
import { useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import { readEntry } from '../../api/entries.ts';

/** When the folder that is shown was renamed or moved elsewhere, the page goes with it. */
export function useFollowFolder(entryId: EntryId | undefined, path: string, error: unknown): void {
  const navigate = useNavigate();
  const isGone = entryId !== undefined && isCairnError(error, 'not-found');
  useEffect(() => {
    if (!isGone || entryId === undefined) return;
    const abort = new AbortController();
    readEntry(entryId, abort.signal)
      .then((entry) => {
        if (entry.path === path || abort.signal.aborted) return;
        void navigate({ to: '/files/$', params: { _splat: entry.path.slice(1) }, replace: true });
      })
      // It is in the trash, or there is no server: the page says so already.
      .catch(() => undefined);
    return () => abort.abort();
  }, [isGone, entryId, path, navigate]);
}
