import type { FileObject } from '@cairn/protocol';
import { type KeyboardEvent, useRef } from 'react';
import type { Destination } from '../../api/entries.ts';
import { type BrowserModel, elementIdOf } from './browser-model.ts';
import { clipboardStore, setClipboard } from './clipboard.ts';
import { searchForm } from './sort-entries.ts';

const TYPE_AHEAD_MS = 900;

export interface GridKeysOptions {
  readonly model: BrowserModel;
  /** How many entries are side by side; 1 in a list. */
  readonly columns: number;
  /** How many rows a page is. */
  readonly pageRows: () => number;
  readonly scrollTo: (index: number) => void;
  /** The folder that is shown; null for results of a search. */
  readonly folder: Destination | null;
  readonly onUp: () => void;
}

/** Everything that the keyboard does in the list and in the grid. */
export function useGridKeys(options: GridKeysOptions): (event: KeyboardEvent<HTMLElement>) => void {
  const typed = useRef({ text: '', at: 0 });

  return (event) => {
    const { model, columns, scrollTo, folder } = options;
    const { entries, ids, selection, dispatch, actions } = model;
    if (event.defaultPrevented || event.altKey || isTyping(event.target)) {
      if (event.altKey && event.key === 'ArrowUp') take(options.onUp);
      return;
    }
    const control = event.ctrlKey || event.metaKey;
    const activeIndex = selection.active === null ? -1 : ids.indexOf(selection.active);
    const active = entries[activeIndex];
    const chosen = entries.filter(({ entryId }) => selection.selected.has(entryId));
    const targets: readonly FileObject[] = chosen.length > 0 ? chosen : active === undefined ? [] : [active];

    function take(act: () => void): void {
      event.preventDefault();
      event.stopPropagation();
      act();
    }

    function go(index: number): void {
      const next = Math.max(0, Math.min(entries.length - 1, index));
      const id = ids[next];
      if (id === undefined) return;
      if (event.shiftKey) dispatch({ type: 'range', id, ids, add: false });
      else if (control) dispatch({ type: 'walk', id });
      else dispatch({ type: 'only', id });
      scrollTo(next);
    }

    function step(by: number): void {
      take(() => go(activeIndex < 0 ? 0 : activeIndex + by));
    }

    function typeAhead(key: string): void {
      const now = performance.now();
      const isFresh = now - typed.current.at > TYPE_AHEAD_MS;
      const text = isFresh ? key : typed.current.text + key;
      typed.current = { text, at: now };
      const wanted = searchForm(text);
      // A new letter goes on from here; more letters may stay where they are.
      const start = Math.max(0, activeIndex) + (isFresh ? 1 : 0);
      for (let offset = 0; offset < entries.length; offset++) {
        const index = (start + offset) % entries.length;
        const entry = entries[index];
        if (entry !== undefined && searchForm(entry.name).startsWith(wanted)) {
          go(index);
          return;
        }
      }
    }

    switch (event.key) {
      case 'ArrowDown':
        return step(columns);
      case 'ArrowUp':
        return step(-columns);
      case 'ArrowRight':
        return columns > 1 ? step(1) : undefined;
      case 'ArrowLeft':
        return columns > 1 ? step(-1) : undefined;
      case 'PageDown':
        return step(options.pageRows() * columns);
      case 'PageUp':
        return step(-options.pageRows() * columns);
      case 'Home':
        return take(() => go(0));
      case 'End':
        return take(() => go(entries.length - 1));
      case 'Enter':
        return active === undefined ? undefined : take(() => actions.open(active));
      case 'F2':
        return active === undefined ? undefined : take(() => model.setRenamingId(active.entryId));
      case 'Delete':
        return targets.length === 0 ? undefined : take(() => void actions.trash(targets));
      case 'Backspace':
        return take(options.onUp);
      case 'Escape':
        if (selection.selected.size > 0) return take(() => dispatch({ type: 'clear' }));
        return clipboardStore.read() === null ? undefined : take(() => setClipboard(null));
      case 'ContextMenu':
        return take(() => openMenu(active));
      case 'F10':
        return event.shiftKey ? take(() => openMenu(active)) : undefined;
      case ' ':
        // While a name is being typed, a blank is part of it.
        if (performance.now() - typed.current.at < TYPE_AHEAD_MS) return take(() => typeAhead(' '));
        return active === undefined
          ? undefined
          : take(() => dispatch({ type: 'toggle', id: active.entryId }));
    }
    if (control) {
      switch (event.key.toLowerCase()) {
        case 'a':
          return take(() => dispatch({ type: 'all', ids }));
        case 'x':
          return take(() => actions.take('cut', targets));
        case 'c':
          return take(() => actions.take('copy', targets));
        case 'v': {
          // Without entries of ours, the browser's own paste may bring files.
          const clipboard = clipboardStore.read();
          if (clipboard !== null && folder !== null) take(() => void actions.paste(clipboard, folder));
          return;
        }
      }
      return;
    }
    if ([...event.key].length === 1) take(() => typeAhead(event.key));
  };
}

function isTyping(target: EventTarget): boolean {
  return target instanceof HTMLInputElement && target.type !== 'checkbox';
}

function openMenu(active: FileObject | undefined): void {
  const element = active === undefined ? null : document.getElementById(elementIdOf(active.entryId));
  if (element === null) return;
  const { left, top, height } = element.getBoundingClientRect();
  const options = { bubbles: true, cancelable: true, clientX: left + 48, clientY: top + height / 2 };
  element.dispatchEvent(new MouseEvent('contextmenu', options));
}
