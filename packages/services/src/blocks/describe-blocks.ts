import {
  type ContentPlatform,
  openBlock,
  openBlockAside,
  parseManifestBlock,
  type StoredBlock,
} from '@cairn/content';
import type { BlockRecord } from '@cairn/metadata-store';
import { type BlockId, CairnError, MAX_BLOCK_BYTES, type ManifestPart } from '@cairn/model';

/** A verified block before it is known whether what it lists is there. */
export interface VerifiedBlock {
  readonly block: StoredBlock;
  /** Depth of the block itself: 0 for a chunk, else one more than its parts. */
  readonly depth: number;
  readonly parts: readonly ManifestPart[] | null;
}

/** What compressed chunks are opened into, one after the other: of their plain bytes only the hash counts. */
let scratch: Uint8Array | null = null;

/**
 * Opens a block and re-hashes its bytes, where it can beside the thread that answers others; reads what a manifest
 * block lists.
 * @throws CairnError `block-wrong`
 */
export function verifyBlock(
  platform: ContentPlatform,
  block: StoredBlock,
): VerifiedBlock | Promise<VerifiedBlock> {
  if (block.codec !== 'raw') {
    scratch ??= new Uint8Array(MAX_BLOCK_BYTES + 1);
    return describePlain(block, openBlock(platform, block, scratch));
  }
  const plain = openBlockAside(platform, block);
  return plain instanceof Uint8Array
    ? describePlain(block, plain)
    : plain.then((bytes) => describePlain(block, bytes));
}

/**
 * As {@link verifyBlock}, of a block whose plain bytes were verified already.
 * @throws CairnError `block-wrong`
 */
export function describePlain(block: StoredBlock, plain: Uint8Array): VerifiedBlock {
  if (block.kind === 'chunk') return { block, depth: 0, parts: null };
  const { depth, parts } = parseManifestBlock(plain);
  return { block, depth: depth + 1, parts };
}

/** Ids that the manifest blocks list and that are not among the blocks themselves. */
export function listOutsideParts(verified: readonly VerifiedBlock[]): BlockId[] {
  const inside = new Set(verified.map(({ block }) => block.blockId));
  const outside = new Set<BlockId>();
  for (const { parts } of verified) {
    for (const part of parts ?? []) if (!inside.has(part.block)) outside.add(part.block);
  }
  return [...outside];
}

/**
 * Records of verified blocks, children before parents.
 * @param outside records of what the blocks list and that came earlier
 * @throws CairnError `block-wrong` when a manifest block does not fit what it lists
 */
export function describeBlocks(
  verified: readonly VerifiedBlock[],
  outside: ReadonlyMap<BlockId, BlockRecord>,
  now: number,
): BlockRecord[] {
  const known = new Map<BlockId, Pick<BlockRecord, 'depth' | 'coveredBytes' | 'plainBytes'>>(outside);
  const records: BlockRecord[] = [];
  for (const { block, depth, parts } of verified.toSorted((left, right) => left.depth - right.depth)) {
    let coveredBytes = parts === null ? block.plainBytes : 0;
    for (const part of parts ?? []) {
      const child = known.get(part.block);
      const childBytes = depth === 1 ? child?.plainBytes : child?.coveredBytes;
      if (child === undefined || (depth > 1 && child.depth !== depth - 1) || childBytes !== part.sizeBytes) {
        throw new CairnError('block-wrong', `manifest block ${block.blockId} does not fit what it lists`, {
          details: { blockId: block.blockId, part: part.block },
        });
      }
      coveredBytes += part.sizeBytes;
    }
    const record: BlockRecord = {
      blockId: block.blockId,
      kind: block.kind,
      plainBytes: block.plainBytes,
      storedBytes: block.payload.length,
      coveredBytes,
      depth,
      parts,
      createdAt: now,
    };
    known.set(block.blockId, record);
    records.push(record);
  }
  return records;
}
