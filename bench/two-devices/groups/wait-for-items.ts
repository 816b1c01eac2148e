import { join } from 'node:path';
import { waitUntil } from '../../world/child-processes.ts';
import type { Peer } from '../peers/peer.ts';
import { countCarried, exists } from './folders.ts';

const POLL_MS = 500;

/** Brings what was moved into A to B, without measuring. */
export async function waitForItems(
  peer: Peer,
  name: string,
  items: number,
  timeoutMs: number,
): Promise<void> {
  await peer.deliver?.(false);
  const inB = join(peer.folderB, name);
  await waitUntil(
    `B has all ${items} items`,
    timeoutMs,
    () => exists(inB) && countCarried(peer, inB) === items,
    POLL_MS,
  );
}
