import type { JournalRecord, MetadataTransaction, SpaceRecord } from '@cairn/metadata-store';
import {
  CairnError,
  type Change,
  type ChangeConflict,
  type ChangeResult,
  type Changeset,
  type CommitResult,
  type ConflictReason,
  type EntryId,
  type JournalChange,
  type SpaceId,
} from '@cairn/model';
import { authoriseDevice, authoriseSpace } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import { cursorTextAt, resolveCursor } from '../spaces/cursors.ts';
import { describeEntry } from '../spaces/describe-entry.ts';
import { readEpoch } from '../spaces/server-epoch.ts';
import { applyCreate } from './apply-create.ts';
import { applyRemove } from './apply-remove.ts';
import { applyRestore } from './apply-restore.ts';
import { applyUpdate } from './apply-update.ts';
import { canonicalJson } from './canonical-json.ts';
import {
  type ChangesetSession,
  createChangesetSession,
  loadVersions,
  type Outcome,
} from './changeset-session.ts';
import { checkChangeset } from './check-changeset.ts';
import { chainJournalHash, hashText } from './journal-hash.ts';
import { referenceContents } from './reference-contents.ts';

interface Refusal {
  readonly index: number;
  readonly entryId: EntryId;
  readonly reason: ConflictReason;
}

function applyChange(session: ChangesetSession, change: Change): Promise<Outcome> {
  switch (change.kind) {
    case 'create':
      return applyCreate(session, change);
    case 'update':
      return applyUpdate(session, change);
    case 'remove':
      return applyRemove(session, change);
    case 'restore':
      return applyRestore(session, change);
  }
}

/** Loads all that the changes name, in a few queries whatever their number. */
async function loadNamed(session: ChangesetSession, changes: readonly Change[]): Promise<void> {
  const { tree } = session;
  const named = changes.flatMap((change) =>
    'parentId' in change && change.parentId !== undefined
      ? [change.entryId, change.parentId]
      : [change.entryId],
  );
  await tree.load(named);
  const updated = changes.flatMap((change) => {
    const record = change.kind === 'update' ? tree.get(change.entryId) : undefined;
    return record === undefined ? [] : [record];
  });
  await loadVersions(session, updated);
}

/** Names that the changeset gives up are free before any is taken. */
async function vacateNames(session: ChangesetSession, changes: readonly Change[]): Promise<void> {
  const leaving = new Set<EntryId>();
  for (const change of changes) {
    if (change.kind !== 'remove' && change.kind !== 'update') continue;
    const record = session.tree.get(change.entryId);
    if (record === undefined || record.parentId === null || record.trashId !== null) continue;
    const moves =
      change.kind === 'remove' ||
      (change.parentId !== undefined && change.parentId !== record.parentId) ||
      (change.name !== undefined && change.name !== record.name);
    if (moves) leaving.add(change.entryId);
  }
  if (leaving.size > 0) await session.transaction.vacateNames(session.space.spaceId, [...leaving]);
}

async function applyAll(session: ChangesetSession, changes: readonly Change[]): Promise<ChangeResult[]> {
  const results: ChangeResult[] = [];
  const refused: Refusal[] = [];
  for (const [index, change] of changes.entries()) {
    const outcome = await applyChange(session, change);
    if (typeof outcome !== 'string') {
      results.push(outcome);
      continue;
    }
    session.writer.stop();
    refused.push({ index, entryId: change.entryId, reason: outcome });
  }
  if (refused.length > 0) throw await conflict(session, refused);
  await session.writer.flush();
  return results;
}

async function conflict(session: ChangesetSession, refused: readonly Refusal[]): Promise<CairnError> {
  const originals = refused.map(({ entryId }) => session.tree.original(entryId));
  await loadVersions(
    session,
    originals.filter((record) => record !== undefined),
  );
  const conflicts = refused.map((refusal, position): ChangeConflict => {
    const record = originals[position];
    const live = record !== undefined && record.trashId === null;
    const version = record?.versionId == null ? undefined : session.versions.get(record.versionId);
    return { ...refusal, current: live ? describeEntry(record, version) : null };
  });
  return new CairnError(
    'conflict',
    'the space has changed in the meantime; read its changes, then decide again',
    { details: { conflicts } },
  );
}

