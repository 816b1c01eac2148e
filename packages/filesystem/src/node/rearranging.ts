import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { CairnError, foldName } from '@cairn/model';
import type { Attributes, FileStatus } from '../filesystem.ts';
import { changedError, systemCode } from '../local-errors.ts';
import { checkMove } from '../paths.ts';
import {
  changedMode,
  checkAttributes,
  setLinkModifiedAt,
  setMode,
  setModifiedAt,
} from './file-attributes.ts';
import { statusAt, statusOfDescriptor } from './file-status.ts';
import type { RescueArea } from './rescue-area.ts';
import { type Place, type RootContext, withPlace } from './root-context.ts';

export function makeFolder(context: RootContext, path: string): FileStatus {
  return withPlace(context, path, 'create', 'changed', (place) => {
    try {
      mkdirSync(place.systemPath);
    } catch (error) {
      if (systemCode(error) === 'EEXIST') throw changedError(path, 'something is there already');
      throw error;
    }
    return present(context, place, path);
  });
}

export function removeFolder(context: RootContext, path: string): void {
  withPlace(context, path, 'remove', 'changed', (place) => {
    try {
      rmdirSync(place.systemPath);
    } catch (error) {
      const code = systemCode(error);
      if (code === 'ENOENT') throw changedError(path, 'it is gone');
      if (code === 'ENOTDIR') throw changedError(path, 'it is not a folder');
      if (code === 'ENOTEMPTY' || code === 'EEXIST') throw changedError(path, 'it is not empty');
      throw error;
    } finally {
      context.access.forgetChecks();
    }
  });
}

export function displace(
  context: RootContext,
  rescue: RescueArea,
  path: string,
  expected: { readonly fingerprint: string },
): void {
  withPlace(context, path, 'remove', 'changed', (place) => {
    const current = statusAt(place.systemPath, context.capabilities.executableBit);
    if (current === null) throw changedError(path, 'it is gone');
    if (current.fingerprint !== expected.fingerprint) throw changedError(path, 'it has changed meanwhile');
    if (current.kind === 'folder') {
      throw new CairnError('not-a-file', `"${path}" is a folder; remove what is in it, then the folder`);
    }
    rescue.take(place, path, current);
  });
}

/**
 * Renames without ever replacing. Files: a second name, then the first one is taken away. Folders: an empty
 * folder is made at the destination (which fails when anything is there) and atomically replaced.
 */
export function move(
  context: RootContext,
  rescue: RescueArea,
  from: string,
  to: string,
  expectedIdentity: string,
): FileStatus {
  checkMove(from, to);
  try {
    return moveChecked(context, rescue, from, to, expectedIdentity);
  } finally {
    context.access.forgetChecks();
  }
}

function moveChecked(
  context: RootContext,
  rescue: RescueArea,
  from: string,
  to: string,
  expectedIdentity: string,
): FileStatus {
  return withPlace(context, from, 'move', 'changed', (source) =>
    withPlace(context, to, 'move to', 'changed', (destination) => {
      const current = statusAt(source.systemPath, context.capabilities.executableBit);
      if (current === null) throw changedError(from, 'it is gone');
      if (current.identity !== expectedIdentity) throw changedError(from, 'it is another one now');
      const there = statusAt(destination.systemPath, context.capabilities.executableBit);
      if (there !== null) {
        if (isOtherSpelling(source, destination, current, there)) {
          renameSync(source.systemPath, destination.systemPath);
        } else if (isHalfMoved(source, destination, current, there)) {
          finishMove(context, rescue, source, destination, from, to, there);
        } else {
          throw changedError(to, 'something is there already');
        }
      } else if (current.kind === 'folder') {
        moveFolder(source, destination, to);
      } else if (context.hardLinks && (current.kind === 'file' || process.platform === 'linux')) {
        moveByLink(context, rescue, source, destination, from, to, current);
      } else {
        // No way to forbid replacing here: a file that appears within the next microseconds would be lost.
        renameSync(source.systemPath, destination.systemPath);
      }
      const status = present(context, destination, to);
      if (status.identity !== expectedIdentity) throw changedError(to, 'something else was moved');
      return status;
    }),
  );
}

/** Both names mean one entry of one folder, as on a disk that folds case; two hard links are not that. */
function isOtherSpelling(source: Place, destination: Place, current: FileStatus, there: FileStatus): boolean {
  if (there.identity !== current.identity || source.name === destination.name) return false;
  if (folderIdentity(source) !== folderIdentity(destination)) return false;
  return !readdirSync(destination.folder.base).includes(destination.name);
}

