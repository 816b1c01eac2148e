export { CHUNK_RULES, type ChunkProfileName, type ChunkRules } from './chunk-rules.ts';
export { type Chunker, createChunker } from './chunker.ts';
