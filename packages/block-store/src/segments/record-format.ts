/**
 * The bytes of a segment file. All numbers are little-endian; nothing is padded or aligned.
 *
 * A segment is `segments/NNNNNNNN-<segment uuid in hex>.segment`: a 64-byte file header, then records, appended
 * one after the other and never changed. A store is these files; its index can always be made again from them.
 *
 *   file header (64)                        record header (84), then the payload
 *    0  8  "CAIRNSEG"                        0  4  "CREC"
 *    8  2  format version, 1 or 2            4  1  record version, 1
 *   10  2  0                                 5  1  kind: 0 chunk, 1 manifest, 2 tombstone
 *   12  4  segment number                    6  1  codec: 0 raw, 1 zstd
 *   16 16  store uuid                        7  1  0
 *   32 16  segment uuid                      8 33  block id (algorithm byte, digest)
 *   48 12  version 2: key id; 1: 0          41  3  0
 *   60  4  CRC-32 of bytes 0..59            44  4  plain bytes
 *                                           48  4  payload bytes
 *                                           52  4  generation
 *                                           56 16  segment uuid
 *                                           72  4  offset of this record in its file
 *                                           76  4  CRC-32 of the payload
 *                                           80  4  CRC-32 of bytes 0..79
 *
 * The segment uuid and the offset bind a record to its place: a record that some layer below wrote, copied or
 * moved elsewhere is not a record there. The header's own checksum makes its length trustworthy even when the
 * payload is damaged, so one rotten record hides no other. A tombstone has no payload; it ends its generation
 * and all before it, and a later record of the same block has a higher one, so the order in which segments are
 * read makes no difference. CRC-32 is against accident; against malice the block id is checked by who opens it.
 *
 * Version 2 differs in nothing but the key id: it names the secret with which payloads and ids were sealed before they
 * came here (sealed/sealing.ts), so that a sealed store is known to be one.
 */

import { crc32 } from 'node:zlib';
import type { BlockCodec, BlockKind } from '@cairn/content';
import { BLOCK_ID_BYTES, type BlockId, MAX_BLOCK_BYTES } from '@cairn/model';

export const SEGMENT_HEADER_BYTES = 64;
export const RECORD_HEADER_BYTES = 84;
/** A compressed payload is only kept when smaller, but the format leaves room for a codec's own frame. */
export const MAX_PAYLOAD_BYTES = MAX_BLOCK_BYTES + 1024;
export const MAX_RECORD_BYTES = RECORD_HEADER_BYTES + MAX_PAYLOAD_BYTES;
export const RECORD_MAGIC = Buffer.from('CREC', 'latin1');

const SEGMENT_MAGIC = Buffer.from('CAIRNSEG', 'latin1');
const FORMAT_VERSION = 1;
const SEALED_FORMAT_VERSION = 2;
const KEY_ID_BYTES = 12;
const RECORD_VERSION = 1;
const UUID_BYTES = 16;

export type RecordKind = BlockKind | 'tombstone';
const KINDS: readonly RecordKind[] = ['chunk', 'manifest', 'tombstone'];
const CODECS: readonly BlockCodec[] = ['raw', 'zstd'];

/** What a record says of itself, apart from its place. */
export interface RecordHeader {
  readonly blockId: BlockId;
  readonly kind: RecordKind;
  readonly codec: BlockCodec;
  readonly plainBytes: number;
  readonly storedBytes: number;
  readonly generation: number;
  readonly payloadChecksum: number;
}

export interface SegmentHeader {
  readonly number: number;
  readonly storeUuid: string;
  readonly segmentUuid: string;
  /** Names the secret that what is in it was sealed with; `null` in a store that is not sealed. */
  readonly keyId: string | null;
}

export function kindNumber(kind: RecordKind): number {
  return KINDS.indexOf(kind);
}

export function codecNumber(codec: BlockCodec): number {
  return CODECS.indexOf(codec);
}

export function kindOf(value: number): RecordKind {
  return KINDS[value] as RecordKind;
}

export function codecOf(value: number): BlockCodec {
  return CODECS[value] as BlockCodec;
}

/** Bytes that a record takes on disk. */
export function recordBytes(storedBytes: number): number {
  return RECORD_HEADER_BYTES + storedBytes;
}

/** Checksum of a payload as its record header carries it. */
export function payloadChecksum(payload: Uint8Array): number {
  return crc32(payload);
}

