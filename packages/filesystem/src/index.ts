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
export { type NodeFilesystemOptions, openNodeFilesystem } from './node/node-filesystem.ts';
