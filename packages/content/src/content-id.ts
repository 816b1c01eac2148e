import {
  CairnError,
  type ChunkProfile,
  type ContentId,
  type FileContent,
  ID_ALGORITHMS,
  MANIFEST_LIMITS,
  type ManifestRoot,
} from '@cairn/model';
import { formatDigest } from './hex.ts';
import { PART_BYTES, sumParts, writeParts, writeSize } from './manifest-parts.ts';
import type { ContentPlatform } from './platform.ts';

/**
 * Canonical bytes of a root: "CMR", format version 1, profile and depth (one byte each), content size (64 bits),
 * number of parts (32 bits), parts; numbers little-endian. Only ever hashed, never stored.
 */
const MAGIC = Uint8Array.of(0x43, 0x4d, 0x52, 0x01);
const HEADER_BYTES = 18;
/** Frozen: part of every content id. */
const PROFILE_CODES: Readonly<Record<ChunkProfile, number>> = { 't32-64k': 1, 't32-256k': 2, 't32-1m': 3 };

/** Names a content by its manifest: equal ids mean equal bytes (the reverse holds within one profile). */
export function contentIdOf(platform: ContentPlatform, manifest: ManifestRoot, sizeBytes: number): ContentId {
  const bytes = new Uint8Array(HEADER_BYTES + manifest.parts.length * PART_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  bytes[4] = PROFILE_CODES[manifest.profile];
  bytes[5] = manifest.depth;
  writeSize(view, 6, sizeBytes);
  view.setUint32(14, manifest.parts.length, true);
  writeParts(bytes, HEADER_BYTES, manifest.parts);
  return formatDigest(ID_ALGORITHMS.content, platform.sha256(bytes)) as ContentId;
}

function findProblem(platform: ContentPlatform, content: FileContent): string | null {
  const { manifest, sizeBytes } = content;
  const { depth, parts } = manifest;
  if (!Object.hasOwn(PROFILE_CODES, manifest.profile)) return `unknown chunk profile "${manifest.profile}"`;
  if (!Number.isInteger(depth) || depth < 0 || depth > MANIFEST_LIMITS.maxDepth)
    return 'wrong manifest depth';
  if (parts.length > MANIFEST_LIMITS.maxRootParts) return 'too many parts in the manifest root';
  if (depth > 0 && parts.length === 0) return 'a manifest without parts has depth 0';
  const total = sumParts(depth, parts);
  if (typeof total === 'string') return total;
  if (total !== sizeBytes) return `the parts have ${total} bytes together, the content claims ${sizeBytes}`;
  if (contentIdOf(platform, manifest, sizeBytes) !== content.contentId) {
    return 'the content id does not fit the manifest';
  }
  return null;
}

/**
 * Checks a content that somebody else described: id, sizes and limits are consistent. Whether the blocks exist,
 * and what manifest blocks below the root say, is for the caller to check. Throws `bad-request`.
 */
export function checkContent(platform: ContentPlatform, content: FileContent): void {
  const problem = findProblem(platform, content);
  if (problem !== null) {
    throw new CairnError('bad-request', `the content is not valid: ${problem}; cut the file again`, {
      details: { contentId: content.contentId },
    });
  }
}
