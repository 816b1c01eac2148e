import type { UserItem } from '@cairn/filesystem';
import type { Hands } from './hands.ts';
import { saveAsEditorsDo } from './save-patterns.ts';

const DAY_NS = 86_400_000_000_000n;
const NAMES = ['a', 'b', 'c', 'd', 'A', 'x.txt', 'y.txt', 'z.txt', 'X.TXT', 'n\u00e9e', 'ne\u0301e'];
const MAX_DEPTH = 5;
const MAX_ITEMS = 40;

/** What a user finds. */
interface Sight {
  readonly hands: Hands;
  readonly all: readonly UserItem[];
  readonly files: readonly UserItem[];
  readonly folders: readonly UserItem[];
  /** A path at which something may be made; often one that is taken. */
  place(): string;
}

/** Does something, and says what; `null` when there was nothing to do it with. */
type Action = (sight: Sight) => string | null;

function someFile({ hands, files }: Sight): string | null {
  return files.length === 0 ? null : hands.draw.pick(files).path;
}

function something({ hands, all }: Sight): string | null {
  return all.length === 0 ? null : hands.draw.pick(all).path;
}

function liesIn(path: string, folder: string): boolean {
  return `${path}/`.startsWith(`${folder}/`);
}

const write: Action = ({ hands, place }) => {
  const path = place();
  const there = hands.has(path) ? hands.user.find(path) : null;
  if (there !== null && there.kind !== 'file') return null;
  return `write ${path} ${hands.writeFresh(path)}`;
};

const edit: Action = (sight) => {
  const path = someFile(sight);
  return path === null ? null : `edit ${path} ${sight.hands.writeFresh(path)}`;
};

const append: Action = (sight) => {
  const path = someFile(sight);
  const old = path === null ? null : (sight.hands.user.find(path)?.bytes ?? null);
  if (path === null || old === null || old.length > 300_000) return null;
  const { label } = sight.hands.freshContent();
  const more = new TextEncoder().encode(`+${label}`);
  const bytes = new Uint8Array(old.length + more.length);
  bytes.set(old);
  bytes.set(more, old.length);
  sight.hands.write(path, bytes, `…+${label}`, false);
  return `append to ${path} ${label}`;
};

const truncate: Action = (sight) => {
  const path = someFile(sight);
  const old = path === null ? null : (sight.hands.user.find(path)?.bytes ?? null);
  if (path === null || old === null) return null;
  const bytes = old.slice(0, sight.hands.draw.below(old.length + 1));
  sight.hands.write(path, bytes, `truncated to ${bytes.length}`, true);
  return `truncate ${path} to ${bytes.length}`;
};

/** The same size and the same time as before: only the time of change tells. */
const editSecretly: Action = (sight) => {
  const path = someFile(sight);
  const item = path === null ? null : sight.hands.user.find(path);
  if (path === null || item === null) return null;
  const label = sight.hands.writeFresh(path);
  sight.hands.user.setModifiedAt(path, Number(item.modifiedAtNs / 1000n));
  // Within one step of the disk's clock not even that tells: then it is a change that can be seen.
  if (sight.hands.user.find(path)?.changedAtNs === item.changedAtNs) {
    // Far from what it was by more than the step of any disk.
    sight.hands.user.setModifiedAt(path, item.modifiedAtNs < DAY_NS ? Number((2n * DAY_NS) / 1000n) : 1);
  }
  return `edit ${path} ${label} and set its time back`;
};

/** What others may write, too. */
const writeCommon: Action = ({ hands, place }) => {
  const path = place();
  const there = hands.has(path) ? hands.user.find(path) : null;
  if (there !== null && there.kind !== 'file') return null;
  const label = `common ${hands.draw.below(3)}`;
  hands.write(path, new TextEncoder().encode(label), label, true);
  return `write ${path} "${label}"`;
};

const makeFolder: Action = ({ hands, place }) => {
  const path = place();
  if (hands.has(path) || path.split('/').length > MAX_DEPTH) return null;
  hands.user.makeFolder(path);
  return `make folder ${path}`;
};

