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
    if (opener?.isConnected === true) opener.focus({ preventScroll: true });
  };
}
