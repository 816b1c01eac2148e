import { mkdirSync } from 'node:fs';
import type { Environment } from '@cairn/environment';
import { CairnError, PRIVATE_FOLDER } from '@cairn/model';
import type { FilesystemCapabilities } from '../filesystem.ts';
import { explain, FolderUnreachable, localError, systemCode, type WhenUnreachable } from '../local-errors.ts';
import { splitParent, splitPath } from '../paths.ts';
import type { FolderAccess, HeldFolder } from './folder-access.ts';

/** What every part of the Node adapter needs to know about the opened root. */
export interface RootContext {
  /** Absolute path without links on the way. */
  readonly root: string;
  readonly access: FolderAccess;
  readonly environment: Environment;
  readonly capabilities: FilesystemCapabilities;
  /** Whether the disk can give one file two names. */
  readonly hardLinks: boolean;
  readonly umask: number;
  /** Counts what needs a name of its own. */
  nextCounter(): number;
}

/** An item's place: its path for system calls and the folder that must stay held meanwhile. */
export interface Place {
  readonly folder: HeldFolder;
  readonly name: string;
  readonly systemPath: string;
}

/** Runs `use` with the folder at `path` held, and puts what goes wrong into the port's errors. */
export function withFolder<T>(
  context: RootContext,
  path: string,
  action: string,
  when: WhenUnreachable,
  use: (folder: HeldFolder) => T,
): T {
  try {
    const folder = context.access.hold(splitPath(path, context.capabilities.caseSensitive));
    try {
      return use(folder);
    } finally {
      folder.release();
    }
  } catch (error) {
    throw explain(error, action, path, when);
  }
}

/** The same for an item of a folder. */
export function withPlace<T>(
  context: RootContext,
  path: string,
  action: string,
  when: WhenUnreachable,
  use: (place: Place) => T,
): T {
  const { parent, name } = splitParent(path, context.capabilities.caseSensitive);
  try {
    const folder = context.access.hold(parent);
    try {
      return use({ folder, name, systemPath: `${folder.base}/${name}` });
    } finally {
      folder.release();
    }
  } catch (error) {
    throw explain(error, action, path, when);
  }
}

/** Holds a folder of our private area, making it (for its owner only) where it is missing. */
export function holdPrivate(context: Pick<RootContext, 'access'>, ...names: string[]): HeldFolder {
  const all = [PRIVATE_FOLDER, ...names];
  try {
    return context.access.hold(all);
  } catch (error) {
    if (!(error instanceof FolderUnreachable)) throw localError(error, 'open', all.join('/'));
    if (error.reason !== 'missing') {
      throw new CairnError('local-io', `${error.message}; remove it, it is where Cairn keeps its own files`, {
        cause: error,
        details: { path: all.join('/') },
      });
    }
  }
  for (let depth = 0; depth < all.length; depth++) {
    const folder = context.access.hold(all.slice(0, depth));
    try {
      mkdirSync(`${folder.base}/${all[depth]}`, { mode: 0o700 });
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw localError(error, 'create', all.join('/'));
    } finally {
      folder.release();
    }
  }
  return context.access.hold(all);
}
