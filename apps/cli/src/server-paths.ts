import type { Client } from '@cairn/client';
import { CairnError, formatServerPath, isCairnError, parseServerPath } from '@cairn/model';
import type { FileObject } from '@cairn/protocol';
import { showName } from './output/text.ts';

/** The canonical form of a server path that a person wrote. Throws `bad-path`. */
export function serverPath(text: string): string {
  return formatServerPath(parseServerPath(text));
}

/** `name` below the folder `path`. */
export function joinServerPath(path: string, name: string): string {
  return path === '/' ? `/${name}` : `${path}/${name}`;
}

/** What is at a server path; the error names the path as the person wrote it. Throws `not-found`. */
export async function getEntry(client: Client, path: string, signal?: AbortSignal): Promise<FileObject> {
  const found = await findEntry(client, path, signal);
  if (found !== null) return found;
  throw new CairnError('not-found', `there is no ${showName(path)} on the server. See "cairn list"`, {
    details: { path },
  });
}

/** What is at a server path, or null. */
export async function findEntry(
  client: Client,
  path: string,
  signal?: AbortSignal,
): Promise<FileObject | null> {
  try {
    return await client.files.get(serverPath(path), signal);
  } catch (error) {
    if (isCairnError(error, 'not-found', 'not-a-folder')) return null;
    throw error;
  }
}
