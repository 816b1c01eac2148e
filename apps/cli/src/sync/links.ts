import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { CairnError, type EntryId, PRIVATE_FOLDER, type SpaceId } from '@cairn/model';

/** A folder of this device that is kept equal to a space. */
export interface SyncLink {
  readonly linkId: string;
  /** Absolute path without symbolic links. */
  readonly folder: string;
  readonly serverUrl: string;
  readonly spaceId: SpaceId;
  readonly rootId: EntryId;
  /** Milliseconds since 1970. */
  readonly addedAt: number;
}

/** The folders linked on this device: CAIRN_HOME/links.json. Throws `not-configured` when it is damaged. */
export function readLinks(home: string): SyncLink[] {
  const path = join(home, 'links.json');
  if (!existsSync(path)) return [];
  try {
    return parseLinks(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new CairnError(
      'not-configured',
      `${path} is damaged. Move it away and link your folders again with "cairn sync add FOLDER"; no file is touched by that`,
      { cause: error },
    );
  }
}

/** By hand: a library for this would be loaded before the folder is known that a daemon is to begin with. */
function parseLinks(file: unknown): SyncLink[] {
  const links = (file as { links?: unknown } | null)?.links;
  if (!Array.isArray(links) || !links.every(isLink)) throw new TypeError('these are no links');
  return links;
}

function isLink(value: unknown): value is SyncLink {
  if (typeof value !== 'object' || value === null) return false;
  const { linkId, folder, serverUrl, spaceId, rootId, addedAt } = value as Record<string, unknown>;
  const texts = [linkId, folder, serverUrl, spaceId, rootId];
  return texts.every((text) => typeof text === 'string') && Number.isFinite(addedAt);
}

async function writeLinks(home: string, links: readonly SyncLink[]): Promise<void> {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const temporary = join(home, `.links.json.${randomUUID()}`);
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify({ links }, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, join(home, 'links.json'));
}

/** The link of exactly this folder, if any. */
export function findLink(home: string, folder: string): SyncLink | undefined {
  const wanted = realFolder(folder);
  return readLinks(home).find((link) => link.folder === wanted);
}

/** The link whose folder contains the path, with the path relative to it (`/` between names). */
export function findLinkOf(home: string, path: string): { link: SyncLink; inside: string } | undefined {
  const absolute = join(realFolder(dirname(resolve(path))), relative(dirname(resolve(path)), resolve(path)));
  for (const link of readLinks(home)) {
    const inside = relative(link.folder, absolute);
    if (inside === '' || (!inside.startsWith(`..${sep}`) && inside !== '..')) {
      return { link, inside: inside.split(sep).join('/') };
    }
  }
  return undefined;
}

/**
 * Links a folder, making it where it does not exist.
 * @throws CairnError `usage` for folders that must not be synced: inside another synced folder or around one,
 * around or inside this device's own state, the whole disk
 */
export async function addLink(
  home: string,
  folder: string,
  space: { readonly serverUrl: string; readonly spaceId: SpaceId; readonly rootId: EntryId },
  now: number,
): Promise<SyncLink> {
  mkdirSync(folder, { recursive: true });
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const real = realFolder(folder);
  const links = readLinks(home);
  const existing = links.find((link) => link.folder === real);
  if (existing !== undefined) return existing;
  if (dirname(real) === real) {
    throw new CairnError(
      'usage',
      `${real} is the whole disk; choose a folder for your files, such as ~/Cairn`,
    );
  }
  if (contains(real, realFolder(home)) || contains(realFolder(home), real)) {
    throw new CairnError(
      'usage',
      `${real} and Cairn's own state in ${home} must not contain each other; choose another folder or set CAIRN_HOME elsewhere`,
    );
  }
  for (const link of links) {
    if (contains(link.folder, real) || contains(real, link.folder)) {
      throw new CairnError(
        'usage',
        `${link.folder} is synced already, and synced folders must not contain each other; choose another folder`,
      );
    }
  }
  for (let above = dirname(real); above !== dirname(above); above = dirname(above)) {
    if (existsSync(join(above, PRIVATE_FOLDER, 'marker'))) {
      throw new CairnError(
        'usage',
        `${above} is a synced folder, and synced folders must not contain each other; choose another folder`,
      );
    }
  }
  const link: SyncLink = { linkId: randomUUID().slice(0, 8), folder: real, ...space, addedAt: now };
  await writeLinks(home, [...links, link]);
  return link;
}

/** Forgets a link and what was known about it. The folder's files stay as they are. */
export async function removeLink(home: string, link: SyncLink): Promise<void> {
  await writeLinks(
    home,
    readLinks(home).filter((each) => each.linkId !== link.linkId),
  );
  rmSync(stateFolder(home, link), { recursive: true, force: true });
  rmSync(join(link.folder, PRIVATE_FOLDER, 'marker'), { force: true });
}

/** Where the device keeps what it knows about the link (0700). */
export function stateFolder(home: string, link: SyncLink): string {
  const folder = join(home, 'links', link.linkId);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Path of the database of what this device knows about the link. */
export function treesPath(home: string, link: SyncLink): string {
  return join(stateFolder(home, link), 'trees.sqlite');
}

/** Path of the daemon's log, JSON lines. */
export function logPath(home: string, link: SyncLink): string {
  return join(stateFolder(home, link), 'daemon.log');
}

/** Path of the control socket. Socket paths are short (107 bytes on Linux), so a long home needs another place. */
export function socketPath(home: string, link: SyncLink): string {
  const path = join(stateFolder(home, link), 'control.sock');
  if (Buffer.byteLength(path) <= 100) return path;
  const folder = join(tmpdir(), `cairn-${userInfo().uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return join(folder, `${link.linkId}.sock`);
}

function contains(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(outer === sep ? sep : outer + sep);
}

/** The path without symbolic links; parts that do not exist stay as they are. */
function realFolder(path: string): string {
  const absolute = resolve(path);
  try {
    return realpathSync(absolute);
  } catch {
    const parent = dirname(absolute);
    return parent === absolute ? absolute : join(realFolder(parent), relative(parent, absolute));
  }
}
