import { useState } from 'react';

/**
 * Gives the focus back when a dialog closes, to what had it before; Radix would only give it to a trigger, and these
 * dialogs have none. For `onCloseAutoFocus`.
 */
export function useReturnFocus(): (event: Event) => void {
  const [before] = useState(() => document.activeElement);
  return (event) => {
    event.preventDefault();
    // What the dialog led to may have taken it already.
    if (document.activeElement !== null && document.activeElement !== document.body) return;
    // The item of a menu is gone with its menu.
    const owner = before !== null && before !== document.body && before.isConnected ? before : null;
    const element = owner ?? document.querySelector('#main [role=grid]') ?? document.getElementById('main');
    if (element instanceof HTMLElement) element.focus({ preventScroll: true });
  };
}
