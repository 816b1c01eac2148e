import { CairnError } from './errors.ts';
import { checkName, MAX_PATH_DEPTH } from './names.ts';

/**
 * Splits a server path such as `/docs/a.txt` into names. The leading slash is optional, a trailing one is
 * ignored; `/` is the empty list. `..`, empty and over-long parts throw `bad-path`.
 */
export function parseServerPath(path: string): string[] {
  const names = path
    .split('/')
    .filter((part, index, all) => part !== '' || (index > 0 && index < all.length - 1));
  if (names.length > MAX_PATH_DEPTH) {
    throw new CairnError('bad-path', `a path can have at most ${MAX_PATH_DEPTH} parts`);
  }
  for (const name of names) {
    try {
      checkName(name);
    } catch (error) {
      throw new CairnError('bad-path', `"${path}" is not a path in a space: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
  return names;
}

/** The inverse of {@link parseServerPath}: always with a leading slash. */
export function formatServerPath(names: readonly string[]): string {
  return `/${names.join('/')}`;
}
