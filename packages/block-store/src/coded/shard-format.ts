/**
 * A shard: a quarter of a block's payload, or a sum of such quarters (docs/adr/0015-erasure-coding.md). A storage node
 * keeps it like a raw chunk under the shard's id. All numbers are little-endian.
 *
 *    0  4  "CSHD"
 *    4  1  version, 1
 *    5  1  data shards, 4
 *    6  1  parity shards, 2
 *    7  1  which shard this is: 0 to 3 data, 4 and 5 parity
 *    8  1  codec of the block: 0 raw, 1 zstd
 *    9  3  0
 *   12  4  plain bytes of the block
 *   16  4  payload bytes of the block
 *   20 16  set: the first bytes of SHA-256 of bytes 8 to 19 and the whole payload
 *   36 32  SHA-256 of the shard's id, bytes 0 to 35 and the shard's own bytes
 *   68     the shard's bytes: a quarter of the payload, rounded up; the last ones have what is left
 *
 * For the sums, data shards count as filled up with 0. The same block may have been compressed differently at another time: shards fit together only within a set. The
 * checksum covers the id, so a shard that lies under the name of another is none.
 */

import { createHash } from 'node:crypto';
import type { BlockCodec, StoredBlock } from '@cairn/content';
import {
  ALL_SHARDS,
  createErasureCoder,
  DATA_SHARDS,
  type ErasureCoder,
  PARITY_SHARDS,
} from '@cairn/kernels';
import {
  type BlockId,
  blockKindOf,
  encodeBlockId,
  isShardId,
  MAX_BLOCK_BYTES,
  parseShardId,
  type ShardId,
  shardIdOf,
} from '@cairn/model';

const MAGIC = Buffer.from('CSHD', 'latin1');
const VERSION = 1;
const CODECS: readonly BlockCodec[] = ['raw', 'zstd'];
const FIELDS_AT = 8;
const SET_AT = 20;
const SET_BYTES = 16;
const CHECKSUM_AT = 36;
export const SHARD_HEADER_BYTES = 68;
/** Each shard of a block is on a node of its own. */
export const CODING_NODES = ALL_SHARDS;

/** An intact shard. */
export interface Shard {
  readonly blockId: BlockId;
  readonly index: number;
  /** In hex; see above. */
  readonly set: string;
  readonly codec: BlockCodec;
  readonly plainBytes: number;
  readonly payloadBytes: number;
  readonly bytes: Uint8Array;
}

let coder: ErasureCoder | null = null;
function theCoder(): ErasureCoder {
  coder ??= createErasureCoder();
  return coder;
}

function checksumOf(shardId: ShardId, record: Uint8Array): Buffer {
  return createHash('sha256')
    .update(encodeBlockId(shardId))
    .update(record.subarray(0, CHECKSUM_AT))
    .update(record.subarray(SHARD_HEADER_BYTES))
    .digest();
}

/** Bytes of a shard without its header. */
function lengthOf(index: number, payloadBytes: number): number {
  const most = Math.ceil(payloadBytes / DATA_SHARDS);
  if (index >= DATA_SHARDS) return most;
  return Math.max(0, Math.min(most, payloadBytes - index * most));
}

/** The payload in quarters of one length, filled up with 0. */
function split(payload: Uint8Array): Uint8Array[] {
  const shardBytes = Math.ceil(payload.length / DATA_SHARDS);
  return Array.from({ length: DATA_SHARDS }, (_, index) => {
    const part = payload.subarray(index * shardBytes, (index + 1) * shardBytes);
    if (part.length === shardBytes) return part;
    const filled = new Uint8Array(shardBytes);
    filled.set(part);
    return filled;
  });
}

