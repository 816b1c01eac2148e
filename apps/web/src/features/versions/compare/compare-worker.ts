import { compareTexts } from './compare-texts.ts';

/** Compares in a thread of its own: two texts come, a comparison goes. */
self.addEventListener('message', (event: MessageEvent<{ older: string; newer: string }>) => {
  self.postMessage(compareTexts(event.data.older, event.data.newer));
});
