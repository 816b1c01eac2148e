import { useState } from 'react';
import { renewSession } from './request.ts';

export interface LoadAgain {
  /** The element's `key`: another one makes the browser load again. */
  readonly key: string;
  /** @param giveUp when the second time failed, too, or the session is over */
  onError(giveUp: () => void): void;
}

/**
 * For pictures, films and sounds, which the browser loads by itself and does not say why they failed. After a sleep it may
 * be that the access cookie had ended: they are loaded once more with one that is good.
 * @param address what is loaded
 */
export function useLoadAgain(address: string): LoadAgain {
  const [retried, setRetried] = useState<string | null>(null);
  return {
    key: retried === address ? `again ${address}` : address,
    onError(giveUp) {
      if (retried === address) giveUp();
      else renewSession().then(() => setRetried(address), giveUp);
    },
  };
}
