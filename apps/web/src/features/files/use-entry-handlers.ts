import type { FileObject } from '@cairn/protocol';
import type { DragEvent, MouseEvent, PointerEvent } from 'react';
import { useRef } from 'react';
import { type BrowserModel, targetsOf } from './browser-model.ts';
import { endDrag, startDrag } from './dragging.ts';

const LONG_PRESS_MS = 450;
const MAX_PRESS_MOVE_PX = 10;

/** What pointer, finger and drag do to one entry, in the list as in the grid. */
export function useEntryHandlers(model: BrowserModel, entry: FileObject) {
  const press = useRef<{ timer: ReturnType<typeof setTimeout>; x: number; y: number } | null>(null);
  const pressed = useRef(false);
  const byTouch = useRef(false);

  function endPress(): void {
    if (press.current !== null) clearTimeout(press.current.timer);
    press.current = null;
  }

  return {
    draggable: model.renamingId !== entry.entryId,
    onPointerDown(event: PointerEvent) {
      byTouch.current = event.pointerType === 'touch';
      pressed.current = false;
      if (!byTouch.current) return;
      // A finger that stays selects; the menu is behind the button of each entry.
      event.stopPropagation();
      endPress();
      const timer = setTimeout(() => {
        pressed.current = true;
        model.dispatch({ type: 'toggle', id: entry.entryId });
        navigator.vibrate?.(10);
      }, LONG_PRESS_MS);
      press.current = { timer, x: event.clientX, y: event.clientY };
    },
    onPointerMove(event: PointerEvent) {
      const from = press.current;
      if (from === null) return;
      if (Math.hypot(event.clientX - from.x, event.clientY - from.y) > MAX_PRESS_MOVE_PX) endPress();
    },
    onPointerUp: endPress,
    onPointerCancel: endPress,
    onContextMenu(event: MouseEvent) {
      if (byTouch.current && event.nativeEvent.isTrusted) {
        event.preventDefault();
        return;
      }
      if (!model.selection.selected.has(entry.entryId)) model.dispatch({ type: 'only', id: entry.entryId });
    },
    onClick(event: MouseEvent) {
      if (pressed.current) {
        pressed.current = false;
        return;
      }
      if (byTouch.current) {
        if (model.selection.selected.size > 0) model.dispatch({ type: 'toggle', id: entry.entryId });
        else model.actions.open(entry);
        return;
      }
      if (event.shiftKey) {
        const add = event.ctrlKey || event.metaKey;
        model.dispatch({ type: 'range', id: entry.entryId, ids: model.ids, add });
      } else if (event.ctrlKey || event.metaKey) model.dispatch({ type: 'toggle', id: entry.entryId });
      else model.dispatch({ type: 'only', id: entry.entryId });
    },
    onDoubleClick(event: MouseEvent) {
      if (!byTouch.current && !event.ctrlKey && !event.shiftKey) model.actions.open(entry);
    },
    onDragStart(event: DragEvent) {
      if (byTouch.current) {
        event.preventDefault();
        return;
      }
      const targets = targetsOf(model, entry);
      if (targets.length === 1) model.dispatch({ type: 'only', id: entry.entryId });
      startDrag(event, targets);
    },
    onDragEnd: endDrag,
  };
}

/** Opens the menu of an entry from its button, as a right click there would. */
export function openMenuAt(button: HTMLElement): void {
  const { left, bottom } = button.getBoundingClientRect();
  const options = { bubbles: true, cancelable: true, clientX: left, clientY: bottom };
  button.dispatchEvent(new globalThis.MouseEvent('contextmenu', options));
}
