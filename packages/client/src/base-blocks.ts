import { parseManifestBlock } from '@cairn/content';
import { type BlockId, type FileContent, isCairnError, type ManifestPart } from '@cairn/model';
import type { Api } from './api.ts';
import type { BlockReader } from './block-reader.ts';

/** Reading more manifest blocks than this costs more than asking the server about the chunks. */
const MAX_MANIFEST_BLOCKS = 64;

/**
 * Ids of the blocks of a content that the server is known to have; not all of them when the content is huge or
 * its manifest cannot be read, which only means that the server is asked.
 */
export async function collectBaseBlocks(
  api: Api,
  reader: BlockReader,
  base: FileContent,
  signal: AbortSignal,
): Promise<Set<BlockId>> {
  const found = new Set<BlockId>();
  const { depth, parts } = base.manifest;
  for (const part of parts) found.add(part.block);
  let level: readonly ManifestPart[] = parts;
  let read = 0;
  try {
    for (let left = depth; left > 0; left--) {
      if (read + level.length > MAX_MANIFEST_BLOCKS) return found;
      const below: ManifestPart[] = [];
      for (const part of level) {
        read++;
        const manifest = parseManifestBlock(await reader.readManifest(part.block, signal));
        for (const child of manifest.parts) {
          found.add(child.block);
          below.push(child);
        }
      }
      level = below;
    }
  } catch (error) {
    if (signal.aborted || !isCairnError(error)) throw error;
    api.environment.log.debug('upload.base-unreadable', { code: error.code });
    return new Set();
  }
  return found;
}
