import { CairnError, type EntryId } from '@cairn/model';
import { authoriseEntry } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import { commitPlan } from './commit-plan.ts';

/** See `FilesService.remove`. */
export async function removeEntry(
  dependencies: DataDependencies,
  principal: Principal,
  entryId: EntryId,
): Promise<void> {
  await commitPlan(dependencies, principal, async (reader) => {
    const { space, record } = await authoriseEntry(reader, principal, 'write', entryId, 'live');
    if (record.parentId === null) throw new CairnError('bad-request', 'the root folder cannot be deleted');
    const { spaceId, sequence: baseSequence } = space;
    return { spaceId, entryId, changes: [{ kind: 'remove', entryId, baseSequence }] };
  });
}
