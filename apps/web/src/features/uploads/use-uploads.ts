import { useSyncExternalStore } from 'react';
import { type UploadsView, uploadsStore } from '../../transfers/queue.ts';

/** The uploads of this page. */
export function useUploads(): UploadsView {
  return useSyncExternalStore(uploadsStore.subscribe, uploadsStore.read);
}
