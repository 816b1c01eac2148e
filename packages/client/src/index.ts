export type { AccountClient, Credentials } from './account-client.ts';
export { type Client, type ClientOptions, createClient } from './client.ts';
export type { ConflictsClient } from './conflicts-client.ts';
export type { ContentBase } from './delta-reader.ts';
export type { FilesClient } from './files-client.ts';
export { createFileSessionStore } from './node/file-session-store.ts';
export { createNodeTransport, type NodeTransportOptions } from './node/node-transport.ts';
export type { ContentItem, ContentPiece } from './read-contents.ts';
export type { RetentionClient } from './retention-client.ts';
export { DEFAULT_RETRY, type RetryPolicy } from './retry.ts';
export { isExposed, parseServerUrl, refuseExposed } from './server-url.ts';
export { createMemorySessionStore, type SessionRecord, type SessionStore } from './session-store.ts';
export type { SpaceClient } from './space-client.ts';
export type {
  SocketHandlers,
  Transport,
  TransportRequest,
  TransportResponse,
  TransportSocket,
} from './transport.ts';
export type { Upload, UploadOptions } from './upload.ts';
