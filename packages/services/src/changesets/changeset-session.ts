import type { EntryRecord, MetadataTransaction, SpaceRecord, VersionRecord } from '@cairn/metadata-store';
import {
  type Change,
  type ChangeResult,
  type ConflictReason,
  createOrderedId,
  type EntryId,
  type FileContent,
  type JournalChange,
  MAX_PATH_DEPTH,
  type VersionId,
} from '@cairn/model';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import { createEntryWriter, type EntryWriter } from './entry-writer.ts';
import { createNameClaims, type NameClaims } from './name-claims.ts';
import { createWorkingTree, type WorkingTree } from './working-tree.ts';

/** The state of one changeset while its changes are checked and applied one after another. */
export interface ChangesetSession {
  readonly principal: Principal;
  readonly space: SpaceRecord;
  readonly transaction: MetadataTransaction;
  readonly tree: WorkingTree;
  readonly names: NameClaims;
  readonly writer: EntryWriter;
  readonly now: number;
  /** Versions by id: those of the loaded entries and the new ones. */
  readonly versions: Map<VersionId, VersionRecord>;
  readonly newVersions: VersionRecord[];
  /** Journal rows to come; `record` is the row right after, `null` when the entry left the live tree. */
  readonly rows: JournalDraft[];
  /** Gives out the next journal sequence. */
  nextSequence(): number;
  newVersionId(): VersionId;
}

export interface JournalDraft {
  readonly sequence: number;
  readonly kind: Change['kind'];
  readonly entryId: EntryId;
  readonly entryKind: JournalChange['entryKind'];
  readonly record: EntryRecord | null;
}

/** What became of one change: its result, or why it cannot be applied. */
export type Outcome = ChangeResult | ConflictReason;

export function createChangesetSession(
  dependencies: DataDependencies,
  transaction: MetadataTransaction,
  principal: Principal,
  space: SpaceRecord,
): ChangesetSession {
  let sequence = space.sequence;
  const now = dependencies.environment.clock.now();
  return {
    principal,
    space,
    transaction,
    tree: createWorkingTree(transaction, space),
    names: createNameClaims(transaction, space.spaceId),
    writer: createEntryWriter(transaction, space),
    now,
    versions: new Map(),
    newVersions: [],
    rows: [],
    nextSequence() {
      sequence += 1;
      return sequence;
    },
    newVersionId: () => createOrderedId<VersionId>(now, dependencies.environment.random.bytes(16)),
  };
}

/** Loads versions that the rows name and that are not known yet. */
export async function loadVersions(
  session: ChangesetSession,
  records: readonly EntryRecord[],
): Promise<void> {
  const wanted = new Set<VersionId>();
  for (const { versionId } of records) {
    if (versionId !== null && !session.versions.has(versionId)) wanted.add(versionId);
  }
  if (wanted.size === 0) return;
  for (const version of await session.transaction.getVersions(session.space.spaceId, [...wanted])) {
    if (version !== undefined) session.versions.set(version.versionId, version);
  }
}

/** Saves what a file or link holds now as its newest version. */
export function addVersion(
  session: ChangesetSession,
  record: EntryRecord,
  holds: { readonly content: FileContent } | { readonly target: string },
): EntryRecord {
  const versionId = session.newVersionId();
  const version: VersionRecord = {
    spaceId: record.spaceId,
    versionId,
    entryId: record.entryId,
    sequence: record.sequence,
    kind: 'content' in holds ? 'file' : 'link',
    sizeBytes: 'content' in holds ? holds.content.sizeBytes : 0,
    content: 'content' in holds ? holds.content : null,
    target: 'target' in holds ? holds.target : null,
    executable: record.executable,
    modifiedAtUs: record.modifiedAtUs,
    deviceId: session.principal.deviceId,
    committedAt: session.now,
  };
  session.versions.set(versionId, version);
  session.newVersions.push(version);
  return { ...record, versionId };
}

/** Whether entries may be put under `parentId`: it is a live folder. Loads nothing: parents are loaded already. */
export function isLiveFolder(session: ChangesetSession, parentId: EntryId): boolean {
  const parent = session.tree.get(parentId);
  return parent !== undefined && parent.kind === 'folder' && parent.trashId === null;
}

/** Names on the path of a live entry: 0 for the root. */
export async function depthOf(session: ChangesetSession, entryId: EntryId): Promise<number> {
  return (await session.tree.ancestors(entryId)).length;
}

/** Levels of a list of entries that begins with its top: 1 for a single entry. */
export function heightOf(records: readonly EntryRecord[]): number {
  const levels = new Map<EntryId, number>();
  let height = 0;
  for (const { entryId, parentId } of records) {
    const level = (parentId === null ? 0 : (levels.get(parentId) ?? 0)) + 1;
    levels.set(entryId, level);
    height = Math.max(height, level);
  }
  return height;
}

export function isTooDeep(depth: number): boolean {
  return depth > MAX_PATH_DEPTH;
}
