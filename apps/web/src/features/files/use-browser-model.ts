import type { FileObject } from '@cairn/protocol';
import { useEffect, useMemo, useReducer, useRef, useState, useSyncExternalStore } from 'react';
import type { BrowserModel } from './browser-model.ts';
import { clipboardStore } from './clipboard.ts';
import { NOTHING_SELECTED, select } from './selection.ts';
import type { FileActions } from './use-file-actions.ts';

const NOTHING_CUT: ReadonlySet<string> = new Set();

/** Brings entries, selection, clipboard and actions together. `place` names what is shown; another one selects nothing. */
export function useBrowserModel(
  entries: readonly FileObject[],
  place: string,
  options: Pick<BrowserModel, 'showsPlaces' | 'label' | 'dropInto'> & { readonly actions: FileActions },
): BrowserModel {
  const [selection, dispatch] = useReducer(select, NOTHING_SELECTED);
  const [renamingId, setRenamingId] = useState<string | null>(null);
  const clipboard = useSyncExternalStore(clipboardStore.subscribe, clipboardStore.read);
  const ids = useMemo(() => entries.map(({ entryId }) => entryId as string), [entries]);
  const before = useRef<{ place: string; ids: readonly string[] }>({ place, ids });

  useEffect(() => {
    const previous = before.current;
    before.current = { place, ids };
    if (previous.place !== place) {
      dispatch({ type: 'keep', ids: new Set(), next: null });
      return;
    }
    if (previous.ids === ids) return;
    // What went takes its selection along; the keyboard goes on at its neighbour.
    const present = new Set(ids);
    const active = selection.active === null ? -1 : previous.ids.indexOf(selection.active);
    const next =
      active < 0
        ? null
        : (previous.ids.slice(active).find((id) => present.has(id)) ??
          previous.ids.slice(0, active).findLast((id) => present.has(id)) ??
          null);
    dispatch({ type: 'keep', ids: present, next });
  }, [ids, place, selection.active]);

  const cutIds = useMemo(
    () =>
      clipboard?.kind === 'cut'
        ? new Set<string>(clipboard.entries.map(({ entryId }) => entryId))
        : NOTHING_CUT,
    [clipboard],
  );
  return { entries, ids, selection, dispatch, renamingId, setRenamingId, cutIds, ...options };
}
