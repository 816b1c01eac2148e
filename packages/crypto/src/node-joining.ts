import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto';
import { CairnError } from '@cairn/model';

/*
 * How a storage node and its cluster come to share a key, given a token that the administrator carried from one to the
 * other: an X25519 exchange (RFC 7748) whose both halves are authenticated by HMAC-SHA-256 under the token's secret, and
 * HKDF-SHA-256 (RFC 5869) over the result. The key crosses no wire; who records everything and learns the token later still does not
 * have it; who is in the middle without the token is refused by both.
 */

export const NODE_KEY_BYTES = 32;
const PUBLIC_KEY_BYTES = 32;
const SECRET_BYTES = 32;
const TOKEN_PATTERN = /^([a-z2-7]{26})\.([A-Za-z0-9_-]{43})$/;
/** DER of an X25519 key up to its 32 bytes (RFC 8410). */
const PUBLIC_PREFIX = Buffer.from('302a300506032b656e032100', 'hex');
const PRIVATE_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');

/** What the administrator hands to the node: names the invitation and proves it. */
export interface JoinToken {
  readonly tokenId: string;
  /** 32 bytes. */
  readonly secret: Uint8Array;
}

export interface JoinPair {
  readonly publicKey: Uint8Array;
  readonly privateKey: Uint8Array;
}

export function formatJoinToken({ tokenId, secret }: JoinToken): string {
  return `${tokenId}.${Buffer.from(secret).toString('base64url')}`;
}

/** @throws CairnError `usage` */
export function parseJoinToken(text: string): JoinToken {
  const parts = TOKEN_PATTERN.exec(text.trim());
  const secret = Buffer.from(parts?.[2] ?? '', 'base64url');
  if (parts === null || secret.length !== SECRET_BYTES) {
    throw new CairnError('usage', 'this is no join token; make one with "cairn admin nodes invite"');
  }
  return { tokenId: parts[1] as string, secret };
}

/** A new pair for one exchange. */
export function createJoinPair(): JoinPair {
  const pair = generateKeyPairSync('x25519');
  const der = pair.publicKey.export({ type: 'spki', format: 'der' });
  const secret = pair.privateKey.export({ type: 'pkcs8', format: 'der' });
  return {
    publicKey: new Uint8Array(der.subarray(PUBLIC_PREFIX.length)),
    privateKey: new Uint8Array(secret.subarray(PRIVATE_PREFIX.length)),
  };
}

function importPublic(bytes: Uint8Array): KeyObject {
  if (bytes.length !== PUBLIC_KEY_BYTES) throw new CairnError('bad-request', 'a public key has 32 bytes');
  return createPublicKey({ key: Buffer.concat([PUBLIC_PREFIX, bytes]), type: 'spki', format: 'der' });
}

function importPrivate(bytes: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PRIVATE_PREFIX, bytes]), type: 'pkcs8', format: 'der' });
}

/** Lengths go in front, so that no two lists of texts are the same bytes. */
function join(label: string, parts: readonly (string | Uint8Array)[]): Buffer {
  const pieces = [label, ...parts].flatMap((part) => {
    const bytes = Buffer.from(part as Uint8Array);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    return [length, bytes];
  });
  return Buffer.concat(pieces);
}

/** What proves that whoever knows the secret said exactly these parts. */
export function proveParts(
  secret: Uint8Array,
  label: string,
  parts: readonly (string | Uint8Array)[],
): Uint8Array {
  return new Uint8Array(createHmac('sha256', secret).update(join(label, parts)).digest());
}

/** Whether `proof` is what {@link proveParts} makes; takes the same time whatever differs. */
export function isProven(
  proof: Uint8Array,
  secret: Uint8Array,
  label: string,
  parts: readonly (string | Uint8Array)[],
): boolean {
  const wanted = proveParts(secret, label, parts);
  return proof.length === wanted.length && timingSafeEqual(proof, wanted);
}

/**
 * The key that both sides get from their own private half and the other's public one.
 * @param nodePublicKey the node's half, whichever side computes
 * @throws CairnError `bad-request` for a public key that is none or makes no secret
 */
export function deriveNodeKey(
  own: Uint8Array,
  other: Uint8Array,
  secret: Uint8Array,
  nodeId: string,
  nodePublicKey: Uint8Array,
): Uint8Array {
  let shared: Uint8Array;
  try {
    shared = diffieHellman({ privateKey: importPrivate(own), publicKey: importPublic(other) });
  } catch (error) {
    throw new CairnError('bad-request', 'the public key is not usable', { cause: error });
  }
  // A point of small order makes a secret of zeros, which everybody knows (RFC 7748, section 6.1).
  if (shared.every((byte) => byte === 0)) throw new CairnError('bad-request', 'the public key is not usable');
  const info = join('cairn storage node key 1', [nodeId, nodePublicKey]);
  return new Uint8Array(hkdfSync('sha256', shared, secret, info, NODE_KEY_BYTES));
}
