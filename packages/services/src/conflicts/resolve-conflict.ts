import {
  CairnError,
  type Change,
  type ChangesetId,
  createId,
  type EntryId,
  isCairnError,
  type SpaceId,
} from '@cairn/model';
import { authoriseEntryIn } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import { commitChangeset } from '../changesets/commit-changeset.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import type { Conflict, ConflictChoice, ConflictSide } from '../data-services-types.ts';
import { describeConflict } from './list-conflicts.ts';

function changedSince(cause?: unknown): CairnError {
  return new CairnError(
    'precondition-failed',
    'one of the two files has changed since you looked at them; look again, then decide',
    cause === undefined ? {} : { cause },
  );
}

function requireOriginal({ copy, original }: Conflict): ConflictSide {
  if (original !== null) return original;
  throw new CairnError(
    'bad-request',
    `what "${copy.entry.name}" is a conflict copy of is gone; keep both, which makes the copy an ordinary file`,
  );
}

/** The changes that a choice comes down to, each on the state that the chooser saw. */
function changesFor(conflict: Conflict, { keep }: ConflictChoice): Change[] {
  const { entry } = conflict.copy;
  const { entryId, sequence: baseSequence } = entry;
  if (keep === 'both') return [{ kind: 'update', entryId, baseSequence, conflictOf: null }];
  const original = requireOriginal(conflict).entry;
  const base = { kind: 'update', entryId: original.entryId, baseSequence: original.sequence } as const;
  const remove = { kind: 'remove', entryId, baseSequence } as const;
  // An update that changes nothing still refuses when its base is not the present state.
  if (keep === 'theirs') return [base, remove];
  const { modifiedAtUs } = entry;
  if (entry.kind === 'link' && original.kind === 'link') {
    return [{ ...base, target: entry.target, modifiedAtUs }, remove];
  }
  if (entry.kind === 'file' && original.kind === 'file') {
    const { content, executable } = entry;
    return [{ ...base, content, executable, modifiedAtUs }, remove];
  }
  throw new CairnError(
    'bad-request',
    'one of the two is a file, the other a link, so neither can become a version of the other; keep both or theirs',
  );
}

/** See `ConflictsService.resolve`. */
export async function resolveConflict(
  dependencies: DataDependencies,
  principal: Principal,
  spaceId: SpaceId,
  entryId: EntryId,
  choice: ConflictChoice,
): Promise<void> {
  const changes = await dependencies.store.read(async (reader) => {
    const record = await authoriseEntryIn(reader, principal, 'write', spaceId, entryId);
    const conflict = await describeConflict(reader, record);
    if (conflict === null) {
      throw new CairnError('bad-request', `"${record.name}" is no conflict copy, or no longer one`);
    }
    if (conflict.copy.entry.sequence !== choice.copySequence) throw changedSince();
    if ((conflict.original?.entry.sequence ?? null) !== choice.originalSequence) throw changedSince();
    return changesFor(conflict, choice);
  });
  const changesetId = createId<ChangesetId>(dependencies.environment.random.bytes(16));
  try {
    await commitChangeset(dependencies, principal, spaceId, { changesetId, changes });
  } catch (error) {
    throw isCairnError(error, 'conflict') ? changedSince(error) : error;
  }
}