const rename: Action = (sight) => {
  const { hands } = sight;
  const from = something(sight);
  const to = sight.place();
  if (from === null || liesIn(to, from) || (hands.has(to) && hands.draw.chance(60))) return null;
  hands.rename(from, to);
  return `rename ${from} → ${to}`;
};

/** Two users who do this the other way round make a circle. */
const moveInto: Action = ({ hands, folders }) => {
  if (folders.length < 2) return null;
  const from = hands.draw.pick(folders).path;
  const into = hands.draw.pick(folders).path;
  const to = `${into}/${from.slice(from.lastIndexOf('/') + 1)}`;
  if (liesIn(into, from) || hands.has(to) || to.split('/').length > MAX_DEPTH + 2) return null;
  hands.rename(from, to);
  return `move ${from} into ${into}`;
};

const renameCase: Action = (sight) => {
  const from = something(sight);
  if (from === null) return null;
  const slash = from.lastIndexOf('/') + 1;
  const name = from.slice(slash);
  const other = name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase();
  const to = from.slice(0, slash) + other;
  const there = sight.hands.has(to) ? sight.hands.user.find(to) : null;
  if (other === name || (there !== null && there.inode !== sight.hands.user.find(from)?.inode)) return null;
  sight.hands.rename(from, to);
  return `rename ${from} → ${to} (case only)`;
};

const remove: Action = (sight) => {
  const path = something(sight);
  if (path === null) return null;
  sight.hands.remove(path);
  return `remove ${path}`;
};

const swap: Action = (sight) => {
  const one = something(sight);
  const other = something(sight);
  if (one === null || other === null || liesIn(one, other) || liesIn(other, one)) return null;
  sight.hands.rename(one, 'swapping');
  sight.hands.rename(other, one);
  sight.hands.rename('swapping', other);
  return `swap ${one} and ${other}`;
};

const rotate: Action = (sight) => {
  const three = [something(sight), something(sight), something(sight)] as const;
  const [a, b, c] = three;
  if (a === null || b === null || c === null) return null;
  if (three.some((x, i) => three.some((y, j) => i !== j && liesIn(x as string, y as string)))) return null;
  sight.hands.rename(a, 'swapping');
  sight.hands.rename(c, a);
  sight.hands.rename(b, c);
  sight.hands.rename('swapping', b);
  return `rotate ${a} → ${b} → ${c}`;
};

const save: Action = (sight) => {
  const path = someFile(sight);
  return path === null ? null : saveAsEditorsDo(sight.hands, path);
};

const attributes: Action = (sight) => {
  const path = someFile(sight);
  if (path === null) return null;
  const { user, draw } = sight.hands;
  if (draw.chance(50)) user.setExecutable(path, draw.chance(50));
  else
    user.setModifiedAt(path, draw.pick([1_600_000_000_000_000, 0, 1_900_000_000_000_000]) + draw.below(1000));
  return `attributes of ${path}`;
};

const makeLink: Action = ({ hands, place }) => {
  const path = place();
  if (hands.has(path)) return null;
  hands.user.makeLink(path, `target-${hands.draw.below(4)}`);
  return `link ${path}`;
};

const changeKind: Action = (sight) => {
  const { hands } = sight;
  const path = something(sight);
  const item = path === null ? null : hands.user.find(path);
  if (path === null || item === null) return null;
  hands.remove(path);
  const kinds = (['file', 'folder', 'link'] as const).filter((kind) => kind !== item.kind);
  const kind = hands.draw.pick(kinds);
  if (kind === 'folder') hands.user.makeFolder(path);
  else if (kind === 'link') hands.user.makeLink(path, 'elsewhere');
  else return `a file instead at ${path} ${hands.writeFresh(path)}`;
  return `a ${kind} instead at ${path}`;
};

