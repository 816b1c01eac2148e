import { type FSWatcher, lstatSync, readdirSync, type Stats, type watch } from 'node:fs';
import type { Timers } from '@cairn/environment';
import { systemCode } from '../local-errors.ts';
import { countsSubfolders, LINKS_OF_LEAF } from './subfolder-count.ts';

/** Events of one folder are gathered this long before its subfolders are compared. */
const COMPARE_AFTER_MS = 15;

interface WatchedFolder {
  /** Relative to the root, `''` for the root itself. */
  readonly path: string;
  readonly parent: WatchedFolder | null;
  /** Device and inode: a folder that was replaced under its name needs a new watch. */
  readonly identity: string;
  readonly watcher: FSWatcher;
  readonly subfolders: Map<string, WatchedFolder>;
}

export interface FolderTreeWatchOptions {
  readonly root: string;
  readonly timers: Timers;
  /** Paths that are not to be watched. */
  isLeft(path: string): boolean;
  /** Something may have changed directly inside this folder. */
  onChange(folder: string): void;
  /** No more watches are to be had, or the root cannot be watched: this watch is of no use any more. */
  onFailure(error: unknown): void;
  /** The system's call. */
  readonly watch: typeof watch;
  /** Whether links tell if folders are in one; by the filesystem of the root, unless told. */
  readonly linksCount?: boolean;
}

/**
 * One kernel watch per folder, kept in step with the folders there are. The runtime's own recursive watch does
 * the same but remembers every file, goes through all of them for each one that vanishes, follows links, and
 * throws where nobody can catch for a link to itself or an unreadable folder.
 *
 * A new folder's watch begins before it is listed, so what is made in it is either listed or hinted at.
 * Throws when the root cannot be watched.
 */
export function watchFolderTree(options: FolderTreeWatchOptions): { close(): void } {
  const { root, timers, linksCount = countsSubfolders(options.root) } = options;
  const waiting = new Set<WatchedFolder>();
  /** Whoever still holds one of these must not open watches below it: nobody would close them. */
  const dropped = new WeakSet<WatchedFolder>();
  const rootDevice = lstatSync(root, { throwIfNoEntry: false })?.dev;
  let cancelCompare: (() => void) | null = null;
  let closed = false;

  function systemPath(path: string): string {
    return path === '' ? root : `${root}/${path}`;
  }

  /** The folder's status; `null` when there is no folder at the path, or one that cannot be looked at. */
  function statusOf(path: string): Stats | null {
    try {
      const status = lstatSync(systemPath(path), { throwIfNoEntry: false });
      return status?.isDirectory() === true ? status : null;
    } catch {
      // Its parent is hinted at in any case; a scan says what is the matter.
      return null;
    }
  }

  function listSubfolders(path: string): string[] | null {
    try {
      // Most folders have none, and files in plenty: to list them takes ten times as long as to look at the folder.
      if (linksCount && isLeaf(lstatSync(systemPath(path)))) return [];
      const items = readdirSync(systemPath(path), { withFileTypes: true });
      return items.filter((item) => item.isDirectory()).map((item) => item.name);
    } catch {
      return null;
    }
  }

  /** What is mounted into the tree may count otherwise. */
  function isLeaf(status: Stats): boolean {
    return status.isDirectory() && status.dev === rootDevice && status.nlink === LINKS_OF_LEAF;
  }

  /** Watches a folder and all below it. `isNew`: hint at each, for what is in them already. */
  function add(parent: WatchedFolder, name: string, isNew: boolean): void {
    const first = open(parent, name);
    const unlisted = first === null ? [] : [first];
    for (let folder = unlisted.pop(); folder !== undefined; folder = unlisted.pop()) {
      if (isNew) options.onChange(folder.path);
      for (const each of listSubfolders(folder.path) ?? []) {
        const opened = open(folder, each);
        if (opened !== null) unlisted.push(opened);
      }
    }
  }

  function open(parent: WatchedFolder | null, name: string): WatchedFolder | null {
    const path = parent === null || parent.path === '' ? name : `${parent.path}/${name}`;
    if (closed || options.isLeft(path)) return null;
    const status = statusOf(path);
    if (status === null) return null;
    let watcher: FSWatcher;
    try {
      watcher = options.watch(systemPath(path), (event) => {
        options.onChange(path);
        if (event === 'rename') compareSoon(folder);
      });
    } catch (error) {
      if (parent === null) throw error;
      if (['ENOSPC', 'EMFILE', 'ENFILE'].includes(systemCode(error))) options.onFailure(error);
      // Vanished, or not to be read: its parent is hinted at.
      return null;
    }
    const folder: WatchedFolder = {
      path,
      parent,
      identity: `${status.dev}:${status.ino}`,
      watcher,
      subfolders: new Map(),
    };
    watcher.on('error', () => {
      watcher.close();
      if (parent !== null) compareSoon(parent);
    });
    parent?.subfolders.set(name, folder);
    return folder;
  }

  function drop(folder: WatchedFolder): void {
    const open = [folder];
    for (let each = open.pop(); each !== undefined; each = open.pop()) {
      each.watcher.close();
      waiting.delete(each);
      dropped.add(each);
      open.push(...each.subfolders.values());
      each.subfolders.clear();
    }
  }

  function compareSoon(folder: WatchedFolder): void {
    if (closed || dropped.has(folder)) return;
    waiting.add(folder);
    cancelCompare ??= timers.schedule(COMPARE_AFTER_MS, () => {
      cancelCompare = null;
      const folders = [...waiting];
      waiting.clear();
      for (const each of folders) compare(each);
    });
  }

  /** Brings the watches below a folder in step with its subfolders. */
  function compare(folder: WatchedFolder): void {
    if (closed || dropped.has(folder)) return;
    const names = listSubfolders(folder.path);
    if (names === null) {
      if (folder.parent !== null) compareSoon(folder.parent);
      return;
    }
    const present = new Set(names);
    for (const [name, known] of folder.subfolders) {
      const status = present.has(name) ? statusOf(known.path) : null;
      if (status !== null && `${status.dev}:${status.ino}` === known.identity) continue;
      folder.subfolders.delete(name);
      drop(known);
    }
    for (const name of names) {
      if (!folder.subfolders.has(name)) add(folder, name, true);
    }
  }

  const top = open(null, '');
  if (top === null) throw Object.assign(new Error('the root is not a folder'), { code: 'ENOENT' });
  for (const name of listSubfolders('') ?? []) add(top, name, false);
  return {
    close() {
      closed = true;
      cancelCompare?.();
      drop(top);
    },
  };
}
