export type {
  ClusterReader,
  ClusterTransaction,
  JoinTokenRecord,
  StorageNodeRecord,
} from './cluster-port.ts';
export type {
  BlockAmount,
  BlockGeneration,
  CollectionReader,
  CollectionTransaction,
  PutResult,
  ReferencePage,
  ReferencePlace,
  TombstoneRecord,
  UnusedPage,
  UnusedSince,
} from './collection-port.ts';
export type {
  CapacityRecord,
  FoundPlace,
  HistoryReader,
  HistoryTransaction,
  SpaceContents,
} from './history-port.ts';
export { InvalidStateError } from './invalid-state.ts';
export type {
  BlockLocationRecord,
  BlockMovePhase,
  BlockMoveRecord,
  BlockPlaceRecord,
  LocationReader,
  LocationTransaction,
} from './location-port.ts';
export type { MetadataReader, MetadataStore, MetadataTransaction } from './metadata-store.ts';
export type {
  BlockRecord,
  ChangesetRecord,
  DeviceRecord,
  EntryRecord,
  JournalRecord,
  MemberRole,
  RefreshTokenRecord,
  RetentionRecord,
  SpaceRecord,
  TrashRecord,
  UploadPartRecord,
  UploadRecord,
  UserRecord,
  VersionRecord,
} from './records.ts';
export type {
  ReferenceCount,
  RetentionReader,
  RetentionTransaction,
  SpaceMeasure,
  VersionedEntry,
} from './retention-port.ts';
export { openSqliteMetadataStore, type SqliteMetadataStoreOptions } from './sqlite/open-store.ts';
