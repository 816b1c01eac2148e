import type { Filesystem } from '@cairn/filesystem';
import { isCairnError } from '@cairn/model';
import type { DownloadDeps } from './execute/deps.ts';
import { isCertainlyGone } from './observe/certainly-gone.ts';

/** First the names on disk, then what we know about them: after a power cut we may know less, never more. */
export async function makeDurable({
  filesystem,
  trees,
  touchedFolders,
  placing,
}: Pick<DownloadDeps, 'filesystem' | 'trees' | 'touchedFolders' | 'placing'>): Promise<void> {
  if (touchedFolders.size > 0) {
    const folders = [...touchedFolders];
    await syncWhatIsThere(filesystem, folders);
    for (const folder of folders) touchedFolders.delete(folder);
  }
  placing.settle();
  trees.flush();
}

/** Makes the names in folders durable; one that was replaced by something else meanwhile has none of ours. */
async function syncWhatIsThere(filesystem: Filesystem, folders: readonly string[]): Promise<void> {
  try {
    await filesystem.syncFolders(folders);
  } catch (error) {
    if (!isCairnError(error, 'local-io')) throw error;
    const left: string[] = [];
    for (const folder of folders)
      if (folder === '' || !(await isCertainlyGone(filesystem, folder))) left.push(folder);
    if (left.length === folders.length) throw error;
    await filesystem.syncFolders(left);
  }
}
