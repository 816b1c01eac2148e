import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, chmod, link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CairnError, isCairnError } from '@cairn/model';

const OWNER_ONLY_FOLDER = 0o700;
const OWNER_ONLY_FILE = 0o600;
const SECRET_BYTES = 32;

/** Errors of the disk in words; what is not one of the disk passes unchanged. */
export function explainDataError(error: unknown, directory: string): unknown {
  if (isCairnError(error)) return error;
  const code = (error as NodeJS.ErrnoException | null)?.code;
  const explain = (errorCode: 'storage-full' | 'unavailable', message: string) =>
    new CairnError(errorCode, message, { cause: error });
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return explain('storage-full', `the disk of ${directory} is full; free some space and start again`);
    case 'EROFS':
      return explain('unavailable', `${directory} is on a read-only disk; choose another folder with --data`);
    case 'EACCES':
    case 'EPERM':
      return explain(
        'unavailable',
        `${directory} may not be written to; mend its rights or choose another with --data`,
      );
    case 'ENOENT':
      return explain('unavailable', `${directory} cannot be made; choose another folder with --data`);
    case 'ENOTDIR':
    case 'EEXIST':
      return explain('unavailable', `${directory} is not a folder; choose another one with --data`);
    case 'EIO':
      return explain('unavailable', `the disk of ${directory} has errors; check it before you go on`);
    default:
      return error;
  }
}

/** Not `recursive`: on some pseudo filesystems that never comes back. */
async function makeFolder(directory: string): Promise<void> {
  const make = () =>
    mkdir(directory, { mode: OWNER_ONLY_FOLDER }).catch((error: NodeJS.ErrnoException) => error);
  const first = await make();
  if (first === undefined) return;
  if (first.code === 'EEXIST' || first.code === 'EISDIR') {
    if (!(await stat(directory)).isDirectory()) throw first;
    return;
  }
  const parent = dirname(directory);
  if (first.code !== 'ENOENT' || parent === directory) throw first;
  await makeFolder(parent);
  const second = await make();
  if (second !== undefined && second.code !== 'EEXIST') throw second;
}

/** What is in a folder, without what a filesystem puts there by itself; nothing for one that there is not. */
export async function listFolder(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => name !== 'lost+found');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Makes the folder if it is missing; it belongs to its owner alone. Throws CairnErrors that say what to do. */
export async function prepareDataFolder(directory: string): Promise<void> {
  try {
    await makeFolder(directory);
    const { mode } = await stat(directory);
    if ((mode & 0o077) !== 0) await chmod(directory, OWNER_ONLY_FOLDER);
    await access(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw explainDataError(error, directory);
  }
}

async function syncFolder(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function readText(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Writes a small file so that it is there whole, or not at all, after a crash. */
export async function writeWhole(
  directory: string,
  name: string,
  text: string,
  isNew: boolean,
): Promise<void> {
  const temporary = join(directory, `.${name}.${process.pid}.${randomBytes(6).toString('hex')}.new`);
  try {
    const handle = await open(temporary, 'wx', OWNER_ONLY_FILE);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    // A link does not replace: of two servers that start at once, one's secret is the secret.
    if (isNew) await link(temporary, join(directory, name));
    else await rename(temporary, join(directory, name));
    await syncFolder(directory);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** The secret that signs tokens: from the configuration, else from the data folder, where it is made once. */
export async function loadSecret(directory: string, configured: string | null): Promise<Uint8Array> {
  if (configured !== null) return createHash('sha256').update(configured, 'utf8').digest();
  const path = join(directory, 'secret');
  try {
    if ((await readText(path)) === null) {
      await writeWhole(directory, 'secret', `${randomBytes(SECRET_BYTES).toString('hex')}\n`, true).catch(
        (error: NodeJS.ErrnoException) => {
          if (error.code !== 'EEXIST') throw error;
        },
      );
    }
    const text = (await readText(path)) ?? '';
    if (!/^[0-9a-f]{64}$/.test(text)) {
      throw new CairnError(
        'data-damaged',
        `${path} is damaged; restore it from a backup, or remove it, which signs every device out`,
      );
    }
    if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, OWNER_ONLY_FILE);
    return Buffer.from(text, 'hex');
  } catch (error) {
    throw explainDataError(error, directory);
  }
}

/** What the data folder says is the server's epoch, apart from the database; `null` when nothing is kept. */
export async function readKeptEpoch(directory: string): Promise<string | null> {
  try {
    return await readText(join(directory, 'epoch'));
  } catch (error) {
    throw explainDataError(error, directory);
  }
}

export async function keepEpoch(directory: string, epoch: string): Promise<void> {
  try {
    await writeWhole(directory, 'epoch', `${epoch}\n`, false);
  } catch (error) {
    throw explainDataError(error, directory);
  }
}
