import { useVirtualizer, type Virtualizer } from '@tanstack/react-virtual';
import { type RefCallback, useCallback, useLayoutEffect, useRef, useState } from 'react';

export interface PageListOptions {
  readonly count: number;
  readonly estimatePx: number;
  readonly keyOf: (index: number) => string;
  /** Called when the end comes near, to load more. */
  readonly onEnd?: (() => void) | undefined;
}

export interface PageList {
  /** Goes on the element that is as high as the whole list. */
  readonly listRef: RefCallback<HTMLElement>;
  readonly virtualizer: Virtualizer<HTMLElement, Element>;
  /** Height above the list inside of what scrolls; take it off the start of each item. */
  readonly offsetPx: number;
}

const OVERSCAN = 12;
const NEAR_END = 10;

/** A long list in a page that scrolls as a whole: only what is on the screen is drawn. */
export function usePageList({ count, estimatePx, keyOf, onEnd }: PageListOptions): PageList {
  const place = useRef<HTMLElement | null>(null);
  const listRef = useCallback((element: HTMLElement | null): void => {
    place.current = element;
  }, []);
  const [offsetPx, setOffsetPx] = useState(0);
  const virtualizer = useVirtualizer<HTMLElement, Element>({
    count,
    getScrollElement: () => scrollerOf(place.current),
    estimateSize: () => estimatePx,
    getItemKey: keyOf,
    overscan: OVERSCAN,
    scrollMargin: offsetPx,
  });
  // What is above the list may change its height at any rendering.
  useLayoutEffect(() => {
    const list = place.current;
    const scroller = scrollerOf(list);
    if (list === null || scroller === null) return;
    const top = list.getBoundingClientRect().top - scroller.getBoundingClientRect().top + scroller.scrollTop;
    setOffsetPx((before) => (Math.abs(before - top) < 1 ? before : top));
  });
  const last = virtualizer.getVirtualItems().at(-1)?.index ?? -1;
  useLayoutEffect(() => {
    if (last >= count - NEAR_END) onEnd?.();
  }, [last, count, onEnd]);
  return { listRef, virtualizer, offsetPx };
}

function scrollerOf(element: HTMLElement | null): HTMLElement | null {
  for (let parent = element?.parentElement ?? null; parent !== null; parent = parent.parentElement) {
    if (/auto|scroll/.test(getComputedStyle(parent).overflowY)) return parent;
  }
  return null;
}
