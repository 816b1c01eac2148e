import { linkSync, lstatSync, renameSync, symlinkSync, unlinkSync } from 'node:fs';
import type { Attributes, Expectation, FileStatus } from '../filesystem.ts';
import { changedError, localError, systemCode } from '../local-errors.ts';
import { changedMode, checkAttributes } from './file-attributes.ts';
import { statusAt, statusOfDescriptor } from './file-status.ts';
import type { RescueArea } from './rescue-area.ts';
import { holdPrivate, type Place, type RootContext, withPlace } from './root-context.ts';
import type { NodeTemporary } from './temporary-files.ts';

/** Moves a temporary to its path: never replacing what was not expected, keeping what is replaced. */
export function placeFile(
  context: RootContext,
  rescue: RescueArea,
  temporary: NodeTemporary,
  path: string,
  expected: Expectation,
  attributes: Attributes,
): FileStatus {
  checkAttributes(attributes);
  temporary.assertPlaceable();
  const status = withPlace(context, path, 'place', 'changed', (place) => {
    // Where nothing may be, giving the file this name fails if there is something: no need to look first.
    const current =
      'absent' in expected && context.hardLinks ? null : expectedAt(context, place, path, expected);
    if (current === null) temporary.setAttributes(attributes);
    else replaceAttributes(context, temporary, modeAt(place), attributes);
    inTemporary(context, temporary.name, (source) => {
      assertSame(source, temporary);
      putAt(context, rescue, source, place, path, current);
    });
    // Of the file itself: what has its name by now may be somebody else's.
    return statusOfDescriptor(temporary.descriptor, context.capabilities.executableBit);
  });
  temporary.placed();
  return status;
}

/** Makes a symbolic link, under the same rules. */
export function placeLink(
  context: RootContext,
  rescue: RescueArea,
  path: string,
  target: string,
  expected: Expectation,
): FileStatus {
  return withPlace(context, path, 'make the link', 'changed', (place) => {
    const current = expectedAt(context, place, path, expected);
    if (current === null) {
      try {
        symlinkSync(target, place.systemPath);
      } catch (error) {
        if (systemCode(error) === 'EEXIST') throw changedError(path, 'something appeared there');
        throw error;
      }
      return settled(context, place, path);
    }
    const unique = Buffer.from(context.environment.random.bytes(6)).toString('hex');
    inTemporary(context, `link-${context.nextCounter()}-${unique}`, (source) => {
      symlinkSync(target, source);
      try {
        putAt(context, rescue, source, place, path, current);
      } catch (error) {
        unlinkSync(source);
        throw error;
      }
    });
    return settled(context, place, path);
  });
}

/** The item that will be replaced, `null` for none; throws `local-changed` where the expectation does not hold. */
function expectedAt(
  context: RootContext,
  place: Place,
  path: string,
  expected: Expectation,
): FileStatus | null {
  const current = statusAt(place.systemPath, context.capabilities.executableBit);
  if ('absent' in expected) {
    if (current !== null) throw changedError(path, 'something is there already');
    return null;
  }
  if (current === null) throw changedError(path, 'it is gone');
  if (current.fingerprint !== expected.fingerprint) throw changedError(path, 'it has changed meanwhile');
  if (current.kind !== 'file' && current.kind !== 'link') {
    throw changedError(path, 'it is neither a file nor a link');
  }
  return current;
}

function modeAt(place: Place): number | null {
  const stats = lstatSync(place.systemPath, { throwIfNoEntry: false });
  return stats?.isFile() ? stats.mode : null;
}

/** A file that replaces another one keeps the permission bits that were there. */
function replaceAttributes(
  context: RootContext,
  temporary: NodeTemporary,
  oldMode: number | null,
  attributes: Attributes,
): void {
  if (oldMode === null) {
    temporary.setAttributes(attributes);
    return;
  }
  if (context.capabilities.executableBit) {
    const wasExecutable = (oldMode & 0o100) !== 0;
    const executable = attributes.executable ?? wasExecutable;
    temporary.setMode(executable === wasExecutable ? oldMode & 0o777 : changedMode(oldMode, executable));
  }
  if (attributes.modifiedAtUs !== undefined) temporary.setModifiedAt(attributes.modifiedAtUs);
}

function inTemporary(context: RootContext, name: string, use: (source: string) => void): void {
  const folder = holdPrivate(context, 'temporary');
  try {
    use(`${folder.base}/${name}`);
  } finally {
    folder.release();
  }
}

/** The name must still mean the file that was written and checked. */
function assertSame(source: string, temporary: NodeTemporary): void {
  const named = lstatSync(source, { bigint: true, throwIfNoEntry: false });
  if (named === undefined || named.ino !== temporary.inode || named.dev !== temporary.device) {
    throw changedError(`.cairn/temporary/${temporary.name}`, 'somebody replaced this temporary file');
  }
}

function putAt(
  context: RootContext,
  rescue: RescueArea,
  source: string,
  place: Place,
  path: string,
  current: FileStatus | null,
): void {
  if (current === null) {
    moveWithoutReplacing(context, source, place.systemPath, path);
    return;
  }
  const kept = rescue.keep(place, path, current);
  try {
    if (!kept.stillInPlace) {
      moveWithoutReplacing(context, source, place.systemPath, path);
      return;
    }
    // A second name changed ctime, so this looks at everything else. What remains is somebody renaming another
    // file over this very one within the next microseconds.
    const now = statusAt(place.systemPath, context.capabilities.executableBit);
    if (
      now === null ||
      now.identity !== current.identity ||
      now.sizeBytes !== current.sizeBytes ||
      now.modifiedAtNs !== current.modifiedAtNs
    ) {
      throw changedError(path, 'it has changed meanwhile');
    }
    renameSync(source, place.systemPath);
  } catch (error) {
    kept.undo();
    throw error;
  }
}

/** `link` then `unlink`, as `link` is what never replaces; where there are no hard links, a check then `rename`. */
export function moveWithoutReplacing(
  context: RootContext,
  source: string,
  destination: string,
  path: string,
): void {
  if (context.hardLinks) {
    try {
      linkSync(source, destination);
    } catch (error) {
      if (systemCode(error) === 'EEXIST') throw changedError(path, 'something appeared there');
      throw error;
    }
    unlinkSync(source);
    return;
  }
  if (lstatSync(destination, { throwIfNoEntry: false }) !== undefined) {
    throw changedError(path, 'something appeared there');
  }
  renameSync(source, destination);
}

function settled(context: RootContext, place: Place, path: string): FileStatus {
  const status = statusAt(place.systemPath, context.capabilities.executableBit);
  if (status === null) {
    throw localError(Object.assign(new Error('removed at once'), { code: 'ENOENT' }), 'look at', path);
  }
  return status;
}
