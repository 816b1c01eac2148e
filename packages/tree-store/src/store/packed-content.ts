import type { BlockId, ChunkProfile, ContentId, FileContent, ManifestPart } from '@cairn/model';

/**
 * A file's content as a string of bytes (one character each): a tenth of the memory of the object, and equal
 * contents are equal strings that trees can share. Layout: content id, size, profile, depth, parts.
 */
export type PackedContent = string;

/** Stored in databases: append only. */
const PROFILES: readonly ChunkProfile[] = ['t32-64k', 't32-256k', 't32-1m'];
const ID_BYTES = 33;
const SIZE_BYTES = 7;
const HEADER_BYTES = ID_BYTES + SIZE_BYTES + 2;
const PART_BYTES = ID_BYTES + SIZE_BYTES;
const ID = /^[0-9a-f]{66}$/;

function writeId(into: Buffer, id: string, offset: number): void {
  if (!ID.test(id)) throw new Error(`"${id}" has not the form of a block id`);
  into.write(id, offset, 'hex');
}

function writeSize(into: Buffer, value: number, offset: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${value} is no size`);
  into.writeUInt32LE(value % 0x1_0000_0000, offset);
  into.writeUIntLE(Math.floor(value / 0x1_0000_0000), offset + 4, 3);
}

function readSize(from: Buffer, offset: number): number {
  return from.readUInt32LE(offset) + from.readUIntLE(offset + 4, 3) * 0x1_0000_0000;
}

export function packContent(content: FileContent): PackedContent {
  const { manifest } = content;
  const profile = PROFILES.indexOf(manifest.profile);
  if (profile < 0) throw new Error(`"${manifest.profile}" is no known profile`);
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + manifest.parts.length * PART_BYTES);
  writeId(bytes, content.contentId, 0);
  writeSize(bytes, content.sizeBytes, ID_BYTES);
  bytes.writeUInt8(profile, HEADER_BYTES - 2);
  bytes.writeUInt8(manifest.depth, HEADER_BYTES - 1);
  let offset = HEADER_BYTES;
  for (const part of manifest.parts) {
    writeId(bytes, part.block, offset);
    writeSize(bytes, part.sizeBytes, offset + ID_BYTES);
    offset += PART_BYTES;
  }
  return bytes.toString('latin1');
}

/** Throws when the string is not one of {@link packContent}. */
export function unpackContent(packed: PackedContent): FileContent {
  const bytes = Buffer.from(packed, 'latin1');
  const profile = PROFILES[bytes[HEADER_BYTES - 2] ?? -1];
  if (profile === undefined || (bytes.length - HEADER_BYTES) % PART_BYTES !== 0) {
    throw new Error('a stored content has an unknown format');
  }
  const parts: ManifestPart[] = [];
  for (let offset = HEADER_BYTES; offset < bytes.length; offset += PART_BYTES) {
    parts.push({
      block: bytes.toString('hex', offset, offset + ID_BYTES) as BlockId,
      sizeBytes: readSize(bytes, offset + ID_BYTES),
    });
  }
  return {
    contentId: bytes.toString('hex', 0, ID_BYTES) as ContentId,
    sizeBytes: readSize(bytes, ID_BYTES),
    manifest: { profile, depth: bytes.readUInt8(HEADER_BYTES - 1), parts },
  };
}

/** The content id alone, packed: 33 characters. */
export function packedIdOf(packed: PackedContent): string {
  return packed.slice(0, ID_BYTES);
}

/** Size of the file, in bytes, without making the content. */
export function packedSizeOf(packed: PackedContent): number {
  let sizeBytes = 0;
  for (let index = SIZE_BYTES - 1; index >= 0; index--)
    sizeBytes = sizeBytes * 256 + packed.charCodeAt(ID_BYTES + index);
  return sizeBytes;
}

export function packId(id: ContentId): string {
  if (!ID.test(id)) throw new Error(`"${id}" has not the form of a content id`);
  return Buffer.from(id, 'hex').toString('latin1');
}

export function unpackId(packed: string): ContentId {
  return Buffer.from(packed, 'latin1').toString('hex') as ContentId;
}

/** Whether a string from storage has the form of a packed content, or of a packed id. */
export function isPacked(packed: string, what: 'content' | 'id'): boolean {
  if (what === 'id') return packed.length === ID_BYTES;
  return hasForm(packed.length, packed.charCodeAt(HEADER_BYTES - 2));
}

/** As {@link isPacked} of a content, where it is still bytes. */
export function isPackedAt(bytes: Uint8Array, offset: number, length: number): boolean {
  return hasForm(length, bytes[offset + HEADER_BYTES - 2] as number);
}

function hasForm(length: number, profile: number): boolean {
  return length >= HEADER_BYTES && profile < PROFILES.length && (length - HEADER_BYTES) % PART_BYTES === 0;
}
