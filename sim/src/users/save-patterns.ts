import type { Hands } from './hands.ts';

/** Each saves new content in a file the way some program does; the file stays the same file to its user. */
export const SAVE_PATTERNS: Readonly<Record<string, (hands: Hands, path: string) => string>> = {
  /** GNOME, VS Code, Helix and many more: a temporary, renamed over. */
  replace(hands, path) {
    const temporary = `${path}.${hands.draw.below(1000)}.tmp`;
    const label = hands.writeFresh(temporary);
    hands.rename(temporary, path);
    return label;
  },
  /** vim: a probe named 4913, the old file aside, the new one written, the old one removed. */
  vim(hands, path) {
    const slash = path.lastIndexOf('/') + 1;
    const probe = `${path.slice(0, slash)}4913`;
    hands.user.writeFile(probe, '');
    hands.user.remove(probe);
    hands.rename(path, `${path}~`);
    const label = hands.writeFresh(path);
    hands.remove(`${path}~`);
    return label;
  },
  /** Emacs and others: the backup stays. */
  backup(hands, path) {
    if (hands.has(`${path}~`)) hands.remove(`${path}~`);
    const old = hands.user.find(path)?.bytes;
    hands.rename(path, `${path}~`);
    const label = hands.writeFresh(path);
    return `${label}, ${old?.length ?? 0} bytes kept as ${path}~`;
  },
  /** The old one removed, the new one written in its place. */
  removeAndWrite(hands, path) {
    hands.remove(path);
    return hands.writeFresh(path);
  },
  /** macOS: new file beside, the two exchanged, the old one removed. */
  exchange(hands, path) {
    const beside = `${path}.sb-${hands.draw.below(1000)}`;
    const label = hands.writeFresh(beside);
    hands.rename(path, `${beside}.old`);
    hands.rename(beside, path);
    hands.remove(`${beside}.old`);
    return label;
  },
  /** Truncated and written in two goes. */
  inPlace(hands, path) {
    hands.write(path, new Uint8Array(0), 'empty', true);
    return hands.writeFresh(path);
  },
};

export function saveAsEditorsDo(hands: Hands, path: string): string {
  const name = hands.draw.pick(Object.keys(SAVE_PATTERNS));
  return `save ${path} (${name}) ${SAVE_PATTERNS[name]?.(hands, path)}`;
}
