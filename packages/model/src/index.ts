export {
  CHANGESET_LIMITS,
  type Change,
  type ChangeConflict,
  type ChangeResult,
  type Changeset,
  type CommitResult,
  type ConflictReason,
  type CreateChange,
  type JournalChange,
  type NewEntry,
  type RemoveChange,
  type RestoreChange,
  type UpdateChange,
} from './change.ts';
export { type Cursor, formatCursor, parseCursor } from './cursor.ts';
export type { Entry, EntryKind, FileContent, FileEntry, FolderEntry, LinkEntry, Version } from './entry.ts';
export {
  CairnError,
  type CairnErrorOptions,
  ERROR_CODES,
  type ErrorCode,
  isCairnError,
  type RetryClass,
} from './errors.ts';
export {
  BLOCK_ID_BYTES,
  type BlockId,
  type BlockKind,
  blockKindOf,
  type ChangesetId,
  type ContentId,
  createId,
  type DeviceId,
  decodeBlockId,
  type EntryId,
  type Epoch,
  encodeBlockId,
  ID_ALGORITHMS,
  isBlockId,
  isContentId,
  isRandomId,
  type SpaceId,
  type UploadId,
  type UserId,
  type VersionId,
} from './ids.ts';
export {
  type ChunkProfile,
  MANIFEST_LIMITS,
  MAX_BLOCK_BYTES,
  type ManifestPart,
  type ManifestRoot,
} from './manifest.ts';
export {
  caseConflictName,
  checkName,
  conflictCopyName,
  describeNameProblem,
  findNameProblem,
  foldName,
  MAX_NAME_BYTES,
  MAX_PATH_DEPTH,
  type NameProblem,
  PRIVATE_FOLDER,
  restoredName,
  splitExtension,
} from './names.ts';
export { formatServerPath, parseServerPath } from './paths.ts';
