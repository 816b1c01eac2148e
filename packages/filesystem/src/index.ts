export type {
  Attributes,
  Expectation,
  FileKind,
  FileStatus,
  Filesystem,
  FilesystemCapabilities,
  FolderItem,
  FolderWatch,
  ReadHandle,
  RescuedItem,
  TemporaryFile,
  WatchHint,
} from './filesystem.ts';
export {
  createMemoryFilesystem,
  type FaultPlan,
  type MemoryFilesystem,
  type MemoryFilesystemOptions,
  type MemoryOperation,
} from './memory/memory-filesystem.ts';
export type { UserOperations } from './memory/memory-user.ts';
export { type NodeFilesystemOptions, openNodeFilesystem } from './node/node-filesystem.ts';
