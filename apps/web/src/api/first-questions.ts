import { prefetchFolder } from './folders.ts';
import { startSession } from './session.ts';

const FILES_ADDRESS = /^\/(?:files(?:\/(.*))?)?$/;

/** The folder that the Files page of an address shows; `null` for other addresses. */
export function folderOfAddress(pathname: string): string | null {
  const match = FILES_ADDRESS.exec(pathname);
  if (match === null) return null;
  try {
    return `/${decodeURIComponent(match[1] ?? '').replace(/^\/+|\/+$/g, '')}`;
  } catch {
    return null;
  }
}

/**
 * Asks what the first screen shows, while its parts are still being fetched and drawn. Resolves when it is known who is
 * signed in, or that nobody can say.
 */
export async function askFirstQuestions(pathname: string): Promise<void> {
  const folder = folderOfAddress(pathname);
  const known = startSession();
  if (folder !== null) prefetchFolder(folder);
  await known;
}
