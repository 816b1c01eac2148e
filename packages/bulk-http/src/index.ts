export { MalformedResponse } from './malformed-response.ts';
export {
  type BulkClient,
  type BulkClientOptions,
  type BulkRequest,
  type BulkResponse,
  createBulkClient,
} from './node/bulk-client.ts';
export type { BulkTarget } from './node/bulk-connection.ts';
