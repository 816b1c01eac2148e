import type { Hands } from './hands.ts';

/** Two users do this at the same moment, without knowing of each other. Returns words, `null` when it cannot be. */
type Collision = (one: Hands, other: Hands) => string | null;

/** Paths of a kind that both have. */
function common(one: Hands, other: Hands, kind: 'file' | 'folder'): string[] {
  const theirs = new Set(other.items().flatMap((item) => (item.kind === kind ? [item.path] : [])));
  return one.items().flatMap(({ kind: own, path }) => (own === kind && theirs.has(path) ? [path] : []));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function onFile(act: (one: Hands, other: Hands, path: string) => string): Collision {
  return (one, other) => {
    const files = common(one, other, 'file').filter((path) => path !== '.cairnignore');
    return files.length === 0 ? null : act(one, other, one.draw.pick(files));
  };
}

function onFolder(act: (one: Hands, other: Hands, path: string) => string | null): Collision {
  return (one, other) => {
    const folders = common(one, other, 'folder');
    return folders.length === 0 ? null : act(one, other, one.draw.pick(folders));
  };
}

/** T042: each into the other; only one of the moves can be. */
const crossMoves: Collision = (one, other) => {
  const folders = common(one, other, 'folder');
  if (folders.length < 2) {
    // For the next time.
    for (const name of ['p', 'q']) if (!one.has(name)) one.user.makeFolder(name);
    return 'make p and q';
  }
  const a = one.draw.pick(folders);
  const b = one.draw.pick(folders);
  if (`${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`)) return null;
  one.rename(a, `${b}/${nameOf(a)}`);
  other.rename(b, `${a}/${nameOf(b)}`);
  return `move ${a} into ${b}, and the other way round`;
};

const COLLISIONS: readonly Collision[] = [
  crossMoves,
  crossMoves,
  onFile((one, other, path) => `edit ${path} ${one.writeFresh(path)}, ${other.writeFresh(path)}`),
  onFile((one, other, path) => {
    other.remove(path);
    return `edit ${path} ${one.writeFresh(path)} and remove it`;
  }),
  onFile((one, other, path) => {
    one.rename(path, 'moved-here');
    other.rename(path, 'moved-there');
    return `move ${path} here and there`;
  }),
  onFile((one, other, path) => {
    one.rename(path, 'moved-here');
    return `move ${path} and edit it ${other.writeFresh(path)}`;
  }),
  onFile((one, other, path) => {
    one.remove(path);
    one.user.makeFolder(path);
    const label = one.writeFresh(`${path}/inside`);
    return `a folder instead of ${path} with ${label}, and edit it ${other.writeFresh(path)}`;
  }),
  onFolder((one, other, path) => {
    one.remove(path);
    return `remove ${path} and write in it ${other.writeFresh(`${path}/new`)}`;
  }),
  onFolder((one, other, path) => {
    one.rename(path, 'folder-here');
    return `rename ${path} and write in it ${other.writeFresh(`${path}/new`)}`;
  }),
  (one, other) => `both write new ${one.writeFresh('new')}, ${other.writeFresh('new')}`,
  (one, other) => {
    if (one.has('both') || other.has('both')) return null;
    one.user.makeFolder('both');
    return `a folder and a file named both ${other.writeFresh('both')}`;
  },
];

export function collide(one: Hands, other: Hands): string | null {
  return one.draw.pick(COLLISIONS)(one, other);
}
