import { closeSync, constants, fstatSync, lstatSync, openSync, read, readdirSync, readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { CairnError } from '@cairn/model';
import type { FileStatus, FolderItem, ReadHandle } from '../filesystem.ts';
import { changedError, explain, localError, missingError, systemCode } from '../local-errors.ts';
import { isPrivateName, splitPath } from '../paths.ts';
import { decodeExactly, statusAt, statusOfDescriptor } from './file-status.ts';
import type { HeldFolder } from './folder-access.ts';
import { type RootContext, withFolder, withPlace } from './root-context.ts';

// A batch takes a few milliseconds; in between others get their turn.
const ITEMS_PER_TURN = 2000;
// Small reads are faster than handing them to another thread and back.
const SYNCHRONOUS_READ_BYTES = 128 * 1024;

export async function listFolder(context: RootContext, path: string): Promise<FolderItem[]> {
  const { capabilities } = context;
  const names = splitPath(path, capabilities.caseSensitive);
  let folder: HeldFolder | null = null;
  // What is not in this list counts as absent.
  context.access.forgetChecks();
  try {
    folder = context.access.hold(names);
    const items: FolderItem[] = [];
    let sinceTurn = 0;
    for (const name of readNames(folder)) {
      const text = typeof name === 'string' ? name : decodeExactly(name);
      if (names.length === 0 && text !== null && isPrivateName(text, capabilities.caseSensitive)) continue;
      if (sinceTurn++ >= ITEMS_PER_TURN) {
        sinceTurn = 0;
        await setImmediate();
      }
      const systemPath =
        typeof name === 'string'
          ? `${folder.base}/${name}`
          : Buffer.concat([Buffer.from(`${folder.base}/`), name]);
      items.push({
        name: text ?? printable(name as Buffer),
        unrepresentable: text === null,
        status: statusAt(systemPath, capabilities.executableBit),
      });
    }
    if (items.length > ITEMS_PER_TURN) assertStillThere(context, names, folder, path);
    context.access.checkRoot();
    return items;
  } catch (error) {
    throw explain(error, 'list', path, 'absent');
  } finally {
    folder?.release();
  }
}

/** While others had their turn, another folder may have come to this path: then this list is not its. */
function assertStillThere(
  context: RootContext,
  names: readonly string[],
  listed: HeldFolder,
  path: string,
): void {
  const now = context.access.hold(names);
  try {
    const identity = (folder: HeldFolder) => statusAt(`${folder.base}/.`, false)?.identity;
    if (identity(now) !== identity(listed)) {
      throw new CairnError('local-io', `"${path}" was replaced while it was listed; it is listed again`, {
        details: { path },
      });
    }
  } finally {
    now.release();
  }
}

/** Names as text where they all are, which is much faster; as bytes when any might not be UTF-8. */
function readNames(folder: HeldFolder): (string | Buffer)[] {
  const names = readdirSync(folder.base);
  if (!names.some((name) => name.includes('\ufffd'))) return names;
  return readdirSync(folder.base, { encoding: 'buffer' });
}

/** A stand-in for a name that is not UTF-8: printable ASCII stays, all other bytes become `\xNN`. */
function printable(name: Buffer): string {
  let text = '';
  for (const byte of name) {
    const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x5c;
    text += plain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return text;
}

export function statusOf(context: RootContext, path: string): FileStatus | null {
  const { executableBit } = context.capabilities;
  if (path === '') {
    return withFolder(context, '', 'look at', 'absent', (folder) =>
      statusAt(`${folder.base}/.`, executableBit),
    );
  }
  let status: FileStatus | null = null;
  context.access.forgetChecks();
  try {
    status = withPlace(context, path, 'look at', 'absent', (place) =>
      statusAt(place.systemPath, executableBit),
    );
  } catch (error) {
    if (!(error instanceof CairnError && error.code === 'not-found')) throw error;
  }
  // Absence counts only in the root that is still the same one.
  if (status === null) context.access.checkRoot();
  return status;
}

export function openForReading(context: RootContext, path: string): ReadHandle {
  const { executableBit } = context.capabilities;
  const descriptor = withPlace(context, path, 'open', 'absent', (place) => {
    const before = lstatSync(place.systemPath, { throwIfNoEntry: false });
    if (before === undefined) {
      context.access.checkRoot();
      throw missingError(path);
    }
    // Opening a device can already do something; a FIFO could block.
    if (!before.isFile()) throw notAFile(path);
    let opened: number;
    try {
      opened = openSync(place.systemPath, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      if (['ENOENT', 'ELOOP', 'ENXIO'].includes(systemCode(error))) {
        throw changedError(path, 'it was replaced while it was opened');
      }
      throw error;
    }
    if (fstatSync(opened).isFile()) return opened;
    closeSync(opened);
    throw notAFile(path);
  });
  let closed = false;
  return {
    async status() {
      try {
        return statusOfDescriptor(descriptor, executableBit);
      } catch (error) {
        throw localError(error, 'look at', path);
      }
    },
    async read(into, position) {
      if (closed) throw new Error(`"${path}" is closed`);
      try {
        return await readAt(descriptor, into, position);
      } catch (error) {
        throw localError(error, 'read', path);
      }
    },
    async close() {
      if (closed) return;
      closed = true;
      closeSync(descriptor);
    },
  };
}

/** Reads up to `into.length` bytes at `position`. */
export function readAt(descriptor: number, into: Uint8Array, position: number): number | Promise<number> {
  if (into.length <= SYNCHRONOUS_READ_BYTES) return readSync(descriptor, into, 0, into.length, position);
  return new Promise((resolve, reject) => {
    read(descriptor, into, 0, into.length, position, (error, bytesRead) => {
      if (error) reject(error);
      else resolve(bytesRead);
    });
  });
}

function notAFile(path: string): CairnError {
  return new CairnError('not-a-file', `"${path}" is not a regular file and is not opened`, {
    details: { path },
  });
}
