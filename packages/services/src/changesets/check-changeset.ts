import { type ContentPlatform, checkContent } from '@cairn/content';
import {
  CairnError,
  CHANGESET_LIMITS,
  type Change,
  type Changeset,
  type ConflictMark,
  checkName,
  type FileContent,
  isCairnError,
  isRandomId,
} from '@cairn/model';

/** Longest text of a symbolic link, in bytes of UTF-8: what Linux allows a path. */
export const MAX_TARGET_BYTES = 4096;

/** Longest name of a device in the mark of a conflict copy. */
const MAX_DEVICE_NAME_CHARACTERS = 200;

const encoder = new TextEncoder();

/** What a change puts into an entry. */
interface Holds {
  readonly kind?: string;
  readonly content?: FileContent;
  readonly target?: string;
  readonly modifiedAtUs?: number;
  readonly conflictOf?: ConflictMark | null;
}

function badRequest(message: string): CairnError {
  return new CairnError('bad-request', message);
}

function checkTarget(target: string): void {
  const fits =
    target.length > 0 &&
    !target.includes('\u0000') &&
    target.isWellFormed() &&
    encoder.encode(target).length <= MAX_TARGET_BYTES;
  if (!fits) throw badRequest(`a link's target has 1 to ${MAX_TARGET_BYTES} bytes of UTF-8 and no NUL`);
}

function checkTime(modifiedAtUs: number): void {
  if (!Number.isSafeInteger(modifiedAtUs)) {
    throw badRequest('a modification time is a whole number of microseconds since 1970');
  }
}

function checkMark({ entryId, baseSequence, deviceName, at }: ConflictMark): void {
  const fits =
    isRandomId(entryId) &&
    (baseSequence === null || Number.isSafeInteger(baseSequence)) &&
    Number.isSafeInteger(at) &&
    deviceName.length <= MAX_DEVICE_NAME_CHARACTERS &&
    deviceName.isWellFormed();
  if (!fits) throw badRequest('the mark of a conflict copy has no valid form');
}

function checkChange(platform: ContentPlatform, change: Change): void {
  if (!isRandomId(change.entryId)) throw badRequest('an entry id has 26 characters of base32');
  if ('name' in change && change.name !== undefined) checkName(change.name);
  if ('baseSequence' in change && !Number.isSafeInteger(change.baseSequence)) {
    throw badRequest('a base sequence is a whole number');
  }
  const holds: Holds = change.kind === 'create' ? change.entry : change.kind === 'update' ? change : {};
  if (holds.content !== undefined) checkContent(platform, holds.content);
  if (holds.target !== undefined) checkTarget(holds.target);
  if (holds.modifiedAtUs !== undefined) checkTime(holds.modifiedAtUs);
  if (holds.conflictOf != null) checkMark(holds.conflictOf);
}

/**
 * Checks what can be checked without the space: form, limits, names, and that contents are consistent in themselves.
 * @throws CairnError `bad-request`, `bad-name`; details.index is the place of the change
 */
export function checkChangeset(platform: ContentPlatform, changeset: Changeset): void {
  if (!isRandomId(changeset.changesetId)) throw badRequest('a changeset id has 26 characters of base32');
  if (changeset.changes.length > CHANGESET_LIMITS.maxChanges) {
    throw badRequest(`a changeset has at most ${CHANGESET_LIMITS.maxChanges} changes; send several`);
  }
  for (const [index, change] of changeset.changes.entries()) {
    try {
      checkChange(platform, change);
    } catch (error) {
      if (!isCairnError(error)) throw error;
      throw new CairnError(error.code, error.message, { cause: error, details: { ...error.details, index } });
    }
  }
}
