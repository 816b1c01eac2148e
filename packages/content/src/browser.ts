export { encodeNamedBlock, findBlockId, openBlock } from './block-encoding.ts';
export { createBrowserPlatform } from './browser/browser-platform.ts';
export { chooseProfile } from './choose-profile.ts';
export { type ByteSource, cutContent, describeContent } from './cut-content.ts';
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
export { type BlockSignature, chooseSpanBytes, decodeSignatures, signatureBytes } from './delta/signature.ts';
export { listChunks, type PartPlace } from './list-chunks.ts';
export { parseManifestBlock } from './manifest-block.ts';
export type { PlainBlock } from './plain-block.ts';
export type { ContentPlatform } from './platform.ts';
export type { BlockKind } from './stored-block.ts';
