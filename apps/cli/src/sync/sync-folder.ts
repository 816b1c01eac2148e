import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { createSystemEnvironment, type Log } from '@cairn/environment';
import { type Filesystem, openNodeFilesystem, startAhead } from '@cairn/filesystem';
import { CairnError } from '@cairn/model';
import { lockFolder } from './folder-lock.ts';
import { type SyncLink, treesPath } from './links.ts';

/** What is known of some 8,000 files takes this much. With fewer, a thread to list them costs more than it saves. */
const WORTH_BYTES = 2 * 1024 * 1024;

/** The folder of a link, in the hands of this process alone. */
export interface SyncFolder {
  readonly filesystem: Filesystem;
  close(): Promise<void>;
}

/**
 * Takes the folder into the hands of this process. Where much is known of it, it is watched and listed from now on, while
 * the rest of the program loads and what is known is read.
 * @param processors with one, a thread beside this one only takes its time
 * @throws CairnError `root-missing`, `already-running`; see also `openNodeFilesystem`
 */
export async function openSyncFolder(
  home: string,
  link: SyncLink,
  log: Log,
  processors = availableParallelism(),
): Promise<SyncFolder> {
  requireFolder(link.folder);
  const unlock = lockFolder(link.folder);
  let opened: Filesystem | null = null;
  try {
    const environment = createSystemEnvironment(log);
    opened = await openNodeFilesystem({ root: link.folder, environment });
    const isWorthIt = processors > 1 && sizeOf(treesPath(home, link)) >= WORTH_BYTES;
    const filesystem = isWorthIt ? await startAhead(opened, environment.timers) : opened;
    return {
      filesystem,
      async close() {
        await filesystem.close();
        unlock();
      },
    };
  } catch (error) {
    await opened?.close();
    unlock();
    throw error;
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function requireFolder(folder: string): void {
  const status = statSync(folder, { throwIfNoEntry: false });
  if (status?.isDirectory()) return;
  throw new CairnError(
    'root-missing',
    `${folder} is not there (unmounted, renamed or removed?). Nothing was deleted anywhere. Bring it back, or forget it with "cairn sync remove"`,
  );
}
