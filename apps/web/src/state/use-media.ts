import { useSyncExternalStore } from 'react';

/** Whether a media query holds, such as `(min-width: 48rem)`. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const list = window.matchMedia(query);
      list.addEventListener('change', listener);
      return () => list.removeEventListener('change', listener);
    },
    () => window.matchMedia(query).matches,
  );
}

/** Phones and narrow windows. */
export function useIsNarrow(): boolean {
  return useMedia('(max-width: 47.99rem)');
}
