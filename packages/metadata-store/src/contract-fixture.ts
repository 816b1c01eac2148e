import {
  type BlockId,
  type ChangesetId,
  type ContentId,
  type DeviceId,
  type EntryId,
  ID_ALGORITHMS,
  type SpaceId,
  type UserId,
  type VersionId,
} from '@cairn/model';
import type { PutResult } from './collection-port.ts';
import type { MetadataStore, MetadataTransaction } from './metadata-store.ts';
import type {
  BlockRecord,
  EntryRecord,
  JournalRecord,
  TrashRecord,
  UserRecord,
  VersionRecord,
} from './records.ts';

/** An id of 26 characters that shows what it is. */
export function id<Id extends string>(name: string): Id {
  return name.padEnd(26, 'x') as Id;
}

export function blockId(number: number): BlockId {
  return `${ID_ALGORITHMS.chunk}${number.toString(16).padStart(64, '0')}` as BlockId;
}

export function manifestBlockId(number: number): BlockId {
  return `${ID_ALGORITHMS.manifest}${number.toString(16).padStart(64, '0')}` as BlockId;
}

export const GENESIS = 'a'.repeat(64);
export const USER = id<UserId>('user');
export const SPACE = id<SpaceId>('space');
export const ROOT = id<EntryId>('root');
export const DEVICE = id<DeviceId>('device');

export function user(name: string, space: SpaceId): UserRecord {
  return {
    userId: id(name),
    username: name.toUpperCase(),
    foldedUsername: name,
    passwordHash: '$argon2id$',
    role: 'member',
    personalSpaceId: space,
    createdAt: 1000,
  };
}

/** One account with its device and personal space. */
export async function addAccount(
  transaction: MetadataTransaction,
  name: string,
  space: SpaceId,
): Promise<void> {
  await transaction.insertUser(user(name, space));
  await transaction.insertDevice({
    deviceId: id(`device${name === 'user' ? '' : name}`),
    userId: id(name),
    name: 'Laptop',
    createdAt: 1,
    lastSeenAt: 1,
    revokedAt: null,
  });
  await transaction.insertSpace({
    spaceId: space,
    kind: 'personal',
    ownerId: id(name),
    rootId: space === SPACE ? ROOT : id(`root${name}`),
    sequence: 0,
    journalHash: GENESIS,
    createdAt: 1000,
  });
}

export function folder(
  name: string,
  parentId: EntryId | null = ROOT,
  over: Partial<EntryRecord> = {},
): EntryRecord {
  return {
    spaceId: SPACE,
    entryId: id(name),
    parentId,
    name,
    kind: 'folder',
    sequence: 0,
    versionId: null,
    executable: false,
    modifiedAtUs: 0,
    trashId: null,
    ...over,
  };
}

export function file(
  name: string,
  parentId: EntryId | null = ROOT,
  over: Partial<EntryRecord> = {},
): EntryRecord {
  return folder(name, parentId, {
    kind: 'file',
    versionId: id(`v${name}`),
    executable: true,
    modifiedAtUs: -1_700_000_000_000_123,
    ...over,
  });
}

export function version(name: string, over: Partial<VersionRecord> = {}): VersionRecord {
  return {
    spaceId: SPACE,
    versionId: id<VersionId>(`v${name}`),
    entryId: id<EntryId>(name),
    sequence: 1,
    kind: 'file',
    sizeBytes: 5_000_000_000,
    content: {
      contentId: `${ID_ALGORITHMS.content}${'77'.padStart(64, '0')}` as ContentId,
      sizeBytes: 5_000_000_000,
      manifest: {
        profile: 't32-1m',
        depth: 1,
        parts: [
          { block: manifestBlockId(1), sizeBytes: 4_999_999_999 },
          { block: manifestBlockId(2), sizeBytes: 1 },
        ],
      },
    },
    target: null,
    executable: true,
    modifiedAtUs: -1_700_000_000_000_123,
    deviceId: DEVICE,
    committedAt: 5,
    ...over,
  };
}

export function trashRecord(name: string, over: Partial<TrashRecord> = {}): TrashRecord {
  return {
    spaceId: SPACE,
    entryId: id(name),
    parentId: ROOT,
    name,
    path: `/${name}`,
    trashedAt: 9,
    deviceId: DEVICE,
    sequence: 9,
    ...over,
  };
}

export function chunk(number: number): BlockRecord {
  return {
    blockId: blockId(number),
    kind: 'chunk',
    plainBytes: 10,
    storedBytes: 9,
    coveredBytes: 10,
    depth: 0,
    parts: null,
    createdAt: 1,
  };
}

/** What the block store answers for blocks that it never had. */
export const NEW_BLOCKS: PutResult = { generations: new Map(), prunings: 0 };

export function journalRow(sequence: number, over: Partial<JournalRecord> = {}): JournalRecord {
  return {
    spaceId: SPACE,
    sequence,
    hash: sequence.toString(16).padStart(64, '0'),
    change: {
      sequence,
      changesetId: id<ChangesetId>('changeset'),
      deviceId: DEVICE,
      committedAt: 5,
      kind: 'create',
      entryId: id('f'),
      entryKind: 'folder',
      entry: { kind: 'folder', entryId: id('f'), parentId: ROOT, name: 'f', sequence },
    },
    ...over,
  };
}

/** Appends rows and moves the space's head with them, as a commit does. */
export async function append(
  transaction: MetadataTransaction,
  rows: readonly JournalRecord[],
): Promise<void> {
  const last = rows.at(-1);
  if (last === undefined) return;
  await transaction.advanceSpace(last.spaceId, last.sequence, last.hash);
  await transaction.appendJournal(rows);
}

export async function addFile(store: MetadataStore, name: string, parentId: EntryId = ROOT): Promise<void> {
  await store.transact(async (transaction) => {
    await transaction.insertEntries([file(name, parentId)]);
    await transaction.insertVersions([version(name)]);
  });
}
