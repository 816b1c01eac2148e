import type { SpaceId } from '@cairn/model';
import { authoriseSpace } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';

/** See `SpacesService.currentSequence`. */
export function currentSequence(
  { store }: DataDependencies,
  principal: Principal,
  spaceId: SpaceId,
): Promise<number> {
  // A number carries no state: whoever acts on it asks for the changes.
  return store.read(async (reader) => (await authoriseSpace(reader, principal, 'read', spaceId)).sequence, {
    sees: 'latest',
  });
}