/** @param header uuids are 32 hex digits, a key id 24 */
export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  SEGMENT_MAGIC.copy(bytes, 0);
  bytes.writeUInt16LE(header.keyId === null ? FORMAT_VERSION : SEALED_FORMAT_VERSION, 8);
  bytes.writeUInt32LE(header.number, 12);
  bytes.write(header.storeUuid, 16, UUID_BYTES, 'hex');
  bytes.write(header.segmentUuid, 32, UUID_BYTES, 'hex');
  if (header.keyId !== null) bytes.write(header.keyId, 48, KEY_ID_BYTES, 'hex');
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
  return bytes;
}

/** `null` when the bytes are no intact file header of this format. */
export function parseSegmentHeader(bytes: Buffer): SegmentHeader | null {
  if (bytes.length < SEGMENT_HEADER_BYTES || !bytes.subarray(0, 8).equals(SEGMENT_MAGIC)) return null;
  if (crc32(bytes.subarray(0, 60)) !== bytes.readUInt32LE(60)) return null;
  const version = bytes.readUInt16LE(8);
  if (version !== FORMAT_VERSION && version !== SEALED_FORMAT_VERSION) return null;
  return {
    number: bytes.readUInt32LE(12),
    storeUuid: bytes.toString('hex', 16, 32),
    segmentUuid: bytes.toString('hex', 32, 48),
    keyId: version === FORMAT_VERSION ? null : bytes.toString('hex', 48, 48 + KEY_ID_BYTES),
  };
}

/** Writes a record header into `into` at `at`, bound to its segment and its offset there. */
export function writeRecordHeader(
  into: Buffer,
  at: number,
  header: RecordHeader,
  segmentUuid: Buffer,
  offset: number,
): void {
  RECORD_MAGIC.copy(into, at);
  into[at + 4] = RECORD_VERSION;
  into[at + 5] = kindNumber(header.kind);
  into[at + 6] = codecNumber(header.codec);
  into[at + 7] = 0;
  into.write(header.blockId, at + 8, BLOCK_ID_BYTES, 'hex');
  into.fill(0, at + 41, at + 44);
  into.writeUInt32LE(header.plainBytes, at + 44);
  into.writeUInt32LE(header.storedBytes, at + 48);
  into.writeUInt32LE(header.generation, at + 52);
  segmentUuid.copy(into, at + 56);
  into.writeUInt32LE(offset, at + 72);
  into.writeUInt32LE(header.payloadChecksum, at + 76);
  into.writeUInt32LE(crc32(into.subarray(at, at + 80)), at + 80);
}

/**
 * Reads the record header at `at`, or `null` when there is no intact one that belongs to this place.
 * @param offset where in the segment `bytes[at]` is
 */
export function parseRecordHeader(
  bytes: Buffer,
  at: number,
  segmentUuid: Buffer,
  offset: number,
): RecordHeader | null {
  if (at + RECORD_HEADER_BYTES > bytes.length) return null;
  if (bytes.readUInt32LE(at) !== RECORD_MAGIC.readUInt32LE(0) || bytes[at + 4] !== RECORD_VERSION)
    return null;
  if (crc32(bytes.subarray(at, at + 80)) !== bytes.readUInt32LE(at + 80)) return null;
  if (bytes.readUInt32LE(at + 72) !== offset) return null;
  if (!bytes.subarray(at + 56, at + 72).equals(segmentUuid)) return null;
  const kind = KINDS[bytes[at + 5] as number];
  const codec = CODECS[bytes[at + 6] as number];
  const storedBytes = bytes.readUInt32LE(at + 48);
  if (kind === undefined || codec === undefined || storedBytes > MAX_PAYLOAD_BYTES) return null;
  return {
    blockId: bytes.toString('hex', at + 8, at + 8 + BLOCK_ID_BYTES) as BlockId,
    kind,
    codec,
    plainBytes: bytes.readUInt32LE(at + 44),
    storedBytes,
    generation: bytes.readUInt32LE(at + 52),
    payloadChecksum: bytes.readUInt32LE(at + 76),
  };
}

const FILE_NAME = /^([0-9]{8})-([0-9a-f]{32})\.segment$/;

/** Name of a segment's file: its number for people and order, its uuid for certainty. */
export function segmentFileName(number: number, segmentUuid: string): string {
  return `${String(number).padStart(8, '0')}-${segmentUuid}.segment`;
}

export function parseSegmentFileName(name: string): { number: number; segmentUuid: string } | null {
  const match = FILE_NAME.exec(name);
  return match === null ? null : { number: Number(match[1]), segmentUuid: match[2] as string };
}
