import type { ReadHandle } from '@cairn/filesystem';
import { type ContentId, type FileContent, type FileEntry, isCairnError } from '@cairn/model';
import type { LocalNode } from '@cairn/planner';
import { packedIdOf, packedSizeOf, packId } from '@cairn/tree-store';
import type { LocalTree } from '../local-tree.ts';
import type { DownloadDeps } from './deps.ts';
import { readKnown } from './local-base.ts';

/** Less than this is fetched sooner than all files are looked through. */
const MIN_SOUGHT_BYTES = 1024 * 1024;
/** For a smaller file the question about its blocks costs less than to look through all files, for each of many. */
const MIN_ORIGINAL_BYTES = 32 * 1024 * 1024;

/**
 * Paths of files on this disk that have, as far as was seen, the content of one that is to be fetched: a copy that was made on
 * another device needs no bytes from the server. Whoever reads them checks what they are.
 */
export function findTwins(local: LocalTree, files: readonly FileEntry[]): ReadonlyMap<ContentId, string> {
  const paths = new Map<ContentId, string>();
  const sought = new Map<string, ContentId>();
  const sizes = new Set<number>();
  let soughtBytes = 0;
  for (const { content } of files) {
    soughtBytes += content.sizeBytes;
    if (content.sizeBytes === 0) continue;
    sought.set(packId(content.contentId), content.contentId);
    sizes.add(content.sizeBytes);
  }
  if (soughtBytes < MIN_SOUGHT_BYTES) return paths;
  for (const { entryId, content } of local.sketches()) {
    if (content === null || !sizes.has(packedSizeOf(content))) continue;
    const contentId = sought.get(packedIdOf(content));
    if (contentId === undefined || paths.has(contentId)) continue;
    const path = local.get(entryId)?.state === 'known' ? local.path(entryId) : null;
    if (path !== null) paths.set(contentId, path);
  }
  return paths;
}

/** A file on this disk that has this content, as far as was seen. Whoever reads it checks what it is. */
export function findFileOf(
  local: LocalTree,
  { contentId, sizeBytes }: Pick<FileContent, 'contentId' | 'sizeBytes'>,
): LocalNode | undefined {
  const sought = packId(contentId);
  for (const { entryId, content } of local.sketches()) {
    if (content === null || packedSizeOf(content) !== sizeBytes || packedIdOf(content) !== sought) continue;
    const node = local.get(entryId);
    if (node?.state === 'known' && local.path(entryId) !== null) return node;
  }
  return undefined;
}

/** The bytes of a twin of one chunk, `null` unless they are exactly these. */
export async function readTwin(
  deps: Pick<DownloadDeps, 'filesystem' | 'platform'>,
  path: string,
  { manifest }: FileContent,
): Promise<Uint8Array | null> {
  const [part] = manifest.parts;
  const handle = part === undefined ? null : await openTwin(deps, path);
  if (part === undefined || handle === null) return null;
  try {
    return await readKnown(deps.platform, handle, 0, part);
  } finally {
    await handle.close();
  }
}

/** The twin's handle, to which what cannot be read is its end; `null` when the twin is not there any more. */
export async function openTwin(
  { filesystem }: Pick<DownloadDeps, 'filesystem'>,
  path: string,
): Promise<Pick<ReadHandle, 'read' | 'close'> | null> {
  const orNothing =
    <Nothing>(nothing: Nothing) =>
    (error: unknown): Nothing => {
      if (isCairnError(error, 'root-missing')) throw error;
      return nothing;
    };
  const handle = await filesystem.openRead(path).catch(orNothing(null));
  if (handle === null) return null;
  return {
    read: (into, position) => handle.read(into, position).catch(orNothing(0)),
    close: () => handle.close(),
  };
}

/**
 * What the server has of a file with as many bytes as a new one, which may be a copy of it: then none of its blocks need be
 * asked about.
 */
export function findLikelyOriginal(
  { local, trees }: Pick<DownloadDeps, 'local' | 'trees'>,
  sizeBytes: number,
): FileContent | null {
  if (sizeBytes < MIN_ORIGINAL_BYTES) return null;
  for (const { entryId, content } of local.sketches()) {
    if (content === null || packedSizeOf(content) !== sizeBytes) continue;
    const remote = trees.remote.get(entryId);
    if (remote?.kind === 'file' && remote.content.sizeBytes === sizeBytes) return remote.content;
  }
  return null;
}
