import { CairnError, isCairnError } from '@cairn/model';
import type { DaemonRequest } from '@cairn/protocol';
import type { SyncStatus } from '@cairn/sync-engine';
import type { CliContext } from '../context.ts';
import { homeFolder } from '../settings.ts';
import type { SyncLink } from './links.ts';

/** The link of a folder, or all of this device's. Throws `not-found` when there is none. */
export async function chooseLinks(context: CliContext, folder: string | undefined): Promise<SyncLink[]> {
  const { findLink, readLinks } = await import('./links.ts');
  const home = homeFolder(context);
  if (folder !== undefined) {
    const link = findLink(home, folder);
    if (link === undefined)
      throw new CairnError(
        'not-found',
        `${folder} is not a synced folder of this device; see "cairn sync status"`,
      );
    return [link];
  }
  const links = readLinks(home);
  if (links.length === 0)
    throw new CairnError(
      'not-found',
      'no folder is synced on this device yet. Begin with "cairn sync FOLDER"',
    );
  return links;
}

/** The link whose folder contains the path, and the path inside it. Throws `not-found`. */
export async function requireLinkOf(
  context: CliContext,
  path: string,
): Promise<{ link: SyncLink; inside: string }> {
  const { findLinkOf } = await import('./links.ts');
  const found = findLinkOf(homeFolder(context), path);
  if (found !== undefined) return found;
  throw new CairnError(
    'not-found',
    `${path} is not in a synced folder of this device; see "cairn sync status"`,
  );
}

/** Asks the daemon of a link. Throws `not-running` where there is none. */
export async function ask<Answer>(
  context: CliContext,
  link: SyncLink,
  request: DaemonRequest,
): Promise<Answer> {
  const { askDaemon } = await import('./control-client.ts');
  const { socketPath } = await import('./links.ts');
  return askDaemon<Answer>(socketPath(homeFolder(context), link), request);
}

/** The same, or `null` where no daemon runs. */
export async function askIfRunning<Answer>(
  context: CliContext,
  link: SyncLink,
  request: DaemonRequest,
): Promise<Answer | null> {
  try {
    return await ask<Answer>(context, link, request);
  } catch (error) {
    if (isCairnError(error, 'not-running')) return null;
    throw error;
  }
}

export interface LinkStatus {
  readonly running: boolean;
  /** What is, or was last known; `null` when no daemon ever ran or what it knew is damaged. */
  readonly status: SyncStatus | null;
}

export async function statusOf(context: CliContext, link: SyncLink): Promise<LinkStatus> {
  const status = await askIfRunning<SyncStatus>(context, link, { command: 'status' });
  if (status !== null) return { running: true, status };
  const { readStoredState } = await import('./stored-state.ts');
  const { signedInName } = await import('./signed-in-name.ts');
  try {
    const stored = readStoredState(homeFolder(context), link, await signedInName(context));
    return { running: false, status: stored?.status() ?? null };
  } catch (error) {
    // Damaged, or a daemon is just starting: then nothing is known for certain.
    if (isCairnError(error, 'local-io', 'already-running')) return { running: false, status: null };
    throw error;
  }
}
