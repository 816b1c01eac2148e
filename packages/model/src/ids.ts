/**
 * Branded identifiers. Random ids carry 128 bits in 26 characters of lower-case base32 (RFC 4648, no padding),
 * so they are safe in URLs, file names, shells and case-folding databases.
 */

declare const brand: unique symbol;
type Brand<Name extends string> = string & { readonly [brand]: Name };

export type UserId = Brand<'UserId'>;
export type DeviceId = Brand<'DeviceId'>;
export type SpaceId = Brand<'SpaceId'>;
export type EntryId = Brand<'EntryId'>;
export type VersionId = Brand<'VersionId'>;
export type ChangesetId = Brand<'ChangesetId'>;
export type UploadId = Brand<'UploadId'>;
/** One pass of a device over a large file that it sends. */
export type TransferId = Brand<'TransferId'>;
/** Names one history of a server's journals; a server restored from a backup gets a new one. */
export type Epoch = Brand<'Epoch'>;

/**
 * Two hex digits of algorithm, then the digest in hex (64 digits): `01` is SHA-256 of a chunk's plain bytes, `02`
 * SHA-256 of a manifest block's. The same bytes as chunk and as manifest block are two blocks: what somebody
 * stores as one kind can never stand where the other kind is meant.
 */
export type BlockId = Brand<'BlockId'>;
/** Names a file's whole content: `03` and SHA-256 over the canonical bytes of its manifest root. Never a block. */
export type ContentId = Brand<'ContentId'>;

declare const shard: unique symbol;
/**
 * Names a shard of a block on a storage node: two hex digits that say of which kind of block and which shard, then the
 * block's digest. Storage nodes keep it like a block; no client, no database and no manifest ever sees one.
 */
export type ShardId = BlockId & { readonly [shard]: true };

/** `chunk`: a span of a file. `manifest`: a list of other blocks. */
export type BlockKind = 'chunk' | 'manifest';

/**
 * The algorithm byte of each kind of id in hex. A byte is never used again for another meaning: `10` to `15` are the shards
 * of a chunk, `20` to `25` those of a manifest block.
 */
export const ID_ALGORITHMS = { chunk: '01', manifest: '02', content: '03' } as const;
/** Bytes of a block or content id in binary form: the algorithm byte and a 32-byte digest. */
export const BLOCK_ID_BYTES = 33;

const RANDOM_ID = /^[a-z2-7]{26}$/;
const BLOCK_ID = /^0[12][0-9a-f]{64}$/;
const SHARD_ID = /^[12][0-5][0-9a-f]{64}$/;
const CONTENT_ID = /^03[0-9a-f]{64}$/;
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/**
 * Encodes 16 random bytes as an id. The caller names the kind: `createId<EntryId>(random.bytes(16))`.
 * @param bytes exactly 16 bytes
 */
export function createId<Id extends string>(bytes: Uint8Array): Id {
  if (bytes.length !== 16) throw new RangeError(`an id is made of 16 bytes, not ${bytes.length}`);
  let text = '';
  let buffer = 0;
  let bits = 0;
  for (const byte of bytes) {
    buffer = (buffer << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(buffer >>> bits) & 31];
      buffer &= (1 << bits) - 1;
    }
  }
  if (bits > 0) text += ALPHABET[(buffer << (5 - bits)) & 31];
  return text as Id;
}

/**
 * As {@link createId}, but ids made at about the same time begin alike: the first 6 of the bytes give way to the
 * time. Databases keep rows of such ids close together, where random ones would touch a page for each row. Never for
 * what must not be guessed.
 * @param nowMs milliseconds since 1970
 * @param bytes exactly 16 random bytes
 */
export function createOrderedId<Id extends string>(nowMs: number, bytes: Uint8Array): Id {
  const ordered = Uint8Array.from(bytes);
  let rest = Math.max(0, Math.floor(nowMs));
  for (let index = 5; index >= 0; index--) {
    ordered[index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return createId<Id>(ordered);
}

/** Whether `text` has the form of a random id (not whether anything has that id). */
export function isRandomId(text: string): boolean {
  return RANDOM_ID.test(text);
}

/** Whether `text` has the form of a block id of a known algorithm. */
export function isBlockId(text: string): text is BlockId {
  return BLOCK_ID.test(text);
}

/** Whether `text` has the form of the id of a shard of a block. */
export function isShardId(text: string): text is ShardId {
  return SHARD_ID.test(text);
}

/** Whether storage nodes may be asked for it: a block or a shard of one. */
export function isStoredId(text: string): text is BlockId {
  return isBlockId(text) || isShardId(text);
}

/** @param index 0 to 5 */
export function shardIdOf(id: BlockId, index: number): ShardId {
  if (!isBlockId(id) || !(index >= 0 && index <= 5)) throw new RangeError(`${id} has no shard ${index}`);
  return `${id.charAt(1)}${index}${id.slice(2)}` as ShardId;
}

/** Of which block a shard is, and which one. */
export function parseShardId(id: ShardId): { readonly blockId: BlockId; readonly index: number } {
  return { blockId: `0${id.charAt(0)}${id.slice(2)}` as BlockId, index: Number(id.charAt(1)) };
}

/** Whether `text` has the form of a content id of a known algorithm. */
export function isContentId(text: string): text is ContentId {
  return CONTENT_ID.test(text);
}

/** What kind of block an id names; its algorithm says so. */
export function blockKindOf(id: BlockId): BlockKind {
  return id.startsWith(ID_ALGORITHMS.manifest) ? 'manifest' : 'chunk';
}

/** Text form of a block id from its binary form (33 bytes). */
export function decodeBlockId(bytes: Uint8Array): BlockId {
  if (bytes.length !== BLOCK_ID_BYTES) throw new RangeError(`a block id has ${BLOCK_ID_BYTES} bytes`);
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text as BlockId;
}

/** Binary form (33 bytes) of a block id. */
export function encodeBlockId(id: BlockId): Uint8Array {
  const bytes = new Uint8Array(id.length / 2);
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = Number.parseInt(id.slice(index * 2, index * 2 + 2), 16);
  }
  return bytes;
}
