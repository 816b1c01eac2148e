import { randomFillSync } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { Client } from '@cairn/client';
import { CairnError } from '@cairn/model';
import { withClient } from '../connect.ts';
import { type CliContext, print, printJson } from '../context.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { count, showDuration, showName, showSize, showText } from '../output/text.ts';
import { findEntry, serverPath } from '../server-paths.ts';
import { inspect, type LocalItem, listFolder } from './local-tree.ts';
import { createProgress } from './progress.ts';
import { createTreeUpload, type RemoteFolder } from './upload-tree.ts';

export interface UploadFlags {
  readonly to?: string;
  readonly json?: boolean;
}

/** `cairn upload`; resolves with the exit status. */
export async function runUpload(
  context: CliContext,
  words: readonly string[],
  flags: UploadFlags,
): Promise<number> {
  const { locals, destination } = await splitWords(words, flags.to);
  const startedAt = performance.now();
  return withClient(context, async (client) => {
    const space = await client.personalSpace();
    const progress = createProgress(context, 'Uploading');
    const failures: { path: string; problem: string }[] = [];
    const tree = createTreeUpload({
      client,
      space,
      signal: context.signal,
      createRandomBytes: (size) => randomFillSync(new Uint8Array(size)),
      progress,
      onFailure(path, problem) {
        failures.push({ path, problem });
        progress.say(`cairn: ${showName(path)}: ${showText(problem)}`);
      },
    });
    try {
      const { folder, name } = await findPlace(client, destination, locals, context.signal);
      for (const path of locals) {
        const item = await inspect(path, name ?? basename(resolve(path)));
        if (context.errors.isTTY === true) await expect(item, progress.expect, context.signal);
        await tree.add(item, folder);
      }
      await tree.finish();
    } finally {
      tree.abort();
      progress.end();
    }
    const { uploaded, unchanged, folders, sentBytes, skippedBytes } = tree.totals();
    if (flags.json === true) {
      printJson(context, { uploaded, unchanged, folders, failures, sentBytes, skippedBytes });
    } else {
      const parts = [`Uploaded ${count(uploaded, 'file')}`];
      if (folders > 0) parts.push(`made ${count(folders, 'folder')}`);
      if (unchanged > 0) parts.push(`${unchanged.toLocaleString('en')} unchanged`);
      if (failures.length > 0) parts.push(`${failures.length.toLocaleString('en')} failed`);
      print(
        context,
        `${parts.join(', ')} (sent ${showSize(sentBytes)} in ${showDuration(performance.now() - startedAt)}).`,
      );
    }
    return failures.length > 0 ? EXIT_CODES.partial : EXIT_CODES.ok;
  });
}

async function splitWords(
  words: readonly string[],
  to: string | undefined,
): Promise<{ locals: readonly string[]; destination: string }> {
  if (to !== undefined) return { locals: words, destination: to };
  const last = words.at(-1) ?? '';
  if (words.length < 2) return { locals: words, destination: '/' };
  if (last.startsWith('/')) return { locals: words.slice(0, -1), destination: last };
  // Taking a local file for the destination would surprise `upload *.txt`, so the last word decides by its slash.
  if ((await lstat(last).catch(() => null)) !== null) return { locals: words, destination: '/' };
  throw new CairnError(
    'usage',
    `there is no local ${showName(last)}. If it is the destination on the server, write it as ${showName(`/${last}`)}`,
  );
}

/** The server folder to put things into and, when the destination is a new name for the only item, that name. */
async function findPlace(
  client: Client,
  destination: string,
  locals: readonly string[],
  signal: AbortSignal,
): Promise<{ folder: RemoteFolder; name: string | null }> {
  const path = serverPath(destination);
  const found = await findEntry(client, path, signal);
  if (found?.kind === 'folder')
    return { folder: { entryId: found.entryId, path: found.path, isNew: false }, name: null };
  if (locals.length > 1 || destination.endsWith('/')) {
    if (found !== null) {
      throw new CairnError(
        'not-a-folder',
        `${showName(path)} on the server is not a folder. Choose another destination`,
      );
    }
    return { folder: await makeFolder(client, path), name: null };
  }
  const parent = path.slice(0, path.lastIndexOf('/')) || '/';
  const name = path.slice(path.lastIndexOf('/') + 1);
  return { folder: await makeFolder(client, parent), name };
}

async function makeFolder(client: Client, path: string): Promise<RemoteFolder> {
  const found =
    path === '/' ? await client.files.get('/') : await client.files.mkdir(path, { parents: true });
  return { entryId: found.entryId, path: found.path, isNew: false };
}

/** Counts what is coming, for the progress bar. */
async function expect(
  item: LocalItem,
  tell: (files: number, bytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  if (item.kind === 'file') tell(1, item.sizeBytes);
  if (item.kind !== 'folder') return;
  // An unreadable folder is reported when it is its turn.
  for (const child of await listFolder(item.path).catch(() => [])) await expect(child, tell, signal);
}
