export type {
  Attributes,
  Expectation,
  FileKind,
  FileStatus,
  Filesystem,
  FilesystemCapabilities,
  FolderItem,
  FolderWatch,
  ListedFolder,
  ListedItem,
  ListingAhead,
  OnStir,
  ReadHandle,
  RescuedItem,
  TemporaryFile,
  WatchHint,
} from './filesystem.ts';
export { isSameButRenamed } from './fingerprint.ts';
export type { FaultPlan, MemoryOperation } from './memory/fault-plan.ts';
export {
  createMemoryFilesystem,
  type MemoryFilesystem,
  type MemoryFilesystemOptions,
} from './memory/memory-filesystem.ts';
export type { MemoryUser, TakenItem, UserItem, UserOperations } from './memory/memory-user.ts';
export { type NodeFilesystemOptions, openNodeFilesystem } from './node/node-filesystem.ts';
export { startAhead, withAhead } from './start-ahead.ts';
