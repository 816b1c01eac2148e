import { CairnError, MAX_BLOCK_BYTES } from '@cairn/model';
import type { ContentPlatform } from '../platform.ts';
import { weakHash } from './rolling-hash.ts';

/** Bytes that a span of a base may have. */
export const SPAN_BYTES = { min: 128, max: 8192 } as const;
const MAGIC = Uint8Array.of(0x43, 0x53, 0x47, 0x31);
const HEADER_BYTES = 8;
const SPAN_ENTRY_BYTES = 8;

/**
 * What is to be known of a block to find its bytes in others: for each span of it, the last one shorter, the weak hash and the first 32 bits of
 * SHA-256. Of two different spans, those 64 bits are the same once in 2^64 times, and a block of 1 MiB is compared with
 * at most 2^20 × 2^11 spans: one wrong delta in 2^33 blocks, which the block's own hash refuses.
 */
export interface BlockSignature {
  readonly plainBytes: number;
  readonly spanBytes: number;
  readonly weak: Int32Array;
  readonly strong: Int32Array;
}

/**
 * Length of span for bases of so many bytes: signature and what an edit costs on both sides of it grow against each
 * other, so it goes with the root. A power of two.
 */
export function chooseSpanBytes(plainBytes: number): number {
  const wanted = 2 ** Math.floor(Math.log2(Math.sqrt(4 * Math.max(1, plainBytes))));
  return Math.min(SPAN_BYTES.max, Math.max(SPAN_BYTES.min, wanted));
}

/** First 32 bits of the SHA-256 of a span. */
export function strongHash(
  platform: ContentPlatform,
  bytes: Uint8Array,
  start: number,
  length: number,
): number {
  const digest = platform.sha256(bytes.subarray(start, start + length));
  return (
    ((digest[0] as number) << 24) |
    ((digest[1] as number) << 16) |
    ((digest[2] as number) << 8) |
    (digest[3] as number)
  );
}

/** @param plain 1 byte to 3 MiB */
export function signBlock(platform: ContentPlatform, plain: Uint8Array, spanBytes: number): BlockSignature {
  const count = Math.ceil(plain.length / spanBytes);
  const weak = new Int32Array(count);
  const strong = new Int32Array(count);
  for (let span = 0; span < count; span++) {
    const start = span * spanBytes;
    const length = Math.min(spanBytes, plain.length - start);
    weak[span] = weakHash(plain, start, length);
    strong[span] = strongHash(platform, plain, start, length);
  }
  return { plainBytes: plain.length, spanBytes, weak, strong };
}

/** Bytes that signatures of blocks of these lengths take together. */
export function signatureBytes(plainBytes: readonly number[], spanBytes: number): number {
  let total = HEADER_BYTES;
  for (const each of plainBytes) total += 4 + Math.ceil(each / spanBytes) * SPAN_ENTRY_BYTES;
  return total;
}

/**
 * Signatures as they travel: "CSG1", u32le bytes of a span, for each block u32le plain bytes and for each of its spans
 * u32le weak and u32le strong hash. All have spans of one length.
 */
export function encodeSignatures(signatures: readonly BlockSignature[], spanBytes: number): Uint8Array {
  const bytes = new Uint8Array(
    signatureBytes(
      signatures.map(({ plainBytes }) => plainBytes),
      spanBytes,
    ),
  );
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(4, spanBytes, true);
  let at = HEADER_BYTES;
  for (const { plainBytes, weak, strong } of signatures) {
    view.setUint32(at, plainBytes, true);
    at += 4;
    for (let span = 0; span < weak.length; span++) {
      view.setInt32(at, weak[span] as number, true);
      view.setInt32(at + 4, strong[span] as number, true);
      at += SPAN_ENTRY_BYTES;
    }
  }
  return bytes;
}

function wrong(problem: string): CairnError {
  return new CairnError('bad-request', `the signatures ${problem}; ask again`);
}

/**
 * The inverse. Throws `bad-request` for anything that is not exactly the signatures of `count` blocks with spans of that
 * length.
 */
export function decodeSignatures(bytes: Uint8Array, count: number, spanBytes: number): BlockSignature[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_BYTES || MAGIC.some((byte, index) => bytes[index] !== byte)) {
    throw wrong('do not begin like some');
  }
  if (view.getUint32(4, true) !== spanBytes) throw wrong('have spans of another length');
  const signatures: BlockSignature[] = [];
  let at = HEADER_BYTES;
  for (let block = 0; block < count; block++) {
    if (at + 4 > bytes.length) throw wrong('are cut off');
    const plainBytes = view.getUint32(at, true);
    at += 4;
    if (plainBytes < 1 || plainBytes > MAX_BLOCK_BYTES) throw wrong('are of a block that cannot be');
    const spans = Math.ceil(plainBytes / spanBytes);
    if (at + spans * SPAN_ENTRY_BYTES > bytes.length) throw wrong('are cut off');
    const weak = new Int32Array(spans);
    const strong = new Int32Array(spans);
    for (let span = 0; span < spans; span++) {
      weak[span] = view.getInt32(at, true);
      strong[span] = view.getInt32(at + 4, true);
      at += SPAN_ENTRY_BYTES;
    }
    signatures.push({ plainBytes, spanBytes, weak, strong });
  }
  if (at !== bytes.length) throw wrong('are followed by something');
  return signatures;
}
