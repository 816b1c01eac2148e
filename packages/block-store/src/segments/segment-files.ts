import { constants, type Dirent } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** One open file of a store; positions are bytes from its start. */
export interface SegmentFile {
  /** Writes all buffers at `position`, in order; rejects unless every byte was taken. */
  write(buffers: readonly Uint8Array[], position: number): Promise<void>;
  /** Fills `into` from `position`; returns fewer bytes only at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Makes everything written durable, and the length. */
  datasync(): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  sizeBytes(): Promise<number>;
  close(): Promise<void>;
}

/** The few file operations that the segment store makes; tests put faults in between. */
export interface SegmentFiles {
  /** `create` refuses an existing file. */
  open(path: string, mode: 'create' | 'append' | 'read'): Promise<SegmentFile>;
  /** With all folders above that are missing, durably. */
  makeDirectory(path: string): Promise<void>;
  /** Names of the files in a folder, sorted. */
  list(path: string): Promise<string[]>;
  /** Makes created, renamed and removed names durable. */
  syncDirectory(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
}

/** A writev takes at most this many parts on every system we run on. */
const MAX_PARTS = 1024;

const FLAGS = {
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
  append: constants.O_RDWR,
  read: constants.O_RDONLY,
} as const;

async function writeParts(handle: FileHandle, parts: readonly Uint8Array[], position: number): Promise<void> {
  let total = 0;
  for (const part of parts) total += part.length;
  const { bytesWritten } = await handle.writev(parts, position);
  // A short write is how a full disk begins; writing the rest brings its error, or finishes the work.
  if (bytesWritten === total) return;
  const rest = Buffer.concat(parts).subarray(bytesWritten);
  for (let done = 0; done < rest.length; ) {
    const written = await handle.write(rest, done, rest.length - done, position + bytesWritten + done);
    if (written.bytesWritten === 0) throw new Error('the file took no more bytes and gave no reason');
    done += written.bytesWritten;
  }
}

function wrap(handle: FileHandle): SegmentFile {
  return {
    async write(buffers, position) {
      let at = position;
      for (let start = 0; start < buffers.length; start += MAX_PARTS) {
        const parts = buffers.slice(start, start + MAX_PARTS);
        await writeParts(handle, parts, at);
        for (const part of parts) at += part.length;
      }
    },
    async read(into, position) {
      let done = 0;
      while (done < into.length) {
        const { bytesRead } = await handle.read(into, done, into.length - done, position + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return done;
    },
    datasync: () => handle.datasync(),
    truncate: (sizeBytes) => handle.truncate(sizeBytes),
    sizeBytes: async () => (await handle.stat()).size,
    close: () => handle.close(),
  };
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } catch (error) {
    // Windows cannot open a folder for this and needs no such call.
    if (process.platform !== 'win32') throw error;
  } finally {
    await handle.close();
  }
}

/** The system's files. */
export const nodeSegmentFiles: SegmentFiles = {
  open: async (path, mode) => wrap(await open(path, FLAGS[mode], 0o600)),
  async makeDirectory(path) {
    const first = await mkdir(path, { recursive: true, mode: 0o700 });
    if (first === undefined) return;
    // A new folder lasts once the one around it is flushed, at every level that was made.
    for (let each = resolve(path); each !== dirname(each); each = dirname(each)) {
      await syncDirectory(dirname(each));
      if (each === resolve(first)) break;
    }
  },
  list: async (path) =>
    (await readdir(path, { withFileTypes: true }))
      .filter((item: Dirent) => item.isFile())
      .map((item) => item.name)
      .sort(),
  syncDirectory,
  rename,
  remove: unlink,
};

/** Length of the file at `path`. */
export async function fileSize(files: SegmentFiles, path: string): Promise<number> {
  const file = await files.open(path, 'read');
  try {
    return await file.sizeBytes();
  } finally {
    await file.close();
  }
}

/** Whether an error of the file layer means that the disk or the quota is full. */
export function isFullError(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** Whether an error says that a file does not exist. */
export function isMissingError(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'ENOENT';
}
