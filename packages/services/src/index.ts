export type { Principal } from './authorisation/principal.ts';
export type { DataDependencies } from './data-dependencies.ts';
export { createDataServices } from './data-services.ts';
export type {
  BlocksService,
  ChangesPage,
  DataServices,
  EntryUpdate,
  EntryWithPath,
  FilesService,
  OpenedFile,
  PutFileOptions,
  SnapshotPage,
  SpacesService,
  TrashItem,
  TrashService,
  UploadStatus,
  UploadsService,
} from './data-services-types.ts';
