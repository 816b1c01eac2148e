import {
  alignParts,
  type BasePart,
  type NewPart,
  type PartAlignment,
  type PlainBlock,
  parseManifestBlock,
} from '@cairn/content';
import { type BlockId, type FileContent, isCairnError, type ManifestPart } from '@cairn/model';
import type { Api } from './api.ts';
import type { BlockReader } from './block-reader.ts';

/** Reading more manifest blocks than this costs more than asking the server about the chunks. */
const MAX_MANIFEST_BLOCKS = 64;

/** Where the older version has what a new block may be like. */
export interface BlockPlace {
  bases(): readonly BasePart[];
  /** The bytes of a base, where they are here. */
  plainOf(blockId: BlockId): Uint8Array | undefined;
}

/** Blocks of a version that the server is known to have, and its lists of parts as far as they were read. */
export class BaseVersion {
  readonly #blocks = new Set<BlockId>();
  /** By depth: 0 lists chunks. */
  readonly #lists = new Map<number, readonly ManifestPart[]>();
  readonly #manifests = new Map<BlockId, Uint8Array>();
  readonly #alignments = new Map<number, PartAlignment>();

  has(blockId: BlockId): boolean {
    return this.#blocks.has(blockId);
  }

  /** Its chunks in their order, as far as the list was read: empty otherwise. */
  get chunks(): readonly ManifestPart[] {
    return this.#lists.get(0) ?? [];
  }

  addList(depth: number, parts: readonly ManifestPart[]): void {
    this.#lists.set(depth, parts);
    for (const { block } of parts) this.#blocks.add(block);
  }

  addManifest(blockId: BlockId, plain: Uint8Array): void {
    this.#manifests.set(blockId, plain);
  }

  plainOf(blockId: BlockId): Uint8Array | undefined {
    return this.#manifests.get(blockId);
  }

  /** Takes the next part of a newer version's list of that depth; `null` when this version has it, or its place is not known. */
  placeNext(depth: number, part: ManifestPart): NewPart | null {
    const parts = this.#lists.get(depth);
    if (parts === undefined) return null;
    const alignment = this.#alignments.get(depth) ?? alignParts(parts);
    this.#alignments.set(depth, alignment);
    return alignment.next(part);
  }

  /** As {@link placeNext}, of a block as it comes from cutting a content. */
  placeBlock({ blockId, kind, plain }: PlainBlock): BlockPlace | null {
    const place =
      kind === 'chunk'
        ? this.placeNext(0, { block: blockId, sizeBytes: plain.length })
        : this.#placeManifest(blockId, plain);
    return place && { bases: () => place.bases(), plainOf: (baseId) => this.plainOf(baseId) };
  }

  #placeManifest(block: BlockId, plain: Uint8Array): NewPart | null {
    if (this.#manifests.size === 0) return null;
    const { depth, parts } = parseManifestBlock(plain);
    return this.placeNext(depth + 1, {
      block,
      sizeBytes: parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    });
  }

  /** The newer version has no more parts. */
  end(): void {
    for (const alignment of this.#alignments.values()) alignment.end();
  }
}

/**
 * What the server is known to have of a content; not all when the content is huge or
 * its manifest cannot be read, which only means that the server is asked.
 */
export async function readBaseVersion(
  api: Api,
  reader: BlockReader,
  base: FileContent,
  signal: AbortSignal | undefined,
): Promise<BaseVersion> {
  const found = new BaseVersion();
  const { depth, parts } = base.manifest;
  found.addList(depth, parts);
  let level: readonly ManifestPart[] = parts;
  let read = 0;
  try {
    for (let left = depth; left > 0; left--) {
      if (read + level.length > MAX_MANIFEST_BLOCKS) return found;
      const below: ManifestPart[] = [];
      for (const { block } of level) {
        read++;
        const plain = await reader.readManifest(block, signal);
        found.addManifest(block, plain);
        for (const part of parseManifestBlock(plain).parts) below.push(part);
      }
      found.addList(left - 1, below);
      level = below;
    }
  } catch (error) {
    if (signal?.aborted || !isCairnError(error)) throw error;
    api.environment.log.debug('upload.base-unreadable', { code: error.code });
    return new BaseVersion();
  }
  return found;
}
