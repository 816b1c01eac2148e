import {
  cloneElement,
  type ReactElement,
  type ReactNode,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';

const WAIT_MS = 500;
const GAP_PX = 6;
const MARKED = '[data-tooltip]';

/** Says what an icon means, on hover and on focus. The child is one element, and names itself too (`aria-label`). */
export function Tooltip({ text, children }: { readonly text: string; readonly children: ReactElement }) {
  return cloneElement(children as ReactElement<Record<string, unknown>>, { 'data-tooltip': text });
}

/** Shows the tooltips of everything in it: one for the whole app, since only one is seen at a time. */
export function TooltipProvider({ children }: { readonly children: ReactNode }) {
  return (
    <>
      {children}
      <Host />
    </>
  );
}

function Host() {
  const [shown, setShown] = useState<{ readonly text: string; readonly box: DOMRect } | null>(null);
  useEffect(() => {
    let wait: ReturnType<typeof setTimeout> | undefined;
    let over: Element | null = null;
    const show = (element: Element) => {
      const text = element.getAttribute('data-tooltip');
      if (text !== null && element.isConnected) setShown({ text, box: element.getBoundingClientRect() });
    };
    const hide = () => {
      clearTimeout(wait);
      over = null;
      setShown(null);
    };
    const onOver = (event: PointerEvent) => {
      const element = event.target instanceof Element ? event.target.closest(MARKED) : null;
      if (element === over) return;
      hide();
      over = element;
      if (element !== null && event.pointerType !== 'touch') wait = setTimeout(() => show(element), WAIT_MS);
    };
    const onFocus = (event: FocusEvent) => {
      hide();
      const element = event.target instanceof Element ? event.target.closest(MARKED) : null;
      if (element?.matches(':focus-visible') === true) show(element);
    };
    const endings = ['pointerdown', 'keydown', 'focusout', 'scroll', 'wheel'] as const;
    document.addEventListener('pointerover', onOver);
    document.addEventListener('focusin', onFocus);
    for (const ending of endings) document.addEventListener(ending, hide, { capture: true, passive: true });
    return () => {
      clearTimeout(wait);
      document.removeEventListener('pointerover', onOver);
      document.removeEventListener('focusin', onFocus);
      for (const ending of endings) document.removeEventListener(ending, hide, { capture: true });
    };
  }, []);
  return shown === null ? null : <Bubble {...shown} />;
}

function Bubble({ text, box }: { readonly text: string; readonly box: DOMRect }) {
  const bubble = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = bubble.current;
    if (element === null) return;
    const { offsetWidth: width, offsetHeight: height } = element;
    const left = box.left + box.width / 2 - width / 2;
    const isBelow = box.bottom + GAP_PX + height < window.innerHeight;
    element.style.left = `${Math.max(GAP_PX, Math.min(left, window.innerWidth - width - GAP_PX))}px`;
    element.style.top = `${isBelow ? box.bottom + GAP_PX : box.top - height - GAP_PX}px`;
  }, [box]);
  return (
    <div
      ref={bubble}
      role="tooltip"
      className="pointer-events-none fixed top-0 left-0 z-60 w-max max-w-xs animate-fade-in rounded-md bg-ink px-2 py-1 text-ground text-xs shadow-raised"
    >
      {text}
    </div>
  );
}