/** Whether the file has both names: a process ended after it gave it the second and before it took the first away. */
function isHalfMoved(source: Place, destination: Place, current: FileStatus, there: FileStatus): boolean {
  if (there.identity !== current.identity || current.kind === 'folder') return false;
  return (
    foldName(source.name) !== foldName(destination.name) ||
    folderIdentity(source) !== folderIdentity(destination)
  );
}

function finishMove(
  context: RootContext,
  rescue: RescueArea,
  source: Place,
  destination: Place,
  from: string,
  to: string,
  current: FileStatus,
): void {
  const taken = rescue.take(source, from, current);
  const left = statusAt(destination.systemPath, context.capabilities.executableBit);
  if (left?.identity !== current.identity) {
    // It was one name after all, or the other one has just gone.
    taken.undo();
    throw changedError(to, 'it is another one now');
  }
  taken.forget();
}

function folderIdentity(place: Place): string {
  const stats = lstatSync(`${place.folder.base}/.`, { bigint: true });
  return `${stats.dev}:${stats.ino}`;
}

function moveFolder(source: Place, destination: Place, to: string): void {
  try {
    mkdirSync(destination.systemPath);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw changedError(to, 'something appeared there');
    throw error;
  }
  try {
    // Windows never replaces a folder; everywhere else only an empty one is replaced.
    if (process.platform === 'win32') rmdirSync(destination.systemPath);
    renameSync(source.systemPath, destination.systemPath);
  } catch (error) {
    removeIfEmpty(destination.systemPath);
    const code = systemCode(error);
    if (code === 'ENOTEMPTY' || code === 'EEXIST') throw changedError(to, 'something appeared there');
    throw error;
  }
}

function removeIfEmpty(systemPath: string): void {
  try {
    rmdirSync(systemPath);
  } catch (error) {
    // Somebody uses it already: then it is theirs.
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(systemCode(error))) throw error;
  }
}

function moveByLink(
  context: RootContext,
  rescue: RescueArea,
  source: Place,
  destination: Place,
  from: string,
  to: string,
  current: FileStatus,
): void {
  try {
    linkSync(source.systemPath, destination.systemPath);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST') throw changedError(to, 'something appeared there');
    if (code !== 'EPERM' && code !== 'EMLINK') throw error;
    renameSync(source.systemPath, destination.systemPath);
    return;
  }
  const linked = statusAt(destination.systemPath, context.capabilities.executableBit);
  if (linked === null || linked.identity !== current.identity) {
    if (linked !== null) unlinkSync(destination.systemPath);
    throw changedError(from, 'it is another one now');
  }
  // Deleting the old name directly could hit a file that was renamed over it just now.
  finishMove(context, rescue, source, destination, from, to, linked);
}

export function setAttributes(
  context: RootContext,
  path: string,
  attributes: Attributes,
  expected: { readonly fingerprint: string },
): FileStatus {
  checkAttributes(attributes);
  const { executableBit } = context.capabilities;
  return withPlace(context, path, 'change', 'changed', (place) => {
    const current = statusAt(place.systemPath, executableBit);
    if (current === null) throw changedError(path, 'it is gone');
    if (current.fingerprint !== expected.fingerprint) throw changedError(path, 'it has changed meanwhile');
    if (current.kind === 'link') {
      if (attributes.modifiedAtUs !== undefined) {
        setLinkModifiedAt(place.systemPath, attributes.modifiedAtUs);
      }
      return present(context, place, path);
    }
    if (current.kind === 'other') throw changedError(path, 'it is neither a file nor a folder');
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const descriptor = openSync(place.systemPath, flags);
    try {
      if (statusOfDescriptor(descriptor, executableBit).fingerprint !== expected.fingerprint) {
        throw changedError(path, 'it has changed meanwhile');
      }
      const { executable, modifiedAtUs } = attributes;
      if (executable !== undefined && executableBit && current.kind === 'file') {
        const mode = fstatSync(descriptor).mode;
        if (executable !== current.executable) setMode(descriptor, changedMode(mode, executable));
      }
      if (modifiedAtUs !== undefined) setModifiedAt(descriptor, modifiedAtUs);
      return statusOfDescriptor(descriptor, executableBit);
    } finally {
      closeSync(descriptor);
    }
  });
}

function present(context: RootContext, place: Place, path: string): FileStatus {
  const status = statusAt(place.systemPath, context.capabilities.executableBit);
  if (status === null) throw changedError(path, 'it was removed at once');
  return status;
}
