const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
/** The algorithm byte of SHA-256, in hex. */
const SHA256_PREFIX = '01';

/** Text form of an id that is a SHA-256 digest. */
export function formatDigest(digest: Uint8Array): string {
  if (digest.length !== 32) throw new RangeError(`SHA-256 has 32 bytes, not ${digest.length}`);
  let text = SHA256_PREFIX;
  for (const byte of digest) text += HEX[byte];
  return text;
}
