import { existsSync, lstatSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Deed } from './script.ts';

/** Does a deed in a folder if it can be done there. Returns the content that it wrote. */
export function doDeed(folder: string, deed: Deed): string | null {
  const at = (path: string) => join(folder, path);
  const isFolder = (path: string) => lstatSync(at(path), { throwIfNoEntry: false })?.isDirectory() === true;
  switch (deed.kind) {
    case 'write': {
      if (isFolder(deed.path) || !makeParents(at(deed.path))) return null;
      writeFileSync(at(deed.path), deed.content);
      return deed.content;
    }
    case 'move':
      if (!existsSync(at(deed.from)) || existsSync(at(deed.to))) return null;
      if (`${deed.to}/`.startsWith(`${deed.from}/`) || !makeParents(at(deed.to))) return null;
      renameSync(at(deed.from), at(deed.to));
      return null;
    case 'remove':
      rmSync(at(deed.path), { recursive: true, force: true });
      return null;
    case 'make-folder':
      if (!existsSync(at(deed.path)) && makeParents(at(deed.path))) mkdirSync(at(deed.path));
      return null;
    case 'swap': {
      if (deed.left === deed.right || !existsSync(at(deed.left)) || !existsSync(at(deed.right))) return null;
      renameSync(at(deed.left), at(`${deed.left} between`));
      renameSync(at(deed.right), at(deed.left));
      renameSync(at(`${deed.left} between`), at(deed.right));
      return null;
    }
  }
}

/** Whether the folders on the way are there now; a file in the way is left alone. */
function makeParents(path: string): boolean {
  try {
    mkdirSync(dirname(path), { recursive: true });
    return true;
  } catch (error) {
    if (['EEXIST', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}
