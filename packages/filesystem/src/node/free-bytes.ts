import { statfs } from 'node:fs/promises';

/** Bytes that may still be written to the disk of a folder; `null` where the system does not tell. */
export async function findFreeBytes(path: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch {
    // What is wrong with the disk is found by those who write to it.
    return null;
  }
}
