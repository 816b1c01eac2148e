import { CairnError, MANIFEST_LIMITS, type ManifestPart } from '@cairn/model';
import { PART_BYTES, readParts, sumParts, writeParts } from './manifest-parts.ts';

/**
 * A manifest block: "CMB", format version 1, depth of its parts (one byte), number of parts (32 bits,
 * little-endian), parts. Exactly one byte string for one list, since the block's id is its hash.
 */
const MAGIC = Uint8Array.of(0x43, 0x4d, 0x42, 0x01);
const HEADER_BYTES = 9;

export interface ParsedManifestBlock {
  /** 0: the parts are chunks; n: manifest blocks whose own parts have depth n - 1. */
  readonly depth: number;
  readonly parts: readonly ManifestPart[];
}

function findProblem(depth: number, parts: readonly ManifestPart[]): string | null {
  // A block's parts lie below those of the root, which is the deepest that is allowed.
  if (!Number.isInteger(depth) || depth < 0 || depth >= MANIFEST_LIMITS.maxDepth) return 'has a wrong depth';
  if (parts.length < 1 || parts.length > MANIFEST_LIMITS.maxBlockParts) return 'has a wrong number of parts';
  const total = sumParts(depth, parts);
  return typeof total === 'string' ? `is not valid: ${total}` : null;
}

/** Plain bytes of the manifest block that lists `parts` of depth `depth`. */
export function encodeManifestBlock(depth: number, parts: readonly ManifestPart[]): Uint8Array {
  const problem = findProblem(depth, parts);
  if (problem !== null) throw new RangeError(`the manifest block ${problem}`);
  const bytes = new Uint8Array(HEADER_BYTES + parts.length * PART_BYTES);
  bytes.set(MAGIC);
  bytes[4] = depth;
  new DataView(bytes.buffer).setUint32(5, parts.length, true);
  writeParts(bytes, HEADER_BYTES, parts);
  return bytes;
}

function wrong(problem: string): CairnError {
  return new CairnError('block-wrong', `the manifest block ${problem}; fetch or send it again`);
}

/** Reads a manifest block. Throws `block-wrong` for anything that {@link encodeManifestBlock} does not write. */
export function parseManifestBlock(plain: Uint8Array): ParsedManifestBlock {
  if (plain.length < HEADER_BYTES || MAGIC.some((byte, index) => plain[index] !== byte)) {
    throw wrong('does not begin like one');
  }
  const depth = plain[4] as number;
  const count = new DataView(plain.buffer, plain.byteOffset).getUint32(5, true);
  if (count > MANIFEST_LIMITS.maxBlockParts || plain.length !== HEADER_BYTES + count * PART_BYTES) {
    throw wrong('has not the length it claims');
  }
  const parts = readParts(plain, HEADER_BYTES, count);
  const problem = findProblem(depth, parts);
  if (problem !== null) throw wrong(problem);
  return { depth, parts };
}
