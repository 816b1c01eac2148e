import ignore, { type Ignore } from 'ignore';

/** Name of the file in the root whose gitignore-style rules say what is not synced. It is itself synced. */
export const IGNORE_FILE = '.cairnignore';

/**
 * What nobody wants on another device: lock files and half-written files of common programs. A line such as
 * `!*.crdownload` in `.cairnignore` takes one back.
 */
const BUILT_IN_RULES = [
  '.~lock.*#',
  '.goutputstream-*',
  '*.crdownload',
  '.*.sw[px]',
  '.fuse_hidden*',
  '.nfs????????*',
];

/** Finds every path that one of the built-in rules could be about, and few others. */
const MAYBE_BUILT_IN =
  /(?:^|\/)(?:\.~lock\.|\.goutputstream-|\.[^/]*\.sw|\.fuse_hidden|\.nfs)|\.crdownload(?:\/|$)/;
/** The library keeps its answer for every path it was ever asked about; after so many it begins anew. */
const MAX_REMEMBERED = 20_000;

export interface IgnoreRules {
  /** There are no rules but the built-in ones, which are about the item's own name and those of the folders around it. */
  readonly areBuiltIn: boolean;
  /** Whether the item at this path (relative to the root, `/` between names) is left alone. */
  isIgnored(path: string, isFolder: boolean): boolean;
  /** The rule that decides about the path, for explanations; `null` when none does. */
  findRule(path: string, isFolder: boolean): string | null;
}

/**
 * @param text content of `.cairnignore` (gitignore syntax), `''` when there is none
 */
export function parseIgnoreRules(text: string): IgnoreRules {
  const lines = text.split(/\r?\n/);
  // Case matters here as it does in the space; the library's default would fold it.
  const parse = (): Ignore =>
    ignore({ ignorecase: false, allowRelativePaths: true }).add(BUILT_IN_RULES).add(lines);
  const isBuiltInOnly = lines.every((line) => line.trim() === '' || line.startsWith('#'));
  let rules = parse();
  let asked = 0;
  const spell = (path: string, isFolder: boolean) => (isFolder ? `${path}/` : path);
  return {
    areBuiltIn: isBuiltInOnly,
    isIgnored(path, isFolder) {
      if (path === '' || path === IGNORE_FILE) return false;
      if (isBuiltInOnly && !MAYBE_BUILT_IN.test(path)) return false;
      if (++asked > MAX_REMEMBERED) {
        rules = parse();
        asked = 0;
      }
      return rules.ignores(spell(path, isFolder));
    },
    findRule(path, isFolder) {
      if (path === '' || path === IGNORE_FILE) return null;
      const all = [...BUILT_IN_RULES, ...lines].filter((line) => line.trim() !== '' && !line.startsWith('#'));
      if (!rules.ignores(spell(path, isFolder))) return null;
      for (const line of all.reverse()) {
        if (line.startsWith('!')) continue;
        const one = ignore({ ignorecase: false, allowRelativePaths: true }).add(line);
        const parts = path.split('/');
        for (let length = parts.length; length > 0; length--) {
          const prefix = parts.slice(0, length).join('/');
          if (one.ignores(spell(prefix, length < parts.length || isFolder))) return line;
        }
      }
      return null;
    },
  };
}
