import { stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { createNodePlatform, useHashThreads } from '@cairn/content';
import { CairnError, type Entry } from '@cairn/model';
import type { FileObject } from '@cairn/protocol';
import { withClient } from '../connect.ts';
import { type CliContext, print, printJson } from '../context.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { count, showDuration, showName, showSize, showText } from '../output/text.ts';
import { getEntry } from '../server-paths.ts';
import { createTreeDownload } from './download-tree.ts';
import { openLocalFolder } from './local-folder.ts';
import { createProgress } from './progress.ts';
import { type RemoteTree, readEntry, readRemoteTree } from './remote-tree.ts';

export interface DownloadFlags {
  readonly to?: string;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

/** `cairn download`; resolves with the exit status. */
export async function runDownload(
  context: CliContext,
  words: readonly string[],
  flags: DownloadFlags,
): Promise<number> {
  const hasTarget = flags.to === undefined && words.length > 1;
  const paths = hasTarget ? words.slice(0, -1) : words;
  const target = flags.to ?? (hasTarget ? (words.at(-1) as string) : '.');
  const startedAt = performance.now();
  return withClient(context, async (client) => {
    const { signal } = context;
    const found: FileObject[] = [];
    for (const path of paths) found.push(await getEntry(client, path, signal));
    const place = await findPlace(target, found);
    const space = await client.personalSpace();
    const progress = createProgress(context, 'Downloading');
    const failures: { path: string; problem: string }[] = [];
    const download = createTreeDownload({
      space,
      platform: createNodePlatform(useHashThreads()),
      signal,
      overwrite: flags.overwrite === true,
      progress,
      onFailure(path, problem) {
        failures.push({ path, problem });
        progress.say(`cairn: ${showName(path)}: ${showText(problem)}`);
      },
    });
    const folder = await openLocalFolder(place.folder);
    try {
      const tree = found.some((entry) => entry.kind === 'folder')
        ? await readRemoteTree(space, signal)
        : null;
      for (const object of found) {
        const entry = await readEntry(client, object, signal);
        expect(entry, tree, progress.expect);
        const name = place.name ?? object.name;
        if (object.parentId === null && place.name === null && tree !== null) {
          // The root has no name: what is in it goes into the target.
          for (const child of tree.children(object.entryId))
            await download.add(child, child.name, tree, folder);
        } else {
          await download.add(entry, name, tree, folder);
        }
      }
    } finally {
      await folder.close();
      progress.end();
    }
    const { downloaded, unchanged, folders } = download.totals();
    const receivedBytes = client.transport.receivedBytes;
    if (flags.json === true) {
      printJson(context, { downloaded, unchanged, folders, failures, receivedBytes });
    } else {
      const parts = [`Downloaded ${count(downloaded, 'file')}`];
      if (folders > 0) parts.push(count(folders, 'folder'));
      if (unchanged > 0) parts.push(`${unchanged.toLocaleString('en')} unchanged`);
      if (failures.length > 0) parts.push(`${failures.length.toLocaleString('en')} failed`);
      const took = showDuration(performance.now() - startedAt);
      print(
        context,
        `${parts.join(', ')} to ${showName(target)} (received ${showSize(receivedBytes)} in ${took}).`,
      );
    }
    return failures.length > 0 ? EXIT_CODES.partial : EXIT_CODES.ok;
  });
}

/** The local folder to write into and, when the target is a new name for the only item, that name. */
async function findPlace(
  target: string,
  found: readonly FileObject[],
): Promise<{ folder: string; name: string | null }> {
  const status = await stat(target).catch(() => null);
  if (status?.isDirectory()) return { folder: target, name: null };
  if (found.length > 1 || target.endsWith('/')) {
    throw new CairnError(
      'usage',
      `${showName(target)} is not an existing local folder. Make it first, or choose another`,
    );
  }
  const folder = dirname(resolve(target));
  if (!(await stat(folder).catch(() => null))?.isDirectory()) {
    throw new CairnError(
      'usage',
      `the local folder ${showName(folder)} does not exist. Make it first, or choose another`,
    );
  }
  return { folder, name: basename(resolve(target)) };
}

function expect(entry: Entry, tree: RemoteTree | null, tell: (files: number, bytes: number) => void): void {
  if (entry.kind === 'file') tell(1, entry.content.sizeBytes);
  if (entry.kind === 'folder' && tree !== null) {
    for (const child of tree.children(entry.entryId)) expect(child, tree, tell);
  }
}
