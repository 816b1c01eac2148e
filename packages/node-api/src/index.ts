export { createNodeApi, type NodeApp } from './create-node-api.ts';
export { createFencingTokens, deleteWithFence } from './fencing-tokens.ts';
export type { FencingTokens, NodeApiOptions, NodeDrill, NodeIdentity } from './node-api-options.ts';
