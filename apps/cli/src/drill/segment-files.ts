import { createHash } from 'node:crypto';
import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlockId } from '@cairn/model';

/** Bytes of a record's header that come after the block id; what follows is the payload (ADR 0004). */
const AFTER_ID_BYTES = 84 - 41;

export interface FlippedByte {
  readonly path: string;
  readonly offset: number;
}

/** What is in the segment files of a node: the hash of each file's bytes so far, and how many these are. */
export type SegmentPicture = ReadonlyMap<string, { readonly sizeBytes: number; readonly sha256: string }>;

async function segmentPaths(data: string): Promise<string[]> {
  const folder = join(data, 'blocks', 'segments');
  const names = await readdir(folder);
  return names.filter((name) => name.endsWith('.segment')).map((name) => join(folder, name));
}

/** Where the payload of a block's newest record begins on the disk of a node whose blocks are not sealed; `null`: nowhere. */
export async function findRecord(data: string, blockId: BlockId): Promise<FlippedByte | null> {
  const id = Buffer.from(blockId, 'hex');
  for (const path of (await segmentPaths(data)).sort().reverse()) {
    const at = (await readFile(path)).lastIndexOf(id);
    if (at >= 0) return { path, offset: at + id.length + AFTER_ID_BYTES };
  }
  return null;
}

/** Flips a bit of a file, as rot would. */
export async function flipBit({ path, offset }: FlippedByte): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, offset);
    byte[0] = (byte[0] as number) ^ 1;
    await file.write(byte, 0, 1, offset);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Reads every segment file of these nodes. */
export async function pictureSegments(folders: readonly string[]): Promise<SegmentPicture> {
  const picture = new Map<string, { sizeBytes: number; sha256: string }>();
  for (const data of folders) {
    for (const path of await segmentPaths(data)) {
      const bytes = await readFile(path);
      picture.set(path, { sizeBytes: bytes.length, sha256: hashOf(bytes) });
    }
  }
  return picture;
}

/**
 * What of a picture is not as it was: files that are gone, cut short or have other bytes. Files grow at their ends; that is
 * no change.
 * @param flipped was flipped since, and counts as it was before
 */
export async function findChanges(before: SegmentPicture, flipped: FlippedByte): Promise<string[]> {
  const changes: string[] = [];
  for (const [path, { sizeBytes, sha256 }] of before) {
    const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => error);
    if (bytes instanceof Error || bytes.length < sizeBytes) {
      changes.push(
        bytes instanceof Error ? `${path} cannot be read: ${bytes.message}` : `${path} is shorter`,
      );
      continue;
    }
    if (path === flipped.path) bytes[flipped.offset] = (bytes[flipped.offset] as number) ^ 1;
    if (hashOf(bytes.subarray(0, sizeBytes)) !== sha256) changes.push(`${path} has other bytes`);
  }
  return changes;
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
