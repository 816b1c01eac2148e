import { type BigIntStats, constants } from 'node:fs';
import { lstat, open, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { ByteSource } from '@cairn/content';
import { CairnError, findNameProblem } from '@cairn/model';

/** Something found on the local disk. Links are never followed. */
export type LocalItem =
  | { readonly kind: 'folder'; readonly path: string; readonly name: string }
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly name: string;
      readonly sizeBytes: number;
    }
  | { readonly kind: 'link'; readonly path: string; readonly name: string; readonly modifiedAtUs: number }
  | { readonly kind: 'problem'; readonly path: string; readonly problem: string };

/** What is at `path`, called `name` from now on. Trouble is an item too, so that the others go on. */
export async function inspect(path: string, name: string): Promise<LocalItem> {
  if (findNameProblem(name) !== null) return { kind: 'problem', path, problem: 'its name cannot be stored' };
  let status: BigIntStats;
  try {
    status = await lstat(path, { bigint: true });
  } catch (error) {
    return { kind: 'problem', path, problem: explainIo(error) };
  }
  if (status.isDirectory()) return { kind: 'folder', path, name };
  if (status.isSymbolicLink()) return { kind: 'link', path, name, modifiedAtUs: microseconds(status) };
  if (status.isFile()) return { kind: 'file', path, name, sizeBytes: Number(status.size) };
  return { kind: 'problem', path, problem: 'it is neither a file, a folder nor a link' };
}

/** The items of a folder, sorted by name. Throws CairnError `local-io` when it cannot be read. */
export async function listFolder(path: string): Promise<LocalItem[]> {
  let names: Buffer[];
  try {
    names = await readdir(path, { encoding: 'buffer' });
  } catch (error) {
    throw new CairnError('local-io', explainIo(error), { cause: error });
  }
  const items: LocalItem[] = [];
  for (const bytes of names.sort(Buffer.compare)) {
    const name = bytes.toString('utf8');
    const inside = join(path, name);
    if (Buffer.from(name, 'utf8').equals(bytes)) items.push(await inspect(inside, name));
    else items.push({ kind: 'problem', path: inside, problem: 'its name is not valid UTF-8; rename it' });
  }
  return items;
}

export interface OpenedFile extends ByteSource {
  readonly sizeBytes: number;
  readonly executable: boolean;
  readonly modifiedAtUs: number;
  /** Whether the file is still what it was when it was opened. */
  isUnchanged(): Promise<boolean>;
  close(): Promise<void>;
}

/** Opens a regular file for reading; never through a link, never waiting on a FIFO. */
export async function openFile(path: string, onRead: (bytes: number) => void): Promise<OpenedFile> {
  try {
    const handle = await open(
      path,
      constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
    );
    const before = await handle.stat({ bigint: true });
    if (!before.isFile()) {
      await handle.close();
      throw new CairnError('local-io', 'it is no regular file any more');
    }
    return {
      sizeBytes: Number(before.size),
      executable: (before.mode & 0o100n) !== 0n,
      modifiedAtUs: microseconds(before),
      async read(into, position) {
        const { bytesRead } = await handle.read(into, 0, into.length, position);
        onRead(bytesRead);
        return bytesRead;
      },
      async isUnchanged() {
        const now = await handle.stat({ bigint: true });
        return now.size === before.size && now.mtimeNs === before.mtimeNs && now.ctimeNs === before.ctimeNs;
      },
      close: () => handle.close(),
    };
  } catch (error) {
    if (error instanceof CairnError) throw error;
    throw new CairnError('local-io', explainIo(error), { cause: error });
  }
}

/** The text of a link. */
export async function readTarget(path: string): Promise<string> {
  const bytes = await readlink(path, { encoding: 'buffer' }).catch((error) => {
    throw new CairnError('local-io', explainIo(error), { cause: error });
  });
  const target = bytes.toString('utf8');
  if (!Buffer.from(target, 'utf8').equals(bytes))
    throw new CairnError('local-io', 'its target is not valid UTF-8');
  return target;
}

function microseconds(status: BigIntStats): number {
  // BigInt division rounds towards zero; times before 1970 must round down as the others.
  const { mtimeNs } = status;
  const whole = mtimeNs / 1000n;
  const rounded = Number(mtimeNs < 0n && whole * 1000n !== mtimeNs ? whole - 1n : whole);
  // Disks have times beyond the year 2255, which is as far as these numbers are exact.
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, rounded));
}

const REASONS: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  ENOENT: 'it does not exist',
  ENOTDIR: 'part of its path is not a folder',
  ELOOP: 'it became a link',
  EIO: 'the disk reports a read error',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the disk is read-only',
  ENAMETOOLONG: 'its name is too long for this disk',
};

/** A few words for a person about an error of the disk. */
export function explainIo(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return REASONS[code] ?? (error instanceof Error ? error.message : String(error));
}