const renameAndRemake: Action = ({ hands, folders }) => {
  if (folders.length === 0) return null;
  const { path } = hands.draw.pick(folders);
  const to = `${path}-old`;
  if (hands.has(to) || path.length > 40) return null;
  hands.rename(path, to);
  hands.user.makeFolder(path);
  return `rename ${path} → ${to} and make it anew`;
};

const copy: Action = (sight) => {
  const from = something(sight);
  const to = sight.place();
  if (from === null || sight.hands.has(to) || liesIn(to, from) || sight.all.length > MAX_ITEMS / 2)
    return null;
  if (to.split('/').length > MAX_DEPTH - 1) return null;
  sight.hands.copy(from, to);
  return `copy ${from} to ${to}`;
};

const hardLink: Action = (sight) => {
  const from = someFile(sight);
  const to = sight.place();
  if (from === null || sight.hands.has(to)) return null;
  sight.hands.user.makeHardLink(from, to);
  return `hard link ${from} as ${to}`;
};

/** Out of the folder and back, at the same place or another. */
const outAndBack: Action = (sight) => {
  const path = something(sight);
  const to = sight.hands.draw.chance(60) ? path : sight.place();
  if (path === null || to === null || liesIn(to, `${path}/x`) || (to !== path && sight.hands.has(to)))
    return null;
  if (to !== path && liesIn(to, path)) return null;
  const taken = sight.hands.takeOut(path);
  sight.hands.putBack(to, taken);
  return `take ${path} out and back as ${to}`;
};

const NOTHING_IGNORED = '# nothing\n';

const ignore: Action = ({ hands }) => {
  const rules = hands.draw.pick([NOTHING_IGNORED, '*.tmp\n', 'z.txt\n', '/d/\n']);
  hands.write('.cairnignore', new TextEncoder().encode(rules), `rules ${JSON.stringify(rules)}`, true);
  return `ignore ${JSON.stringify(rules)}`;
};

const ACTIONS: readonly (readonly [Action, number])[] = [
  [write, 24],
  [edit, 13],
  [append, 4],
  [truncate, 2],
  [editSecretly, 3],
  [writeCommon, 3],
  [makeFolder, 9],
  [rename, 16],
  [moveInto, 5],
  [renameCase, 2],
  [remove, 8],
  [swap, 4],
  [rotate, 2],
  [save, 6],
  [attributes, 3],
  [makeLink, 3],
  [changeKind, 3],
  [renameAndRemake, 2],
  [copy, 3],
  [hardLink, 1],
  [outAndBack, 3],
];
const TOTAL = ACTIONS.reduce((sum, [, weight]) => sum + weight, 0);

export interface ActOptions {
  /** Rules of what is left alone change, too. */
  readonly ignores: boolean;
}

/** One thing that a user does. Returns words for it, `null` when it came to nothing. */
export function act(hands: Hands, options: ActOptions): string | null {
  const { draw } = hands;
  const all = hands.items();
  const sight: Sight = {
    hands,
    all,
    files: all.filter(({ kind, path }) => kind === 'file' && path !== '.cairnignore'),
    folders: all.filter(({ kind }) => kind === 'folder'),
    place() {
      const folder = draw.chance(45) || sight.folders.length === 0 ? '' : `${draw.pick(sight.folders).path}/`;
      return folder + draw.pick(NAMES);
    },
  };
  let roll = draw.below(TOTAL);
  const chosen = ACTIONS.find(([, weight]) => {
    roll -= weight;
    return roll < 0;
  });
  const action = options.ignores && draw.chance(4) ? ignore : (chosen?.[0] ?? write);
  if (all.length > MAX_ITEMS && action !== edit && action !== rename) return attempt(() => remove(sight));
  return attempt(() => action(sight));
}

/** What users cannot do (replace a full folder, write to a full disk) they do not do. */
export function attempt(run: () => string | null): string | null {
  try {
    return run();
  } catch (error) {
    if (error instanceof Error && (error.message.startsWith('the user') || error.message.includes('ENOSPC')))
      return null;
    if (error instanceof Error && error.message.startsWith('a folder cannot')) return null;
    throw error;
  }
}
