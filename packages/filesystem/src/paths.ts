import { CairnError, foldName, PRIVATE_FOLDER } from '@cairn/model';

const encoder = new TextEncoder();
// A path inside the root can be longer than any one system call takes, but not without limit.
const MAX_PATH_NAMES = 4096;
const TEMPORARY_NAME = /^[A-Za-z0-9-]{1,120}$/;

/** Whether a name directly inside the root means our private folder. */
export function isPrivateName(name: string, caseSensitive: boolean): boolean {
  return caseSensitive ? name === PRIVATE_FOLDER : foldName(name) === PRIVATE_FOLDER;
}

/**
 * Splits a port path into names; `''` is the root. Throws `bad-path` for anything that could leave the root or
 * reach the private folder: `.`, `..`, empty names, a leading or trailing `/`, NUL, lone surrogates.
 */
export function splitPath(path: string, caseSensitive: boolean): string[] {
  if (path === '') return [];
  const names = path.split('/');
  for (const name of names) {
    if (name === '' || name === '.' || name === '..' || name.includes('\u0000') || !name.isWellFormed()) {
      throw badPath(path, 'it has a part that cannot be a name');
    }
  }
  if (names.length > MAX_PATH_NAMES) throw badPath(path, 'it is too deep');
  if (isPrivateName(names[0] as string, caseSensitive)) {
    throw badPath(path, `"${PRIVATE_FOLDER}" is reserved for Cairn's own files`);
  }
  return names;
}

/** Splits a path that must have a name of its own (not the root) into its folder's names and that name. */
export function splitParent(path: string, caseSensitive: boolean): { parent: string[]; name: string } {
  const parent = splitPath(path, caseSensitive);
  const name = parent.pop();
  if (name === undefined) throw badPath(path, 'the root itself cannot be changed');
  return { parent, name };
}

/** Returns `name` if a temporary may have it; throws `bad-name` otherwise. */
export function checkTemporaryName(name: string): string {
  if (!TEMPORARY_NAME.test(name)) {
    throw new CairnError('bad-name', 'a temporary has a name of 1 to 120 letters, digits and "-"');
  }
  return name;
}

/** Refuses moving a folder into itself, which no filesystem can do. */
export function checkMove(from: string, to: string): void {
  if (to.startsWith(`${from}/`)) throw badPath(to, `it is inside "${from}", which would be moved`);
}

/**
 * Name in the rescue area: when (UTC), a counter that keeps names apart, and the old name, cut at a character
 * where it is long.
 */
export function rescueName(now: number, counter: number, name: string): string {
  const instant = new Date(now).toISOString().replace(/[-:.]/g, '');
  let kept = name;
  while (encoder.encode(kept).length > 200) kept = Array.from(kept).slice(0, -1).join('');
  return `${instant}-${String(counter).padStart(4, '0')}-${kept}`;
}

const RESCUED = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-\d{4,}-(.*)$/s;

/** The inverse of {@link rescueName}; `null` for a name that is none of ours. */
export function parseRescueName(name: string): { rescuedAt: number; originalName: string } | null {
  const match = RESCUED.exec(name);
  if (match === null) return null;
  const [, year, month, day, hour, minute, second, milliseconds, originalName] = match;
  const rescuedAt = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${milliseconds}Z`);
  return Number.isNaN(rescuedAt) ? null : { rescuedAt, originalName: originalName as string };
}

function badPath(path: string, reason: string): CairnError {
  return new CairnError('bad-path', `"${path}" is not a path inside the synced folder: ${reason}`);
}
