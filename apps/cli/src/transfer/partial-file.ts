import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, open, rename, unlink } from 'node:fs/promises';
import type { SpaceClient } from '@cairn/client';
import { blockIdOf, type ContentPlatform, describeContent } from '@cairn/content';
import { CairnError, type FileContent, MAX_NAME_BYTES } from '@cairn/model';
import { showName } from '../output/text.ts';
import type { LocalFolder } from './local-folder.ts';

const SUFFIX = '.cairn-part';

/** A file that is being downloaded beside its place, so that it can be resumed and appears at once. */
export interface PartialFile {
  /** Bytes at the front that are there and verified. */
  readonly verifiedBytes: number;
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Durable, with its attributes, under its own name. */
  place(
    attributes: { readonly executable: boolean; readonly modifiedAtUs: number },
    overwrite: boolean,
  ): Promise<void>;
  /** Closes and, if it holds anything and was not placed, leaves it for a later run. */
  close(): Promise<void>;
}

/** Name of the partial file of `name`: `.report.pdf.cairn-part`, or a hash where that is too long. */
export function partialName(name: string): string {
  const plain = `.${name}${SUFFIX}`;
  if (Buffer.byteLength(plain) <= MAX_NAME_BYTES) return plain;
  return `.${createHash('sha256').update(name).digest('hex').slice(0, 32)}${SUFFIX}`;
}

/** Opens or goes on with the partial file of `name`. */
export async function openPartial(
  folder: LocalFolder,
  name: string,
  content: FileContent,
  space: SpaceClient,
  platform: ContentPlatform,
  signal: AbortSignal,
): Promise<PartialFile> {
  const temporary = folder.at(partialName(name));
  const flags =
    constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const handle = await open(temporary, flags, 0o600);
  try {
    const status = await handle.stat();
    // Another name of some file elsewhere must not be written through.
    if (!status.isFile() || status.nlink !== 1) {
      throw new CairnError('already-exists', `${showName(partialName(name))} is in the way; delete it`);
    }
    const verifiedBytes =
      status.size === 0 ? 0 : await verify(handle, status.size, content, space, platform, signal);
    let isEmpty = verifiedBytes === 0;
    let isPlaced = false;
    return {
      verifiedBytes,
      async write(bytes, position) {
        isEmpty = false;
        for (let done = 0; done < bytes.length; ) {
          const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
          done += bytesWritten;
        }
      },
      async place({ executable, modifiedAtUs }, overwrite) {
        await handle.truncate(content.sizeBytes);
        await handle.chmod((executable ? 0o777 : 0o666) & ~process.umask());
        await handle.utimes(seconds(modifiedAtUs), seconds(modifiedAtUs));
        await handle.sync();
        await handle.close();
        await putInPlace(temporary, folder.at(name), overwrite);
        isPlaced = true;
      },
      async close() {
        await handle.close();
        if (isEmpty && !isPlaced) await unlink(temporary).catch(() => undefined);
      },
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * Microseconds as the seconds that `utimes` takes: in the middle of the microsecond, since it cuts off, and as text,
 * since Node takes a negative number for "now".
 */
export function seconds(modifiedAtUs: number): string {
  return String((modifiedAtUs + 0.5) / 1e6);
}

/** Without `overwrite` the name is taken only if it is free at that very moment. */
export async function putInPlace(from: string, to: string, overwrite: boolean): Promise<void> {
  if (!overwrite) {
    try {
      await link(from, to);
      await unlink(from);
      return;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EEXIST') throw existsAlready(error);
      // Filesystems without hard links (FAT and its kin).
      if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'EMLINK') throw error;
    }
  }
  await rename(from, to);
}

/** The local file is something else, and nobody said that it may be replaced. */
export function existsAlready(cause?: unknown): CairnError {
  return new CairnError(
    'already-exists',
    'a local file with other content is here; move it away or use --overwrite',
    cause === undefined ? {} : { cause },
  );
}

async function verify(
  handle: FileHandle,
  existingBytes: number,
  content: FileContent,
  space: SpaceClient,
  platform: ContentPlatform,
  signal: AbortSignal,
): Promise<number> {
  let position = 0;
  for await (const part of space.listChunks(content, signal)) {
    if (position + part.sizeBytes > existingBytes) break;
    const bytes = new Uint8Array(part.sizeBytes);
    const { bytesRead } = await handle.read(bytes, 0, part.sizeBytes, position);
    if (bytesRead !== part.sizeBytes || blockIdOf(platform, 'chunk', bytes) !== part.block) break;
    position += part.sizeBytes;
  }
  return position;
}

/** Whether the local file already holds this content. Reads it. */
export async function holdsContent(
  path: string,
  content: FileContent,
  platform: ContentPlatform,
  signal: AbortSignal,
): Promise<boolean> {
  const handle = await open(
    path,
    constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
  );
  try {
    const status = await handle.stat();
    if (!status.isFile() || status.size !== content.sizeBytes) return false;
    const source = {
      read: async (into: Uint8Array, position: number) =>
        (await handle.read(into, 0, into.length, position)).bytesRead,
    };
    const found = await describeContent(platform, source, { profile: content.manifest.profile, signal });
    return found.contentId === content.contentId;
  } finally {
    await handle.close();
  }
}
