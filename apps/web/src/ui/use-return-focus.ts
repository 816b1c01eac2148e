import { useState } from 'react';

let last: HTMLElement | null = null;

function isInMenu(element: Element): boolean {
  return element.closest('[role="menu"]') !== null;
}

if (typeof document !== 'undefined') {
  document.addEventListener('focusin', ({ target }) => {
    if (target instanceof HTMLElement && !isInMenu(target)) last = target;
  });
}

/** Whether it is in what closes. */
function isLeaving(element: Element): boolean {
  return element.closest('[data-state="closed"]') !== null;
}

/** What had the focus; of a menu, which is gone by the time that the focus comes back, what the menu was opened from. */
function findOpener(): HTMLElement | null {
  const { activeElement } = document;
  const counts =
    activeElement instanceof HTMLElement && activeElement !== document.body && !isInMenu(activeElement);
  return counts ? activeElement : last;
}

/**
 * For Radix's `onCloseAutoFocus`: gives the focus back to what had it when the component was first shown. Radix itself
 * does so only for dialogs with a trigger of its own.
 */
export function useReturnFocus(): (event: Event) => void {
  const [opener] = useState(findOpener);
  return (event) => {
    event.preventDefault();
    const { activeElement } = document;
    // What the dialog led to may have taken it already.
    if (activeElement !== null && activeElement !== document.body && !isLeaving(activeElement)) return;
    const owner = opener?.isConnected === true ? opener : document.querySelector('#main [role=grid]');
    const element = owner ?? document.getElementById('main');
    if (element instanceof HTMLElement) element.focus({ preventScroll: true });
  };
}
