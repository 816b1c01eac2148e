export type { Activity } from './activity.ts';
export { createSyncEngine } from './engine.ts';
export type { SyncEngine, SyncEngineOptions } from './engine-types.ts';
export type { TransferCounters } from './execute/deps.ts';
export type { Explanation, TreeFacts, Verdict } from './explain-path.ts';
export type { UnsyncedReason } from './observe/collect.ts';
export type { ByteReader, ContentPiece, SpaceConnection, UploadSession } from './ports.ts';
export { Selection, type SelectionMark, type SelectionRequest } from './selection.ts';
export type { Problem, SyncState, SyncStatus } from './status.ts';
