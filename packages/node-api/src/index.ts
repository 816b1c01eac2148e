export { createNodeApi, type NodeApp } from './create-node-api.ts';
export type { Fence, NodeApiOptions, NodeIdentity } from './node-api-options.ts';
