import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import type { BlockKind, StoredBlock } from '@cairn/content';
import type { Random } from '@cairn/environment';
import { BLOCK_ID_BYTES, type BlockId } from '@cairn/model';
import { codecNumber, codecOf, kindNumber, kindOf } from '../segments/record-format.ts';

/**
 * How blocks look in a sealed store; docs/adr/0012 says why. A sealed payload is
 *
 *    0 12  nonce, random
 *   12  1  version, 1              ┐
 *   13  1  kind                    │
 *   14  1  codec                   │ AES-256-GCM, key HMAC(key for blocks, id),
 *   15  4  plain bytes             │ associated data: label and permuted id
 *   19  n  payload                 ┘
 *      16  tag
 */
export interface Sealing {
  /** Names the secret without telling it; 24 hex digits. */
  readonly keyId: string;
  /** The id under which a sealed store keeps the block of this id. */
  blind(blockId: BlockId): BlockId;
  /** The id that was blinded. */
  unblind(blinded: BlockId): BlockId;
  /** A block for a sealed store, under its blinded id; each time other bytes. */
  seal(block: StoredBlock): StoredBlock;
  /** The block that was sealed, or `null` when these bytes are not what was sealed for this id with this secret. */
  open(sealed: StoredBlock): StoredBlock | null;
}

export const SECRET_BYTES = 32;
export const KEY_ID_BYTES = 12;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const INNER_HEADER_BYTES = 7;
const INNER_VERSION = 1;
/** Bytes that sealing adds to a payload. */
export const SEALED_EXTRA_BYTES = NONCE_BYTES + INNER_HEADER_BYTES + TAG_BYTES;
const ROUNDS = [0, 1, 2, 3] as const;
const LEFT_BYTES = 16;
const BLOCK_LABEL = Buffer.from('cairn sealed block 1', 'latin1');
const MAX_KIND = kindNumber('manifest');
const MAX_CODEC = codecNumber('zstd');

/** A key for one purpose from a secret; HKDF-SHA-256. */
export function deriveKey(secret: Uint8Array, purpose: string, sizeBytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `cairn block store 1: ${purpose}`, sizeBytes));
}

/**
 * @param secret the store's own, 32 random bytes
 * @param random of cryptographic quality: nonces come from it
 */
export function createSealing(secret: Uint8Array, random: Random): Sealing {
  if (secret.length !== SECRET_BYTES) throw new RangeError(`a store secret has ${SECRET_BYTES} bytes`);
  const idKey = deriveKey(secret, 'ids', 32);
  const blockKey = deriveKey(secret, 'blocks', 32);

  /** Changes one side of the id by the other: the left one in odd rounds, the right one in even rounds. */
  function mix(id: Buffer, round: number): void {
    const left = id.subarray(0, LEFT_BYTES);
    const right = id.subarray(LEFT_BYTES);
    const [from, to] = round % 2 === 0 ? [left, right] : [right, left];
    const mask = createHmac('sha256', idKey).update(Uint8Array.of(round)).update(from).digest();
    for (let at = 0; at < to.length; at++) to[at] = (to[at] as number) ^ (mask[at] as number);
  }

  function permute(blockId: BlockId, rounds: readonly number[]): BlockId {
    const id = Buffer.from(blockId, 'hex');
    if (id.length !== BLOCK_ID_BYTES) throw new RangeError(`a block id has ${BLOCK_ID_BYTES} bytes`);
    for (const round of rounds) mix(id, round);
    return id.toString('hex') as BlockId;
  }

  const blind = (blockId: BlockId) => permute(blockId, ROUNDS);
  const unblind = (blinded: BlockId) => permute(blinded, [...ROUNDS].reverse());
  const keyOf = (blockId: BlockId) => createHmac('sha256', blockKey).update(blockId, 'hex').digest();
  const associated = (blinded: BlockId) => Buffer.concat([BLOCK_LABEL, Buffer.from(blinded, 'hex')]);

  return {
    keyId: deriveKey(secret, 'key id', KEY_ID_BYTES).toString('hex'),
    blind,
    unblind,
    seal(block) {
      const blinded = blind(block.blockId);
      const inner = Buffer.alloc(INNER_HEADER_BYTES);
      inner[0] = INNER_VERSION;
      inner[1] = kindNumber(block.kind);
      inner[2] = codecNumber(block.codec);
      inner.writeUInt32LE(block.plainBytes, 3);
      const nonce = random.bytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', keyOf(block.blockId), nonce);
      cipher.setAAD(associated(blinded));
      const parts = [nonce, cipher.update(inner), cipher.update(block.payload), cipher.final()];
      const payload = Buffer.concat([...parts, cipher.getAuthTag()]);
      return { blockId: blinded, kind: 'chunk', codec: 'raw', plainBytes: payload.length, payload };
    },
    open({ blockId: blinded, payload }) {
      if (payload.length < SEALED_EXTRA_BYTES) return null;
      const blockId = unblind(blinded);
      const end = payload.length - TAG_BYTES;
      const nonce = payload.subarray(0, NONCE_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', keyOf(blockId), nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(associated(blinded));
      decipher.setAuthTag(payload.subarray(end));
      const plain = decipher.update(payload.subarray(NONCE_BYTES, end));
      try {
        decipher.final();
      } catch {
        return null;
      }
      const [version, kind, codec] = [plain[0] as number, plain[1] as number, plain[2] as number];
      if (version !== INNER_VERSION || kind > MAX_KIND || codec > MAX_CODEC) return null;
      return {
        blockId,
        kind: kindOf(kind) as BlockKind,
        codec: codecOf(codec),
        plainBytes: plain.readUInt32LE(3),
        payload: new Uint8Array(
          plain.buffer,
          plain.byteOffset + INNER_HEADER_BYTES,
          plain.length - INNER_HEADER_BYTES,
        ),
      };
    },
  };
}
