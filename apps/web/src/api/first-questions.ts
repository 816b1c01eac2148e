import { prefetchFolder } from './folders.ts';
import { folderOfAddress } from './paths.ts';
import { KEPT_ACCOUNT } from './request.ts';
import { sessionStore, startSession } from './session.ts';

/**
 * Asks what the first screen shows, while its parts are still being fetched and drawn. Resolves when it is known who is
 * signed in, or that nobody can say.
 */
export async function askFirstQuestions(pathname: string): Promise<void> {
  const folder = folderOfAddress(pathname);
  // A stranger's question would only be refused.
  const wasSignedIn = localStorage.getItem(KEPT_ACCOUNT) !== null;
  const known = startSession();
  if (folder !== null && wasSignedIn) prefetchFolder(folder);
  await known;
  if (folder !== null && !wasSignedIn && sessionStore.read().status === 'signed-in') prefetchFolder(folder);
}
