import { fsync } from 'node:fs';
import { explain, FolderUnreachable, localError, systemCode } from '../local-errors.ts';
import { splitPath } from '../paths.ts';
import type { HeldFolder } from './folder-access.ts';
import type { RescueArea } from './rescue-area.ts';
import { holdPrivate, type RootContext } from './root-context.ts';

const IN_FLIGHT = 8;

/** Makes names durable. A folder that is gone needs none; its parent's loss of that name is the parent's. */
export async function syncFolders(
  context: RootContext,
  paths: Iterable<string>,
  rescue: RescueArea,
): Promise<void> {
  // What was displaced must be durable before the names that replaced it are.
  await rescue.syncKept(() => syncHeld(holdPrivate(context, 'rescue'), '.cairn/rescue'));
  const waiting = [...new Set(paths)];
  async function work(): Promise<void> {
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      const folder = holdOrNull(context, path);
      if (folder !== null) await syncHeld(folder, path);
    }
  }
  await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, waiting.length) }, work));
}

function holdOrNull(context: RootContext, path: string): HeldFolder | null {
  try {
    return context.access.hold(splitPath(path, context.capabilities.caseSensitive));
  } catch (error) {
    if (error instanceof FolderUnreachable) return null;
    throw explain(error, 'make durable', path, 'absent');
  }
}

async function syncHeld(folder: HeldFolder, path: string): Promise<void> {
  const { descriptor } = folder;
  try {
    if (descriptor === null) return;
    await new Promise<void>((resolve, reject) => {
      fsync(descriptor, (error) => (error ? reject(error) : resolve()));
    });
  } catch (error) {
    // Some network and FUSE filesystems cannot fsync a folder at all.
    if (systemCode(error) !== 'EINVAL' && systemCode(error) !== 'ENOTSUP') {
      throw localError(error, 'make durable', path);
    }
  } finally {
    folder.release();
  }
}
