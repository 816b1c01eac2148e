import type {
  EntryRecord,
  MemberRole,
  MetadataReader,
  SpaceRecord,
  UploadRecord,
} from '@cairn/metadata-store';
import { CairnError, type EntryId, type SpaceId, type UploadId } from '@cairn/model';
import type { Principal } from './principal.ts';

/** What somebody wants to do with a space or anything in it; `manage` is what its owner decides. */
export type Action = 'read' | 'write' | 'manage';

const ALLOWED: Record<MemberRole, readonly Action[]> = {
  owner: ['read', 'write', 'manage'],
  editor: ['read', 'write'],
  viewer: ['read'],
};

/** What is not yours answers exactly as what does not exist: the same code, the same words, no details. */
function notFound(what: string): CairnError {
  return new CairnError('not-found', `there is no such ${what}, or it is not yours; check the id`);
}

/**
 * Decides whether `principal` may do `action` in the space. Called inside the same read or transaction as the
 * work it allows, so that a right that was taken away cannot be used a moment later.
 * @returns the space as that snapshot sees it
 * @throws CairnError `not-found` for an absent space, for one of other people and for a right that is lacking
 */
export async function authoriseSpace(
  reader: MetadataReader,
  principal: Principal,
  action: Action,
  spaceId: SpaceId,
): Promise<SpaceRecord> {
  const role = await reader.getMemberRole(spaceId, principal.userId);
  if (role === undefined || !ALLOWED[role].includes(action)) throw notFound('space');
  const space = await reader.getSpace(spaceId);
  if (space === undefined) throw notFound('space');
  return space;
}

/** As {@link authoriseSpace}; `null` names the principal's personal space. */
export async function authorisePersonalOr(
  reader: MetadataReader,
  principal: Principal,
  action: Action,
  spaceId: SpaceId | null,
): Promise<SpaceRecord> {
  if (spaceId !== null) return authoriseSpace(reader, principal, action, spaceId);
  const user = await reader.getUser(principal.userId);
  if (user === undefined) throw notFound('space');
  return authoriseSpace(reader, principal, action, user.personalSpaceId);
}

/**
 * Finds an entry by its id in the principal's own spaces only; ids of other people's entries are never looked up.
 * @param state `live` entries only, or `any` for those in the trash too
 * @throws CairnError `not-found`
 */
export async function authoriseEntry(
  reader: MetadataReader,
  principal: Principal,
  action: Action,
  entryId: EntryId,
  state: 'live' | 'any',
): Promise<{ readonly space: SpaceRecord; readonly record: EntryRecord }> {
  for (const space of await reader.listSpaces(principal.userId)) {
    const [record] = await reader.getEntries(space.spaceId, [entryId]);
    if (record === undefined || (state === 'live' && record.trashId !== null)) continue;
    const role = await reader.getMemberRole(space.spaceId, principal.userId);
    if (role === undefined || !ALLOWED[role].includes(action)) continue;
    return { space, record };
  }
  throw notFound('file or folder');
}

/**
 * A live entry of one space, by both ids.
 * @throws CairnError `not-found`
 */
export async function authoriseEntryIn(
  reader: MetadataReader,
  principal: Principal,
  action: Action,
  spaceId: SpaceId,
  entryId: EntryId,
): Promise<EntryRecord> {
  await authoriseSpace(reader, principal, action, spaceId);
  const [record] = await reader.getEntries(spaceId, [entryId]);
  if (record === undefined || record.trashId !== null) throw notFound('file or folder');
  return record;
}

/**
 * An upload belongs to the user who began it, while it lasts and while they may write to its space.
 * @param now milliseconds since 1970
 * @throws CairnError `not-found`
 */
export async function authoriseUpload(
  reader: MetadataReader,
  principal: Principal,
  uploadId: UploadId,
  now: number,
): Promise<UploadRecord> {
  const upload = await reader.getUpload(uploadId);
  if (upload === undefined || upload.userId !== principal.userId || upload.expiresAt <= now) {
    throw notFound('upload');
  }
  await authoriseSpace(reader, principal, 'write', upload.spaceId);
  return upload;
}

/**
 * Whether the device may still write: asked again at each commit, since a device may be revoked while its upload
 * is under way.
 * @throws CairnError `session-revoked`
 */
export async function authoriseDevice(reader: MetadataReader, principal: Principal): Promise<void> {
  const device = await reader.getDevice(principal.deviceId);
  if (device === undefined || device.userId !== principal.userId || device.revokedAt !== null) {
    throw new CairnError('session-revoked', 'this device was signed out; sign in again');
  }
}

/**
 * Whether the principal may look after the server as a whole, asked again of the database.
 * @throws CairnError `not-found`, as for an address where nothing is
 */
export async function authoriseAdministrator(reader: MetadataReader, principal: Principal): Promise<void> {
  const user = await reader.getUser(principal.userId);
  if (user?.role === 'administrator') return;
  throw new CairnError('not-found', 'there is nothing at this address; /docs lists what there is');
}
