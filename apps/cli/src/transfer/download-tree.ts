import { randomBytes } from 'node:crypto';
import { chmod, lutimes, readlink, symlink, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { SpaceClient } from '@cairn/client';
import type { ContentPlatform } from '@cairn/content';
import { CairnError, type Entry, type FileEntry, isCairnError, type LinkEntry } from '@cairn/model';
import type { LocalFolder } from './local-folder.ts';
import { explainIo } from './local-tree.ts';
import {
  existsAlready,
  holdsContent,
  openPartial,
  type PartialFile,
  putInPlace,
  seconds,
} from './partial-file.ts';
import type { Progress } from './progress.ts';
import type { RemoteTree } from './remote-tree.ts';
import { createSlots } from './slots.ts';

/** Files written together: their blocks share requests. */
const WINDOW_FILES = 256;
/** Files opened or made durable side by side: each waits for the disk more than it works. */
const FILES_AT_ONCE = 16;

export interface TreeDownloadOptions {
  readonly space: SpaceClient;
  readonly platform: ContentPlatform;
  readonly signal: AbortSignal;
  readonly overwrite: boolean;
  readonly progress: Progress;
  onFailure(localPath: string, problem: string): void;
}

export interface DownloadTotals {
  readonly downloaded: number;
  readonly unchanged: number;
  readonly folders: number;
}

/** Writes trees below local folders; nothing outside them, nothing through links, nothing that differs. */
export interface TreeDownload {
  add(entry: Entry, name: string, tree: RemoteTree | null, into: LocalFolder): Promise<void>;
  totals(): DownloadTotals;
}

interface Waiting {
  readonly entry: FileEntry;
  readonly name: string;
}

export function createTreeDownload(options: TreeDownloadOptions): TreeDownload {
  const { space, platform, signal, overwrite, progress } = options;
  let downloaded = 0;
  let unchanged = 0;
  let folders = 0;

  /** Runs the work of one item; what goes wrong with the local disk or a name stays with that item. */
  async function guard(path: string, work: () => Promise<void>): Promise<void> {
    signal.throwIfAborted();
    try {
      await work();
    } catch (error) {
      if (signal.aborted) throw error;
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'ENOSPC' || code === 'EDQUOT') {
        throw new CairnError(
          'local-disk-full',
          'the local disk is full. Free some space and run the download again; it goes on where it was',
          { cause: error },
        );
      }
      if (isCairnError(error, 'already-exists', 'bad-name', 'local-io'))
        options.onFailure(path, error.message);
      else if (typeof (error as NodeJS.ErrnoException).syscall === 'string')
        options.onFailure(path, explainIo(error));
      else throw error;
    }
  }

  async function addFolder(entry: Entry, name: string, tree: RemoteTree, into: LocalFolder): Promise<void> {
    const folder = await into.enter(name);
    folders++;
    try {
      await fill(folder, tree.children(entry.entryId), tree);
    } finally {
      await folder.close();
    }
  }

  async function fill(
    folder: LocalFolder,
    entries: readonly Entry[],
    tree: RemoteTree | null,
  ): Promise<void> {
    let waiting: Waiting[] = [];
    for (const entry of entries) {
      if (entry.kind !== 'file') continue;
      waiting.push({ entry, name: entry.name });
      if (waiting.length < WINDOW_FILES) continue;
      await writeFiles(folder, waiting);
      waiting = [];
    }
    await writeFiles(folder, waiting);
    for (const entry of entries) {
      if (entry.kind !== 'file') await addOther(entry, entry.name, tree, folder);
    }
    await folder.sync();
  }

  async function addOther(
    entry: Entry,
    name: string,
    tree: RemoteTree | null,
    into: LocalFolder,
  ): Promise<void> {
    await guard(join(into.path, name), async () => {
      if (entry.kind === 'folder' && tree !== null) await addFolder(entry, name, tree, into);
      if (entry.kind === 'link') await writeLink(entry, name, into);
    });
  }

  async function writeFiles(folder: LocalFolder, waiting: readonly Waiting[]): Promise<void> {
    let wanted: { entry: FileEntry; name: string; file: PartialFile }[] = [];
    const opening = createSlots(FILES_AT_ONCE);
    const placing = createSlots(FILES_AT_ONCE);
    try {
      const opened = new Map<Waiting, PartialFile>();
      try {
        for (const one of waiting) {
          const { entry, name } = one;
          await opening.run(() =>
            guard(join(folder.path, name), async () => {
              if (await isThere(folder, name, entry)) return;
              const file = await openPartial(folder, name, entry.content, space, platform, signal);
              opened.set(one, file);
              progress.addBytes(file.verifiedBytes);
            }),
          );
        }
        await opening.drain();
      } finally {
        wanted = waiting.flatMap((one) => {
          const file = opened.get(one);
          return file === undefined ? [] : [{ ...one, file }];
        });
      }
      const items = wanted.map(({ entry, file }) => ({
        content: entry.content,
        startAt: file.verifiedBytes,
      }));
      for await (const piece of space.readContents(items, { signal })) {
        const current = wanted[piece.index];
        if (current === undefined) throw new Error('a piece of a content that was not asked for');
        const { entry, name, file } = current;
        if (piece.bytes.length > 0) await file.write(piece.bytes, piece.position);
        progress.addBytes(piece.bytes.length);
        if (!piece.last) continue;
        await placing.run(() =>
          guard(join(folder.path, name), async () => {
            await file.place(entry, overwrite);
            downloaded++;
            progress.addFile();
          }),
        );
      }
      await placing.drain();
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error;
      throw new CairnError(
        'local-disk-full',
        'the local disk is full. Free some space and run the download again; it goes on where it was',
        { cause: error },
      );
    } finally {
      await placing.drain().catch(() => undefined);
      for (const { file } of wanted) await file.close();
    }
  }

  async function isThere(folder: LocalFolder, name: string, entry: FileEntry): Promise<boolean> {
    const status = await folder.status(name);
    if (status === null) return false;
    if (status.isDirectory())
      throw new CairnError('already-exists', 'a local folder of this name is here; move it away');
    const path = folder.at(name);
    if (status.isFile() && (await holdsContent(path, entry.content, platform, signal))) {
      if (((status.mode & 0o100n) !== 0n) !== entry.executable) {
        await chmod(path, (entry.executable ? 0o777 : 0o666) & ~process.umask());
      }
      await lutimes(path, seconds(entry.modifiedAtUs), seconds(entry.modifiedAtUs));
      progress.addBytes(entry.content.sizeBytes);
      progress.addFile();
      unchanged++;
      return true;
    }
    if (!overwrite) throw existsAlready();
    return false;
  }

  async function writeLink(entry: LinkEntry, name: string, into: LocalFolder): Promise<void> {
    const path = into.at(name);
    const status = await into.status(name);
    if (status?.isSymbolicLink() && (await readlink(path)) === entry.target) {
      unchanged++;
      return;
    }
    if (status?.isDirectory())
      throw new CairnError('already-exists', 'a local folder of this name is here; move it away');
    if (status !== null && !overwrite) throw existsAlready();
    const temporary = into.at(`.${randomBytes(8).toString('hex')}.cairn-part`);
    await symlink(entry.target, temporary);
    try {
      await lutimes(temporary, seconds(entry.modifiedAtUs), seconds(entry.modifiedAtUs));
      await putInPlace(temporary, path, overwrite);
    } catch (error) {
      await unlink(temporary).catch(() => undefined);
      throw error;
    }
    downloaded++;
  }

  return {
    async add(entry, name, tree, into) {
      if (entry.kind !== 'file') {
        await addOther(entry, name, tree, into);
      } else {
        await writeFiles(into, [{ entry, name }]);
      }
      await into.sync();
    },
    totals: () => ({ downloaded, unchanged, folders }),
  };
}
