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
  TemporaryFile,
  WatchHint,
} from './filesystem.ts';
