import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { CairnError } from '@cairn/model';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const VERSION = 1;

function keyOf(secret: string | Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'cairn', `sealed ${purpose}`, KEY_BYTES));
}

/**
 * Seals bytes with AES-256-GCM under a key that follows from the secret and the purpose, bound to `name`: what was sealed for one name or
 * purpose does not open for another.
 * @param nonce 12 random bytes, new for each call
 * @returns version byte, nonce, ciphertext, tag
 */
export function sealBytes(
  secret: string | Uint8Array,
  purpose: string,
  name: string,
  plain: Uint8Array,
  nonce: Uint8Array,
): Uint8Array {
  if (nonce.length !== NONCE_BYTES) throw new RangeError(`a nonce has ${NONCE_BYTES} bytes`);
  const cipher = createCipheriv('aes-256-gcm', keyOf(secret, purpose), nonce);
  cipher.setAAD(Buffer.from(name));
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
  return new Uint8Array(Buffer.concat([Buffer.of(VERSION), nonce, sealed, cipher.getAuthTag()]));
}

/** @throws CairnError `not-configured` when it was sealed under another secret, or is damaged */
export function openSealedBytes(
  secret: string | Uint8Array,
  purpose: string,
  name: string,
  sealed: Uint8Array,
): Uint8Array {
  const bytes = Buffer.from(sealed);
  const end = bytes.length - TAG_BYTES;
  try {
    if (bytes[0] !== VERSION || end < 1 + NONCE_BYTES) throw new Error('not in the form of a sealed text');
    const nonce = bytes.subarray(1, 1 + NONCE_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', keyOf(secret, purpose), nonce, {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(name));
    decipher.setAuthTag(bytes.subarray(end));
    return new Uint8Array(
      Buffer.concat([decipher.update(bytes.subarray(1 + NONCE_BYTES, end)), decipher.final()]),
    );
  } catch (error) {
    throw new CairnError(
      'not-configured',
      'a key in the database was sealed under another secret; start the server with the CAIRN_SECRET it had before',
      { cause: error },
    );
  }
}
