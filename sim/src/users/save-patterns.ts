import type { Hands } from './hands.ts';

/**
 * Each saves new content in a file the way some program does; to its user it stays the same file. Between two steps
 * others may act. Returns the label of what was written.
 */
type SavePattern = (hands: Hands, path: string) => Generator<void, string>;

export const SAVE_PATTERNS: Readonly<Record<string, SavePattern>> = {
  /** GNOME, VS Code, Helix and many more: a temporary, renamed over. */
  *replace(hands, path) {
    const temporary = `${path}.${hands.draw.below(1000)}.tmp`;
    const label = hands.writeFresh(temporary);
    yield;
    hands.rename(temporary, path);
    return label;
  },
  /** vim: a probe named 4913, the old file aside, the new one written, the old one removed. */
  *vim(hands, path) {
    const probe = `${path.slice(0, path.lastIndexOf('/') + 1)}4913`;
    hands.write(probe, new Uint8Array(0), 'empty', true);
    yield;
    hands.remove(probe);
    hands.rename(path, `${path}~`);
    yield;
    const label = hands.writeFresh(path);
    yield;
    hands.remove(`${path}~`);
    return label;
  },
  /** Emacs and others: the backup stays. */
  *backup(hands, path) {
    if (hands.has(`${path}~`)) hands.remove(`${path}~`);
    hands.rename(path, `${path}~`);
    yield;
    return `${hands.writeFresh(path)}, the old one kept as ${path}~`;
  },
  /** The old one removed, the new one written in its place. */
  *removeAndWrite(hands, path) {
    hands.remove(path);
    yield;
    return hands.writeFresh(path);
  },
  /** macOS: a new file beside it, the two exchanged, the old one removed. */
  *exchange(hands, path) {
    const beside = `${path}.sb-${hands.draw.below(1000)}`;
    const label = hands.writeFresh(beside);
    yield;
    hands.rename(path, `${beside}.old`);
    hands.rename(beside, path);
    yield;
    hands.remove(`${beside}.old`);
    return label;
  },
  /** Truncated and written in two goes. */
  *inPlace(hands, path) {
    hands.write(path, new Uint8Array(0), 'empty', true);
    yield;
    return hands.writeFresh(path);
  },
};

/** A save in one go. */
export function saveAsEditorsDo(hands: Hands, path: string): string {
  const { name, steps } = beginSave(hands, path);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return `save ${path} (${name}) ${step.value}`;
}

/** A save whose steps the caller takes one by one. */
export function beginSave(
  hands: Hands,
  path: string,
): { readonly name: string; readonly steps: Generator<void, string> } {
  const name = hands.draw.pick(Object.keys(SAVE_PATTERNS));
  const pattern = SAVE_PATTERNS[name] as SavePattern;
  return { name, steps: pattern(hands, path) };
}
