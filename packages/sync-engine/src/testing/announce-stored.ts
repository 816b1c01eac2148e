import type { StoredBlock } from '@cairn/content';
import type { BusEvent } from '@cairn/event-bus';
import {
  type AnnouncedChunk,
  type AnnouncedFile,
  type Announcement,
  createId,
  type SpaceId,
} from '@cairn/model';
import type { DataServices, Principal } from '@cairn/services';

const CHUNKS_AT_ONCE = 7;

/** Tells the other devices of blocks that were stored, in the order of their file, as the client does. */
export async function announceStored(
  { spaces }: DataServices,
  who: Principal,
  spaceId: SpaceId,
  file: AnnouncedFile | undefined,
  blocks: readonly StoredBlock[],
): Promise<void> {
  if (file === undefined) return;
  const transferId = createId<never>(crypto.getRandomValues(new Uint8Array(16)));
  const chunks: AnnouncedChunk[] = [];
  let position = 0;
  for (const { blockId, kind, plainBytes } of blocks) {
    if (kind !== 'chunk') continue;
    chunks.push({ position, block: blockId, sizeBytes: plainBytes });
    position += plainBytes;
  }
  for (let start = 0; start < chunks.length; start += CHUNKS_AT_ONCE)
    await spaces.announceTransfer(who, spaceId, {
      transferId,
      ...file,
      chunks: chunks.slice(start, start + CHUNKS_AT_ONCE),
    });
}

/** Hands over what an event announces to this device. */
export function tellAnnounced(
  { userId, deviceId }: Principal,
  event: BusEvent,
  onAnnouncement: (announcement: Announcement) => void,
): void {
  if (event.kind !== 'transfer-announced') return;
  if (event.userId === userId && event.deviceId !== deviceId) onAnnouncement(event.announcement);
}
