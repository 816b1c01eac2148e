// Block ids are hex text wherever people meet them and bytes in manifests. A large file has many, hence the tables.
const BYTES_TO_TEXT = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const DIGITS = new Uint8Array(128);
for (let digit = 0; digit < 16; digit++) DIGITS[digit.toString(16).charCodeAt(0)] = digit;

export function formatHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += BYTES_TO_TEXT[byte];
  return text;
}

/** Writes lower-case hex text, known to be valid, as bytes at `offset`. */
export function writeHex(bytes: Uint8Array, offset: number, text: string): void {
  for (let index = 0; index < text.length; index += 2) {
    const high = DIGITS[text.charCodeAt(index)] as number;
    const low = DIGITS[text.charCodeAt(index + 1)] as number;
    bytes[offset + index / 2] = (high << 4) | low;
  }
}

/** Text form of an id that is a SHA-256 digest behind an algorithm byte in hex. */
export function formatDigest(algorithm: string, digest: Uint8Array): string {
  if (digest.length !== 32) throw new RangeError(`SHA-256 has 32 bytes, not ${digest.length}`);
  return algorithm + formatHex(digest);
}