/** The six shards of a block, as storage nodes keep them. The same payload always gives the same shards. */
export function encodeShards(block: StoredBlock): StoredBlock[] {
  const { blockId, codec, plainBytes, payload } = block;
  const data = split(payload);
  const records = Array.from({ length: ALL_SHARDS }, (_, index) =>
    Buffer.alloc(SHARD_HEADER_BYTES + lengthOf(index, payload.length)),
  );
  const bodies = records.map((record) => record.subarray(SHARD_HEADER_BYTES));
  for (const [index, part] of data.entries()) {
    const body = bodies[index] as Buffer;
    body.set(part.subarray(0, body.length));
  }
  theCoder().encode(data, bodies.slice(DATA_SHARDS));
  const fields = Buffer.alloc(SET_AT - FIELDS_AT);
  fields[0] = CODECS.indexOf(codec);
  fields.writeUInt32LE(plainBytes, 4);
  fields.writeUInt32LE(payload.length, 8);
  const set = createHash('sha256').update(fields).update(payload).digest();
  return records.map((record, index): StoredBlock => {
    const shardId = shardIdOf(blockId, index);
    MAGIC.copy(record);
    record.set([VERSION, DATA_SHARDS, PARITY_SHARDS, index], MAGIC.length);
    fields.copy(record, FIELDS_AT);
    set.copy(record, SET_AT, 0, SET_BYTES);
    checksumOf(shardId, record).copy(record, CHECKSUM_AT);
    return { blockId: shardId, kind: 'chunk', codec: 'raw', plainBytes: record.length, payload: record };
  });
}

/** `null` for what is not, byte for byte, a shard that was made under this id. */
export function parseShard({ blockId: shardId, payload }: StoredBlock): Shard | null {
  if (!isShardId(shardId) || payload.length < SHARD_HEADER_BYTES) return null;
  const record = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  const { blockId, index } = parseShardId(shardId);
  const isOurs = [VERSION, DATA_SHARDS, PARITY_SHARDS, index].every((value, at) => record[4 + at] === value);
  if (!record.subarray(0, MAGIC.length).equals(MAGIC) || !isOurs) return null;
  const codec = CODECS[record[FIELDS_AT] as number];
  const payloadBytes = record.readUInt32LE(16);
  const bytes = record.subarray(SHARD_HEADER_BYTES);
  if (codec === undefined || payloadBytes > MAX_BLOCK_BYTES) return null;
  if (bytes.length !== lengthOf(index, payloadBytes)) return null;
  if (!checksumOf(shardId, record).equals(record.subarray(CHECKSUM_AT, SHARD_HEADER_BYTES))) return null;
  return {
    blockId,
    index,
    set: record.toString('hex', SET_AT, SET_AT + SET_BYTES),
    codec,
    plainBytes: record.readUInt32LE(12),
    payloadBytes,
    bytes,
  };
}

/** Whether a record under a shard's id is what was put there. */
export function isIntactShard(record: StoredBlock): boolean {
  return parseShard(record) !== null;
}

/**
 * The block of which these are shards. Whoever uses it compares it with its id.
 * @param shards of one set, four or more
 */
export function decodeShards(shards: readonly Shard[]): StoredBlock {
  const [{ blockId, codec, plainBytes, payloadBytes }] = shards as readonly [Shard, ...Shard[]];
  const shardBytes = Math.ceil(payloadBytes / DATA_SHARDS);
  const whole = new Uint8Array(shardBytes * DATA_SHARDS);
  const given = new Map(shards.map(({ index, bytes }) => [index, bytes]));
  const known = new Map<number, Uint8Array>();
  const missing = new Map<number, Uint8Array>();
  for (let index = 0; index < DATA_SHARDS; index++) {
    const part = whole.subarray(index * shardBytes, (index + 1) * shardBytes);
    const bytes = given.get(index);
    if (bytes !== undefined) part.set(bytes);
    (bytes === undefined ? missing : known).set(index, part);
  }
  for (const [index, bytes] of given) if (index >= DATA_SHARDS) known.set(index, bytes);
  if (missing.size > 0) theCoder().rebuild(known, missing);
  return { blockId, kind: blockKindOf(blockId), codec, plainBytes, payload: whole.subarray(0, payloadBytes) };
}
