import { type BigIntStats, fstatSync, lstatSync, readlinkSync } from 'node:fs';
import type { FileKind, FileStatus } from '../filesystem.ts';
import { formatFingerprint } from '../fingerprint.ts';
import { systemCode } from '../local-errors.ts';

const EXECUTE_BY_OWNER = 0o100n;

/** The port's status from one `stat` result. `target` is the text of a link. */
export function toFileStatus(stats: BigIntStats, target: string | null, executableBit: boolean): FileStatus {
  const kind = kindOf(stats);
  return {
    kind: kind === 'link' && target === null ? 'other' : kind,
    identity: `${stats.dev}:${stats.ino}:${stats.birthtimeNs}`,
    fingerprint: formatFingerprint({
      inode: stats.ino,
      sizeBytes: stats.size,
      modifiedAtNs: stats.mtimeNs,
      changedAtNs: stats.ctimeNs,
    }),
    sizeBytes: Number(stats.size),
    modifiedAtNs: stats.mtimeNs,
    changedAtNs: stats.ctimeNs,
    executable: executableBit && kind === 'file' && (stats.mode & EXECUTE_BY_OWNER) !== 0n,
    device: String(stats.dev),
    target,
  };
}

function kindOf(stats: BigIntStats): FileKind {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'folder';
  if (stats.isSymbolicLink()) return 'link';
  return 'other';
}

/**
 * `lstat` of one item, with a link's text; `null` when its folder has no such name. A link whose text is not
 * UTF-8 counts as `other`: it could not be made again elsewhere.
 */
export function statusAt(path: string | Buffer, executableBit: boolean): FileStatus | null {
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined) return null;
  if (!stats.isSymbolicLink()) return toFileStatus(stats, null, executableBit);
  try {
    return toFileStatus(stats, readTarget(path), executableBit);
  } catch (error) {
    const code = systemCode(error);
    // Between the two calls it was removed, or became something else.
    if (code === 'ENOENT') return null;
    if (code !== 'EINVAL') throw error;
    const again = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    return again === undefined ? null : toFileStatus(again, null, executableBit);
  }
}

export function statusOfDescriptor(descriptor: number, executableBit: boolean): FileStatus {
  return toFileStatus(fstatSync(descriptor, { bigint: true }), null, executableBit);
}

/** Decodes UTF-8 exactly; `null` when the bytes are something else. */
export function decodeExactly(bytes: Buffer): string | null {
  const text = bytes.toString('utf8');
  return text.includes('\ufffd') && !Buffer.from(text, 'utf8').equals(bytes) ? null : text;
}

function readTarget(path: string | Buffer): string | null {
  return decodeExactly(readlinkSync(path, { encoding: 'buffer' }));
}
