import {
  type BlockId,
  blockKindOf,
  CairnError,
  ID_ALGORITHMS,
  isCairnError,
  MAX_BLOCK_BYTES,
} from '@cairn/model';
import { formatDigest } from './hex.ts';
import type { ContentPlatform } from './platform.ts';
import type { BlockKind, StoredBlock } from './stored-block.ts';

/** The id of the block of this kind whose plain bytes these are. */
export function blockIdOf(platform: ContentPlatform, kind: BlockKind, plain: Uint8Array): BlockId {
  return formatDigest(ID_ALGORITHMS[kind], platform.sha256(plain)) as BlockId;
}

/** As {@link blockIdOf}, outside of this thread where the platform has a way. */
export function findBlockId(
  platform: ContentPlatform,
  kind: BlockKind,
  plain: Uint8Array,
): BlockId | Promise<BlockId> {
  const digest = platform.sha256Aside?.(plain) ?? null;
  if (digest === null) return blockIdOf(platform, kind, plain);
  return digest.then((bytes) => formatDigest(ID_ALGORITHMS[kind], bytes) as BlockId);
}

/**
 * Makes a block of plain bytes: names it and compresses where that helps. The payload is memory of its own, so
 * `plain` may be overwritten afterwards.
 * @param plain 1 byte to 3 MiB
 */
export function encodeBlock(platform: ContentPlatform, kind: BlockKind, plain: Uint8Array): StoredBlock {
  return encodeNamedBlock(platform, blockIdOf(platform, kind, plain), kind, plain);
}

/**
 * As {@link encodeBlock} where the id is known already, as it is for what `cutContent` emits.
 * @param options.keep the caller gives `plain` away: where compression does not help, it is the payload itself
 * @param options.into memory for the payload where compression helps, of at least as many bytes as `plain` has; without, or
 * where it is too small, the payload has memory of its own
 */
export function encodeNamedBlock(
  platform: ContentPlatform,
  blockId: BlockId,
  kind: BlockKind,
  plain: Uint8Array,
  options: { readonly keep?: boolean; readonly into?: Uint8Array | undefined } = {},
): StoredBlock {
  if (plain.length === 0 || plain.length > MAX_BLOCK_BYTES) {
    throw new RangeError(`a block has 1 to ${MAX_BLOCK_BYTES} bytes, not ${plain.length}`);
  }
  const compressed = platform.compress(plain, options.into);
  return compressed === null
    ? {
        blockId,
        kind,
        codec: 'raw',
        plainBytes: plain.length,
        // Not `slice`: a Buffer's is a view of the same memory.
        payload: options.keep === true ? plain : new Uint8Array(plain),
      }
    : { blockId, kind, codec: 'zstd', plainBytes: plain.length, payload: compressed };
}

function wrong(block: StoredBlock, problem: string, cause?: unknown): CairnError {
  return new CairnError('block-wrong', `block ${block.blockId} ${problem}; fetch or send it again`, {
    cause,
    details: { blockId: block.blockId },
  });
}

function decode(platform: ContentPlatform, block: StoredBlock, into: Uint8Array | undefined): Uint8Array {
  if (block.codec === 'raw') return block.payload;
  if (block.codec !== 'zstd') throw wrong(block, `has an unknown codec "${block.codec}"`);
  try {
    return platform.decompress(block.payload, block.plainBytes, into);
  } catch (error) {
    throw wrong(block, 'cannot be decompressed to the size it claims', error);
  }
}

/** The plain bytes of a block that claims nothing impossible, before their hash is compared. */
function openUnverified(platform: ContentPlatform, block: StoredBlock, into?: Uint8Array): Uint8Array {
  if (!Number.isInteger(block.plainBytes) || block.plainBytes < 1 || block.plainBytes > MAX_BLOCK_BYTES) {
    throw wrong(block, `claims to have ${block.plainBytes} bytes, allowed are 1 to ${MAX_BLOCK_BYTES}`);
  }
  if (blockKindOf(block.blockId) !== block.kind) throw wrong(block, `is no ${block.kind}, as its id says`);
  const plain = decode(platform, block, into);
  if (plain.length !== block.plainBytes) {
    throw wrong(block, `has ${plain.length} bytes instead of the ${block.plainBytes} it claims`);
  }
  return plain;
}

function checkName(block: StoredBlock, blockId: BlockId): void {
  if (blockId !== block.blockId) throw wrong(block, 'does not have the bytes its id names');
}

/**
 * The verified plain bytes of a block. They may share memory with the payload.
 * Throws `block-wrong` when kind, size, compression or hash do not fit; never returns other bytes than the id names.
 * @param into memory for the bytes of a compressed block, with room for one byte more than those; they may be elsewhere
 * all the same
 */
export function openBlock(platform: ContentPlatform, block: StoredBlock, into?: Uint8Array): Uint8Array {
  const plain = openUnverified(platform, block, into);
  checkName(block, blockIdOf(platform, block.kind, plain));
  return plain;
}

/**
 * As {@link openBlock}; hashes outside of this thread where the platform has a way. The payload stays as it is until then.
 */
export function openBlockAside(
  platform: ContentPlatform,
  block: StoredBlock,
  into?: Uint8Array,
): Uint8Array | Promise<Uint8Array> {
  const plain = openUnverified(platform, block, into);
  const blockId = findBlockId(platform, block.kind, plain);
  if (typeof blockId !== 'string') {
    return blockId.then((found) => {
      checkName(block, found);
      return plain;
    });
  }
  checkName(block, blockId);
  return plain;
}

/** Whether the block opens: its payload is what its id names. */
export function isIntactBlock(platform: ContentPlatform, block: StoredBlock): boolean {
  try {
    openBlock(platform, block);
    return true;
  } catch (error) {
    if (isCairnError(error, 'block-wrong')) return false;
    throw error;
  }
}
