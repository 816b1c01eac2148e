import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { CairnError, findNameProblem } from '@cairn/model';
import { showName } from '../output/text.ts';
import { explainIo } from './local-tree.ts';

/**
 * An open local folder that things are put into. On Linux its children are reached through the open folder
 * itself, so that swapping a folder for a link meanwhile cannot lead us elsewhere.
 */
export interface LocalFolder {
  /** For messages. */
  readonly path: string;
  /** Path of a child for system calls. Throws `bad-name` for what is no plain name. */
  at(name: string): string;
  /** Status without following links; null when there is nothing. */
  status(name: string): Promise<BigIntStats | null>;
  /** Makes or opens a folder inside, never through a link. */
  enter(name: string): Promise<LocalFolder>;
  /** Makes the names in it durable. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

const ANCHORED = process.platform === 'linux';

/** Opens a folder that the person named; links on the way there are the person's own. */
export async function openLocalFolder(path: string): Promise<LocalFolder> {
  try {
    return wrap(path, await open(path, constants.O_RDONLY | (constants.O_DIRECTORY ?? 0)));
  } catch (error) {
    throw new CairnError('local-io', `cannot open the folder ${showName(path)}: ${explainIo(error)}`, {
      cause: error,
    });
  }
}

function wrap(path: string, handle: FileHandle): LocalFolder {
  const base = ANCHORED ? `/proc/self/fd/${handle.fd}` : path;

  function at(name: string): string {
    const problem = findNameProblem(name);
    const escapes = process.platform === 'win32' && /[\\:]/.test(name);
    if (problem !== null || escapes) {
      throw new CairnError('bad-name', `the server sent a name that cannot be used here (${showName(name)})`);
    }
    return join(base, name);
  }

  return {
    path,
    at,
    async status(name) {
      try {
        return await lstat(at(name), { bigint: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      }
    },
    async enter(name) {
      const inside = at(name);
      const shown = join(path, name);
      try {
        await mkdir(inside).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'EEXIST') throw error;
        });
        const flags = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0) | (constants.O_NOFOLLOW ?? 0);
        return wrap(shown, await open(inside, flags));
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        if (code === 'ENOTDIR' || code === 'ELOOP') {
          throw new CairnError(
            'already-exists',
            'there is something here that is not a folder; move it away',
            { cause: error },
          );
        }
        throw error;
      }
    },
    async sync() {
      if (process.platform !== 'win32') await handle.sync();
    },
    close: () => handle.close(),
  };
}
