import {
  BLOCK_ID_BYTES,
  type BlockId,
  type ChunkProfile,
  type ContentId,
  type FileContent,
  isBlockId,
  isContentId,
  type ManifestPart,
} from '@cairn/model';

/** Stored in databases: append only. */
const PROFILES: readonly ChunkProfile[] = ['t32-64k', 't32-256k', 't32-1m'];
const FORMAT = 1;
const SIZE_BYTES = 8;
const PART_BYTES = BLOCK_ID_BYTES + SIZE_BYTES;
const HEADER_BYTES = 1 + BLOCK_ID_BYTES + SIZE_BYTES + 2;

/** Binary form (33 bytes) of a block or content id. */
export function idToBytes(id: BlockId | ContentId): Uint8Array {
  if (!isBlockId(id) && !isContentId(id)) throw new Error(`"${id}" has not the form of an id of bytes`);
  return Buffer.from(id, 'hex');
}

/** Text form of a block or content id. */
export function bytesToId<Id extends BlockId | ContentId = BlockId>(bytes: Uint8Array): Id {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex') as Id;
}

function writeSize(into: Buffer, value: number, offset: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${value} is no size`);
  into.writeUInt32LE(value % 0x1_0000_0000, offset);
  into.writeUInt32LE(Math.floor(value / 0x1_0000_0000), offset + 4);
}

function readSize(from: Buffer, offset: number): number {
  return from.readUInt32LE(offset) + from.readUInt32LE(offset + 4) * 0x1_0000_0000;
}

function writeParts(into: Buffer, parts: readonly ManifestPart[], start: number): void {
  let offset = start;
  for (const part of parts) {
    into.set(idToBytes(part.block), offset);
    writeSize(into, part.sizeBytes, offset + BLOCK_ID_BYTES);
    offset += PART_BYTES;
  }
}

function readParts(from: Buffer, start: number): ManifestPart[] {
  if ((from.length - start) % PART_BYTES !== 0) throw new Error('a stored list of parts is cut off');
  const parts: ManifestPart[] = [];
  for (let offset = start; offset < from.length; offset += PART_BYTES) {
    parts.push({
      block: from.toString('hex', offset, offset + BLOCK_ID_BYTES) as BlockId,
      sizeBytes: readSize(from, offset + BLOCK_ID_BYTES),
    });
  }
  return parts;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Parts as 41 bytes each: block id, then the size (little-endian). */
export function encodeParts(parts: readonly ManifestPart[]): Uint8Array {
  const bytes = Buffer.alloc(parts.length * PART_BYTES);
  writeParts(bytes, parts, 0);
  return bytes;
}

export function decodeParts(bytes: Uint8Array): ManifestPart[] {
  return readParts(asBuffer(bytes), 0);
}

/** A file's content as stored in a row: format, content id, size, profile, depth, parts. */
export function encodeContent(content: FileContent): Uint8Array {
  const { manifest } = content;
  const profile = PROFILES.indexOf(manifest.profile);
  if (profile < 0) throw new Error(`"${manifest.profile}" is no known profile`);
  const bytes = Buffer.alloc(HEADER_BYTES + manifest.parts.length * PART_BYTES);
  bytes.writeUInt8(FORMAT, 0);
  bytes.set(idToBytes(content.contentId), 1);
  writeSize(bytes, content.sizeBytes, 1 + BLOCK_ID_BYTES);
  bytes.writeUInt8(profile, HEADER_BYTES - 2);
  bytes.writeUInt8(manifest.depth, HEADER_BYTES - 1);
  writeParts(bytes, manifest.parts, HEADER_BYTES);
  return bytes;
}

export function decodeContent(stored: Uint8Array): FileContent {
  const bytes = asBuffer(stored);
  const profile = PROFILES[bytes.readUInt8(HEADER_BYTES - 2)];
  if (bytes.readUInt8(0) !== FORMAT || profile === undefined) {
    throw new Error('a stored content has an unknown format');
  }
  return {
    contentId: bytes.toString('hex', 1, 1 + BLOCK_ID_BYTES) as ContentId,
    sizeBytes: readSize(bytes, 1 + BLOCK_ID_BYTES),
    manifest: {
      profile,
      depth: bytes.readUInt8(HEADER_BYTES - 1),
      parts: readParts(bytes, HEADER_BYTES),
    },
  };
}
