export {
  blockIdOf,
  encodeBlock,
  encodeNamedBlock,
  findBlockId,
  isIntactBlock,
  openBlock,
  openBlockAside,
} from './block-encoding.ts';
export { chooseProfile } from './choose-profile.ts';
export { forgetIdleChunkers } from './chunker-pool.ts';
export { checkContent, contentIdOf } from './content-id.ts';
export {
  type ByteSource,
  type CutOptions,
  cutContent,
  type DescribeOptions,
  describeContent,
} from './cut-content.ts';
export { alignParts, type BasePart, type NewPart, type PartAlignment } from './delta/align-parts.ts';
export {
  DELTA_LIMITS,
  type DeltaBlock,
  encodeDeltaBlock,
  isWorthwhile,
  listDeltaBases,
  openDelta,
} from './delta/delta-block.ts';
export { matchBytes } from './delta/match-bytes.ts';
export { matchSignatures } from './delta/match-signatures.ts';
export {
  type BlockSignature,
  chooseSpanBytes,
  decodeSignatures,
  encodeSignatures,
  SPAN_BYTES,
  signatureBytes,
  signBlock,
} from './delta/signature.ts';
export { listChunks, type PartPlace, type ReadPlainBlock } from './list-chunks.ts';
export { encodeManifestBlock, type ParsedManifestBlock, parseManifestBlock } from './manifest-block.ts';
export { createManifestTree, type ManifestTree } from './manifest-tree.ts';
export {
  createHashThreads,
  type HashThreads,
  type HashThreadsOptions,
  useHashThreads,
} from './node/hash-threads.ts';
export { createNodePlatform } from './node/node-platform.ts';
export type { EmitBlock, PlainBlock } from './plain-block.ts';
export { allocateBytes, type ContentPlatform } from './platform.ts';
export type { BlockCodec, BlockKind, StoredBlock } from './stored-block.ts';
