export { type AccessDependencies, createAccessServices } from './access-services.ts';
export type {
  AccessServices,
  AccountsService,
  AuthenticatedToken,
  Caller,
  DevicesService,
  SessionsService,
} from './access-services-types.ts';
export type { PasswordCost } from './accounts/password-hasher.ts';
export type { Principal } from './authorisation/principal.ts';
export type { DataDependencies } from './data-dependencies.ts';
export { createDataServices } from './data-services.ts';
export type {
  BlocksService,
  ChangesPage,
  Conflict,
  ConflictChoice,
  ConflictSide,
  ConflictsPage,
  ConflictsService,
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
export { ensureEpoch } from './spaces/server-epoch.ts';
