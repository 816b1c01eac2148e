export { encodeNamedBlock, findBlockId, openBlock } from './block-encoding.ts';
export { createBrowserPlatform } from './browser/browser-platform.ts';
export { chooseProfile } from './choose-profile.ts';
export { type ByteSource, cutContent, describeContent } from './cut-content.ts';
export { listChunks } from './list-chunks.ts';
export { parseManifestBlock } from './manifest-block.ts';
export type { PlainBlock } from './plain-block.ts';
export type { ContentPlatform } from './platform.ts';
export type { BlockKind } from './stored-block.ts';