/** Appends the journal rows with their chained hashes and advances the space; returns where the journal then ends. */
async function appendJournal(
  dependencies: DataDependencies,
  session: ChangesetSession,
  changeset: Changeset,
): Promise<{ sequence: number; hash: string }> {
  const { space, transaction, rows, principal, now } = session;
  let hash = space.journalHash;
  let sequence = space.sequence;
  const records: JournalRecord[] = [];
  for (const row of rows) {
    const version = row.record?.versionId == null ? undefined : session.versions.get(row.record.versionId);
    const change: JournalChange = {
      sequence: row.sequence,
      changesetId: changeset.changesetId,
      deviceId: principal.deviceId,
      committedAt: now,
      kind: row.kind,
      entryId: row.entryId,
      entryKind: row.entryKind,
      entry: row.record === null ? null : describeEntry(row.record, version),
    };
    hash = chainJournalHash(dependencies.platform, hash, change);
    sequence = row.sequence;
    records.push({ spaceId: space.spaceId, sequence, hash, change });
  }
  if (records.length > 0) {
    await transaction.appendJournal(records);
    await transaction.advanceSpace(space.spaceId, sequence, hash);
  }
  return { sequence, hash };
}

async function findEarlierResult(
  transaction: MetadataTransaction,
  space: SpaceRecord,
  changeset: Changeset,
  requestHash: string,
): Promise<CommitResult | null> {
  const earlier = await transaction.getChangeset(space.spaceId, changeset.changesetId);
  if (earlier === undefined) return null;
  if (earlier.requestHash === requestHash) return earlier.result;
  throw new CairnError(
    'changeset-mismatch',
    'this changeset id was used for other changes; use a new random id for each changeset',
  );
}

/**
 * Applies all changes of a changeset or none, in one transaction: entries, versions, block references, journal and
 * the idempotency record. The hint goes out after the commit. See `SpacesService.commitChangeset`.
 */
export async function commitChangeset(
  dependencies: DataDependencies,
  principal: Principal,
  spaceId: SpaceId,
  changeset: Changeset,
): Promise<CommitResult> {
  const { store, platform, bus } = dependencies;
  checkChangeset(platform, changeset);
  const requestHash = hashText(platform, canonicalJson(changeset.changes));
  const { result, advanced } = await store.transact(async (transaction) => {
    const space = await authoriseSpace(transaction, principal, 'write', spaceId);
    await authoriseDevice(transaction, principal);
    const earlier = await findEarlierResult(transaction, space, changeset, requestHash);
    if (earlier !== null) return { result: earlier, advanced: false };
    if (changeset.cursor !== undefined) await resolveCursor(transaction, space, changeset.cursor);

    const session = createChangesetSession(dependencies, transaction, principal, space);
    await loadNamed(session, changeset.changes);
    await vacateNames(session, changeset.changes);
    const results = await applyAll(session, changeset.changes);
    const contents = session.newVersions.flatMap(({ content }) => (content === null ? [] : [content]));
    await referenceContents(transaction, principal.userId, spaceId, contents, session.now);
    if (session.newVersions.length > 0) await transaction.insertVersions(session.newVersions);
    const { sequence, hash } = await appendJournal(dependencies, session, changeset);
    const epoch = await readEpoch(transaction);
    const committed: CommitResult = {
      changesetId: changeset.changesetId,
      sequence,
      journal: {
        before: cursorTextAt(epoch, space.sequence, space.journalHash),
        after: cursorTextAt(epoch, sequence, hash),
      },
      results,
    };
    await transaction.insertChangeset({
      spaceId,
      changesetId: changeset.changesetId,
      requestHash,
      result: committed,
      committedAt: session.now,
    });
    return { result: committed, advanced: sequence > space.sequence };
  });
  if (advanced) bus.publish({ kind: 'space-advanced', spaceId, sequence: result.sequence });
  return result;
}
