import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { CairnError, PRIVATE_FOLDER } from '@cairn/model';
import { FolderUnreachable, localError, systemCode } from '../local-errors.ts';
import type { HeldFolder } from './folder-access.ts';
import { holdPrivate, type RootContext } from './root-context.ts';

const MARKER = `${PRIVATE_FOLDER}/marker`;
const MAX_MARKER_BYTES = 64 * 1024;

export function readMarker(context: RootContext): string | null {
  try {
    const folder = context.access.hold([PRIVATE_FOLDER]);
    try {
      return readText(`${folder.base}/marker`);
    } finally {
      folder.release();
    }
  } catch (error) {
    const absent = error instanceof FolderUnreachable && error.reason === 'missing';
    if (!absent && systemCode(error) !== 'ENOENT') throw localError(error, 'read', MARKER);
    context.access.checkRoot();
    return null;
  }
}

function readText(systemPath: string): string {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const descriptor = openSync(systemPath, flags);
  try {
    const size = fstatSync(descriptor).size;
    if (!fstatSync(descriptor).isFile() || size > MAX_MARKER_BYTES) {
      throw new CairnError('local-io', `${MARKER} is not a marker; remove it and add the folder again`);
    }
    const bytes = Buffer.alloc(size);
    const length = readSync(descriptor, bytes, 0, size, 0);
    return bytes.toString('utf8', 0, length);
  } finally {
    closeSync(descriptor);
  }
}

/** Replaces the marker atomically and durably. Small and rare, hence synchronous. */
export function writeMarker(context: RootContext, text: string): void {
  const folder = holdPrivate(context);
  try {
    writeText(folder, text);
    // The private folder itself may be new.
    const root = context.access.hold([]);
    if (root.descriptor !== null) fsyncSync(root.descriptor);
    root.release();
  } catch (error) {
    throw localError(error, 'write', MARKER);
  } finally {
    folder.release();
  }
}

/** Compares and writes through one held folder: a disk that is mounted over it in between is not touched. */
export function replaceMarker(context: RootContext, expected: string, text: string): boolean {
  try {
    const folder = context.access.hold([PRIVATE_FOLDER]);
    try {
      if (readText(`${folder.base}/marker`) !== expected) return false;
      writeText(folder, text);
      return true;
    } finally {
      folder.release();
    }
  } catch (error) {
    const absent = error instanceof FolderUnreachable && error.reason === 'missing';
    if (!absent && systemCode(error) !== 'ENOENT') throw localError(error, 'write', MARKER);
    context.access.checkRoot();
    return false;
  }
}

function writeText(folder: HeldFolder, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length > MAX_MARKER_BYTES) throw new RangeError('the marker text is too long');
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
  const descriptor = openSync(`${folder.base}/marker-new`, flags, 0o600);
  try {
    for (let offset = 0; offset < bytes.length; ) offset += writeSync(descriptor, bytes, offset);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(`${folder.base}/marker-new`, `${folder.base}/marker`);
  if (folder.descriptor !== null) fsyncSync(folder.descriptor);
}
