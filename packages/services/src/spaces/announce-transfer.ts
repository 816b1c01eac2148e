import type { Announcement, SpaceId } from '@cairn/model';
import { authoriseSpace } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';

/**
 * See `SpacesService.announceTransfer`. What is announced is not looked at: whether the account can reach a block is
 * decided where it is read.
 */
export async function announceTransfer(
  { store, bus }: DataDependencies,
  principal: Principal,
  spaceId: SpaceId,
  announcement: Announcement,
): Promise<void> {
  await store.read((reader) => authoriseSpace(reader, principal, 'write', spaceId));
  const { userId, deviceId } = principal;
  bus.publish({ kind: 'transfer-announced', userId, deviceId, spaceId, announcement });
}
