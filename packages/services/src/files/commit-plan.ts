import type { MetadataReader } from '@cairn/metadata-store';
import {
  CairnError,
  type Change,
  type ChangeConflict,
  type ChangesetId,
  createId,
  type EntryId,
  isCairnError,
  type SpaceId,
} from '@cairn/model';
import type { Principal } from '../authorisation/principal.ts';
import { commitChangeset } from '../changesets/commit-changeset.ts';
import type { DataDependencies } from '../data-dependencies.ts';

const MAX_ATTEMPTS = 5;

/** What a use case of a script comes down to, made from one snapshot. */
export interface Plan {
  readonly spaceId: SpaceId;
  /** The entry that the caller is told about. */
  readonly entryId: EntryId;
  readonly changes: readonly Change[];
}

/** Conflicts that come from what was asked, not from somebody who was faster: trying again cannot help. */
function asRefusal(error: CairnError): CairnError {
  const conflicts = (error.details['conflicts'] ?? []) as readonly ChangeConflict[];
  for (const { reason } of conflicts) {
    if (reason === 'cycle') {
      return new CairnError('bad-request', 'a folder cannot be moved into itself; choose another folder', {
        cause: error,
      });
    }
    if (reason === 'not-allowed') {
      return new CairnError('bad-request', 'the path would have too many parts, or the change does not fit', {
        cause: error,
      });
    }
  }
  return error;
}

/**
 * Plans on a snapshot and commits; when somebody else was faster, plans again on what is there then. The plan itself
 * throws what the caller should hear (a name that is taken, an entry that is gone).
 * @throws CairnError `conflict` when others were faster each time
 */
export async function commitPlan(
  dependencies: DataDependencies,
  principal: Principal,
  plan: (reader: MetadataReader) => Promise<Plan>,
): Promise<Plan> {
  for (let attempt = 1; ; attempt++) {
    const planned = await dependencies.store.read(plan);
    if (planned.changes.length === 0) return planned;
    try {
      await commitChangeset(dependencies, principal, planned.spaceId, {
        changesetId: createId<ChangesetId>(dependencies.environment.random.bytes(16)),
        changes: planned.changes,
      });
      return planned;
    } catch (error) {
      if (!isCairnError(error, 'conflict')) throw error;
      const refusal = asRefusal(error);
      if (refusal !== error || attempt >= MAX_ATTEMPTS) throw refusal;
    }
  }
}
