import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { SeededRandom } from '../world/seeded-random.ts';
import { hashFile, walk } from '../world/trees.ts';
import { contentKey, type Ledger } from './ledger.ts';

/** Folder in the synced one in which users do most of what they do. */
export const USERS_FOLDER = 'users';
const FOLDER_NAMES = ['plans', 'letters', 'photos', 'code'];
const NAMES = 24;
const MAX_PAD_BYTES = 12_000;
/** A folder with more is not deleted: many deletes at once are held until confirmed, as they should be. */
const MAX_DELETED_ITEMS = 30;

export interface User {
  /** Does one thing that people do. Returns what, or `null` when there was nothing to do it to. */
  act(): string | null;
}

export interface UserOptions {
  readonly name: string;
  readonly root: string;
  /** A folder of the same filesystem that is not synced. */
  readonly stage: string;
  readonly random: SeededRandom;
  readonly ledger: Ledger;
  /** Paths of files that were there from the start and may be edited. */
  readonly bulkFiles: readonly string[];
}

/** Somebody at one device who works on files while they are synced, and notes every content in the ledger. */
export function createUser(options: UserOptions): User {
  const { name, root, stage, random, ledger, bulkFiles } = options;
  const users = join(root, USERS_FOLDER);
  let contents = 0;
  let staged = 0;

  const nextStaged = () => join(stage, `${name}-${++staged}`);
  function nextContent(): Buffer {
    const pad = random.integer(0, 3) === 0 ? random.integer(0, MAX_PAD_BYTES) : random.integer(0, 200);
    return Buffer.from(`content ${++contents} of ${name}\n${`${random.fraction()}\n`.repeat(pad / 20)}`);
  }
  function list(kind: 'file' | 'folder' | 'link'): string[] {
    const found: string[] = [];
    for (const { path, entry } of walk(users)) {
      const isKind =
        kind === 'file' ? entry.isFile() : kind === 'folder' ? entry.isDirectory() : entry.isSymbolicLink();
      if (isKind) found.push(path);
    }
    return found;
  }
  function pickOne(kind: 'file' | 'folder' | 'link'): string | null {
    const all = list(kind);
    return all.length === 0 ? null : join(users, random.pick(all));
  }
  function pickFolder(): string {
    const all = list('folder');
    if (all.length > 0 && !random.chance(0.2)) return join(users, random.pick(all));
    const folder = join(users, random.pick(FOLDER_NAMES));
    mkdirSync(folder, { recursive: true });
    return folder;
  }
  const pickName = (ending: string) => `note ${random.integer(1, NAMES)}${ending}`;

  /** As an editor that writes beside and renames over does it. */
  function replace(path: string): string {
    const old = nextStaged();
    linkSync(path, old);
    const fresh = nextStaged();
    const content = nextContent();
    writeFileSync(fresh, content, { mode: lstatSync(path).mode & 0o777 });
    ledger.wrote(contentKey('file', content), name, path);
    renameSync(fresh, path);
    ledger.gaveUp(`file:${hashFile(old)}`);
    return `replaced ${path}`;
  }

  function writeInPlace(path: string): string {
    const descriptor = openSync(path, 'r+');
    try {
      const old = readFileSync(descriptor);
      const content = nextContent();
      ftruncateSync(descriptor, 0);
      writeSync(descriptor, content, 0, content.length, 0);
      // A content counts as written once it is whole.
      fsyncSync(descriptor);
      ledger.wrote(contentKey('file', content), name, path);
      ledger.gaveUp(contentKey('file', old));
      return `wrote into ${path}`;
    } finally {
      closeSync(descriptor);
    }
  }

  function create(): string {
    const path = join(pickFolder(), pickName('.txt'));
    if (existsSync(path)) return replace(path);
    const content = nextContent();
    writeFileSync(path, content, { flag: 'wx' });
    ledger.wrote(contentKey('file', content), name, path);
    return `created ${path}`;
  }

  function makeLink(): string {
    const path = join(pickFolder(), pickName('.link'));
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return '';
    const target = `../somewhere/${name}-${++contents}`;
    symlinkSync(target, path);
    ledger.wrote(contentKey('link', target), name, path);
    return `linked ${path}`;
  }

  function rename(kind: 'file' | 'folder'): string | null {
    const from = pickOne(kind);
    if (from === null) return null;
    const folder = random.chance(0.5) ? dirname(from) : pickFolder();
    const base = kind === 'file' ? pickName('.txt') : `${random.pick(FOLDER_NAMES)} ${random.integer(1, 9)}`;
    const to = join(folder, base);
    // Nothing is renamed over here: that would be a replacement, which is noted as one.
    if (`${to}/`.startsWith(`${from}/`) || existsSync(to)) return null;
    renameSync(from, to);
    return `renamed ${from} to ${to}`;
  }

  /** Two things of one kind exchange their names, through a third. */
  function swap(kind: 'file' | 'folder'): string | null {
    const left = pickOne(kind);
    const right = pickOne(kind);
    if (
      left === null ||
      right === null ||
      `${left}/`.startsWith(`${right}/`) ||
      `${right}/`.startsWith(`${left}/`)
    )
      return null;
    const between = `${left} between`;
    if (existsSync(between)) return null;
    renameSync(left, between);
    if (!existsSync(left)) renameSync(right, left);
    // What sync put there meanwhile is not replaced.
    if (!existsSync(right)) renameSync(between, right);
    return `swapped ${left} and ${right}`;
  }

  function remove(kind: 'file' | 'folder' | 'link'): string | null {
    const path = pickOne(kind);
    if (path === null) return null;
    if (kind === 'link') {
      const target = readlinkSync(path);
      unlinkSync(path);
      ledger.gaveUp(contentKey('link', target));
      return `removed ${path}`;
    }
    if (kind === 'folder' && [...walk(path)].length > MAX_DELETED_ITEMS) return null;
    // Out of the tree in one step; what was really removed is looked at afterwards.
    const trash = nextStaged();
    renameSync(path, trash);
    if (kind === 'file') ledger.gaveUp(`file:${hashFile(trash)}`);
    else ledger.gaveUpFolder(trash);
    return `removed ${path}`;
  }

  function toggleExecutable(): string | null {
    const path = pickOne('file');
    if (path === null) return null;
    const { mode } = lstatSync(path);
    chmodSync(path, (mode & 0o100) === 0 ? 0o755 : 0o644);
    return `changed the mode of ${path}`;
  }

  function onFile(change: (path: string) => string): string | null {
    const path = pickOne('file');
    return path === null ? null : change(path);
  }

  function onBulkFile(): string | null {
    if (bulkFiles.length === 0) return null;
    const path = join(root, random.pick(bulkFiles));
    return lstatSync(path, { throwIfNoEntry: false })?.isFile() ? replace(path) : null;
  }

  const ACTIONS: readonly [number, () => string | null][] = [
    [26, create],
    [14, () => onFile(writeInPlace)],
    [16, () => onFile(replace)],
    [6, onBulkFile],
    [8, () => rename('file')],
    [7, () => rename('folder')],
    [4, () => swap('file')],
    [2, () => swap('folder')],
    [7, () => remove('file')],
    [2, () => remove('folder')],
    [2, () => remove('link')],
    [6, toggleExecutable],
    [4, makeLink],
  ];
  const total = ACTIONS.reduce((sum, [weight]) => sum + weight, 0);

  return {
    act() {
      let choice = random.fraction() * total;
      for (const [weight, action] of ACTIONS) {
        choice -= weight;
        if (choice >= 0) continue;
        try {
          return action();
        } catch (error) {
          // Sync moved it away between the choice and the deed; a person would look again.
          const { code } = error as NodeJS.ErrnoException;
          if (['ENOENT', 'EEXIST', 'ENOTDIR', 'ENOTEMPTY', 'EISDIR'].includes(code ?? '')) return null;
          throw error;
        }
      }
      return null;
    },
  };
}

/** Puts one byte in front of a large file and renames the result over it, as an editor does. */
export function editLargeFile(options: {
  readonly path: string;
  readonly stage: string;
  readonly by: string;
  readonly ledger: Ledger;
}): void {
  const { path, stage, by, ledger } = options;
  const fresh = join(stage, `large-${by}`);
  const old = join(stage, `old-large-${by}`);
  linkSync(path, old);
  try {
    const piece = Buffer.allocUnsafe(4 * 1024 * 1024);
    const source = openSync(old, 'r');
    const target = openSync(fresh, 'w');
    try {
      writeSync(target, by.slice(0, 1));
      for (let count = readSync(source, piece); count > 0; count = readSync(source, piece))
        writeSync(target, piece, 0, count);
    } finally {
      closeSync(source);
      closeSync(target);
    }
    ledger.wrote(`file:${hashFile(fresh)}`, by, path);
    renameSync(fresh, path);
    ledger.gaveUp(`file:${hashFile(old)}`);
  } finally {
    unlinkSync(old);
  }
}
