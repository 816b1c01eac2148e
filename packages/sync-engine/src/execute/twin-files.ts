import { type ContentId, type FileContent, type FileEntry, isCairnError } from '@cairn/model';
import { packedIdOf, packId } from '@cairn/tree-store';
import type { LocalTree } from '../local-tree.ts';
import type { DownloadDeps } from './deps.ts';

/** Less than this is fetched sooner than all files are looked through. */
const MIN_SOUGHT_BYTES = 1024 * 1024;

/**
 * Paths of files on this disk that have, as far as was seen, the content of one that is to be fetched: a copy that was made on
 * another device needs no bytes from the server. Whoever reads them checks what they are.
 */
export function findTwins(local: LocalTree, files: readonly FileEntry[]): ReadonlyMap<ContentId, string> {
  const paths = new Map<ContentId, string>();
  const sought = new Map<string, ContentId>();
  let soughtBytes = 0;
  for (const { content } of files) {
    soughtBytes += content.sizeBytes;
    if (content.sizeBytes > 0) sought.set(packId(content.contentId), content.contentId);
  }
  if (soughtBytes < MIN_SOUGHT_BYTES) return paths;
  for (const { entryId, content } of local.sketches()) {
    const contentId = content === null ? undefined : sought.get(packedIdOf(content));
    if (contentId === undefined || paths.has(contentId)) continue;
    const path = local.get(entryId)?.state === 'known' ? local.path(entryId) : null;
    if (path !== null) paths.set(contentId, path);
  }
  return paths;
}

/** The twin's handle; `null` when it is not there any more. */
export async function openTwin(
  { filesystem }: Pick<DownloadDeps, 'filesystem'>,
  path: string,
): Promise<Awaited<ReturnType<DownloadDeps['filesystem']['openRead']>> | null> {
  try {
    return await filesystem.openRead(path);
  } catch (error) {
    if (isCairnError(error, 'root-missing')) throw error;
    return null;
  }
}

/**
 * What the server has of a file with as many bytes as a new one, which may be a copy of it: then none of its blocks need be
 * asked about.
 */
export function findLikelyOriginal(
  { local, trees }: Pick<DownloadDeps, 'local' | 'trees'>,
  sizeBytes: number,
): FileContent | null {
  if (sizeBytes < MIN_SOUGHT_BYTES) return null;
  for (const { entryId, content } of local.sketches()) {
    if (content === null || local.get(entryId)?.sizeBytes !== sizeBytes) continue;
    const remote = trees.remote.get(entryId);
    if (remote?.kind === 'file' && remote.content.sizeBytes === sizeBytes) return remote.content;
  }
  return null;
}
