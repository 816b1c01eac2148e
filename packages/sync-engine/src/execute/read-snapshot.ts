import { type ByteSource, chooseProfile, cutContent } from '@cairn/content';
import type { FileStatus } from '@cairn/filesystem';
import type { ChunkProfile, FileContent } from '@cairn/model';
import type { LocalNode } from '@cairn/planner';
import type { UploadSession } from '../ports.ts';
import type { ExecuteDeps } from './deps.ts';

/**
 * The content of a file that is only ever appended to, as it was at one moment: as many bytes as it had then, read
 * twice with the same result. `null` when they differ, so that no such moment is known.
 */
export async function readSnapshot(
  deps: Pick<ExecuteDeps, 'filesystem' | 'trees' | 'local' | 'platform'>,
  node: LocalNode,
  profile: ChunkProfile | null,
  upload: UploadSession | null,
  signal: AbortSignal,
): Promise<{ readonly content: FileContent; readonly status: FileStatus } | null> {
  const path = deps.local.path(node.entryId);
  if (path === null) return null;
  const handle = await deps.filesystem.openRead(path);
  try {
    const status = await handle.status();
    if (status.identity !== node.identity) return null;
    const source = firstBytes(handle, status.sizeBytes);
    const remote = deps.trees.remote.get(node.entryId);
    const base = remote?.kind === 'file' ? remote.content : null;
    const chosen = profile ?? chooseProfile(status.sizeBytes, base?.manifest.profile ?? null);
    const describe = () =>
      cutContent(deps.platform, source, { profile: chosen, signal, emit: () => undefined });
    const content = upload === null ? await describe() : await upload.add(source, { profile: chosen, base });
    const again = await describe();
    const isSame = content.sizeBytes === status.sizeBytes && content.contentId === again.contentId;
    return isSame ? { content, status } : null;
  } finally {
    await handle.close();
  }
}

function firstBytes(source: ByteSource, sizeBytes: number): ByteSource {
  return {
    async read(into, position) {
      const length = Math.min(into.length, sizeBytes - position);
      return length <= 0 ? 0 : source.read(into.subarray(0, length), position);
    },
  };
}
