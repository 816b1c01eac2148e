import { createHash } from 'node:crypto';
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { hashFile, type TreeListing, walk } from '../world/trees.ts';

interface Writing {
  readonly by: string;
  readonly path: string;
  /** A user replaced or deleted it, having it before them: nobody has to keep it. */
  isGivenUp: boolean;
}

/** Where contents were found that are not in the live trees. */
export interface KeptElsewhere {
  readonly inVersions: string[];
  readonly inRescue: string[];
  readonly lost: string[];
}

/** Names of contents: a file's bytes, a link's text. */
export function contentKey(kind: 'file' | 'link', value: Buffer | string): string {
  return kind === 'link' ? `link:${value}` : `file:${createHash('sha256').update(value).digest('hex')}`;
}

/** Every content that a user wrote, and whether a user gave it up since. */
export class Ledger {
  readonly #writings = new Map<string, Writing>();

  get size(): number {
    return this.#writings.size;
  }

  wrote(key: string, by: string, path: string): void {
    const known = this.#writings.get(key);
    if (known === undefined) this.#writings.set(key, { by, path, isGivenUp: false });
  }

  gaveUp(key: string): void {
    const writing = this.#writings.get(key);
    if (writing !== undefined) writing.isGivenUp = true;
  }

  /** What must still be somewhere: every content that nobody gave up, with who wrote it where. */
  mustKeep(): Map<string, string> {
    const kept = new Map<string, string>();
    for (const [key, { by, path, isGivenUp }] of this.#writings)
      if (!isGivenUp) kept.set(key, `${path} written by ${by} (${key})`);
    return kept;
  }

  /** Notes everything below a folder as written. */
  wroteFolder(root: string, by: string): void {
    for (const key of keysBelow(root)) this.wrote(key.key, by, key.path);
  }

  /** Notes everything below a folder, which a user took out of the tree, as given up. */
  gaveUpFolder(root: string): void {
    for (const { key } of keysBelow(root)) this.gaveUp(key);
  }

  /** Contents that must be kept and are not live: are they in the server's versions, or rescued on a device? */
  findMissing(live: TreeListing, serverData: string, folders: readonly string[]): KeptElsewhere {
    const liveKeys = new Set<string>();
    for (const item of live.values()) {
      if (item.hash !== null) liveKeys.add(`file:${item.hash}`);
      if (item.target !== null) liveKeys.add(`link:${item.target}`);
    }
    const result: KeptElsewhere = { inVersions: [], inRescue: [], lost: [] };
    const missing = [...this.#writings].filter(([key, { isGivenUp }]) => !isGivenUp && !liveKeys.has(key));
    if (missing.length === 0) return result;
    const rescued = new Set<string>();
    for (const folder of folders) {
      for (const { key } of keysBelow(join(folder, '.cairn', 'rescue'))) rescued.add(key);
    }
    const isVersion = openVersions(serverData);
    for (const [key, { by, path }] of missing) {
      const text = `${path} written by ${by} (${key})`;
      if (isVersion(key)) result.inVersions.push(text);
      else if (rescued.has(key)) result.inRescue.push(text);
      else result.lost.push(text);
    }
    return result;
  }
}

function* keysBelow(root: string): Generator<{ path: string; key: string }> {
  for (const { path, entry } of walk(root)) {
    if (entry.isFile()) yield { path, key: `file:${hashFile(join(root, path))}` };
    else if (entry.isSymbolicLink()) yield { path, key: contentKey('link', readlinkSync(join(root, path))) };
  }
}

/**
 * Looks into the server's database, which must not be in use. Contents of one chunk are found by the chunk's
 * id; that is every content that the users of this run write.
 */
function openVersions(serverData: string): (key: string) => boolean {
  const name = readdirSync(serverData).find((each) => /\.(sqlite|db)$/.test(each));
  if (name === undefined)
    throw new Error(`no database in ${serverData}: ${readdirSync(serverData).join(', ')}`);
  const database = new DatabaseSync(join(serverData, name), { readOnly: true });
  const contents: Buffer[] = [];
  const targets = new Set<string>();
  try {
    for (const row of database.prepare('SELECT content, target FROM versions').iterate()) {
      if (row['content'] instanceof Uint8Array) contents.push(Buffer.from(row['content']));
      if (typeof row['target'] === 'string') targets.add(row['target']);
    }
  } finally {
    database.close();
  }
  return (key) => {
    const value = key.slice(key.indexOf(':') + 1);
    if (key.startsWith('link:')) return targets.has(value);
    const hash = Buffer.from(value, 'hex');
    return contents.some((content) => content.includes(hash) || content.includes(value));
  };
}
