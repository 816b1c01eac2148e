import { findReservedName, foldName, splitExtension } from '@cairn/model';

// biome-ignore lint/suspicious/noControlCharactersInRegex: no system takes them in names from an archive
const UNSAFE = /[\\<>:"|?*\u0000-\u001f\u007f]/g;

/** A name that every system can unpack. */
function safeName(name: string): string {
  const plain = name
    .toWellFormed()
    .replace(UNSAFE, '_')
    .replace(/[. ]+$/, (end) => '_'.repeat(end.length));
  return findReservedName(plain, 'windows') === null ? plain : `_${plain}`;
}

/** Gives the names of one folder of an archive: safe ones, each once, whatever the case of their letters. */
export function createSafeNames(): (name: string) => string {
  const taken = new Set<string>();
  return (name) => {
    const safe = safeName(name);
    const [stem, extension] = splitExtension(safe);
    let candidate = safe;
    for (let counter = 2; taken.has(foldName(candidate)); counter++)
      candidate = `${stem} (${counter})${extension}`;
    taken.add(foldName(candidate));
    return candidate;
  };
}
