export { CHUNK_RULES, type ChunkProfileName, type ChunkRules } from './chunk-rules.ts';
export { type Chunker, createChunker } from './chunker.ts';
export {
  ALL_SHARDS,
  createErasureCoder,
  DATA_SHARDS,
  type ErasureCoder,
  PARITY_SHARDS,
} from './erasure-coder.ts';
