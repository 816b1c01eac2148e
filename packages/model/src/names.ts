import { CairnError } from './errors.ts';

/** Bytes of UTF-8 that a name may have; the limit of every common filesystem. */
export const MAX_NAME_BYTES = 255;
/** Folders below the root that a path may have; keeps recursion and paths bounded. */
export const MAX_PATH_DEPTH = 512;
/** Our private folder in the root of a synced folder; never an entry. */
export const PRIVATE_FOLDER = '.cairn';

const encoder = new TextEncoder();
// biome-ignore lint/suspicious/noControlCharactersInRegex: U+0000 is exactly what is looked for
const FORBIDDEN = /[/\u0000]/;

export type NameProblem = 'empty' | 'dots' | 'separator' | 'too-long' | 'not-unicode' | 'private';

/** Why `name` cannot be the name of an entry, or `null`. Newlines and other oddities are allowed. */
export function findNameProblem(name: string): NameProblem | null {
  if (name.length === 0) return 'empty';
  if (name === '.' || name === '..') return 'dots';
  if (FORBIDDEN.test(name)) return 'separator';
  if (!name.isWellFormed()) return 'not-unicode';
  if (foldName(name) === PRIVATE_FOLDER) return 'private';
  if (name.length * 3 > MAX_NAME_BYTES && encoder.encode(name).length > MAX_NAME_BYTES) return 'too-long';
  return null;
}

const PROBLEM_TEXTS: Record<NameProblem, string> = {
  empty: 'a name cannot be empty',
  dots: '"." and ".." cannot be names',
  separator: 'a name cannot contain "/" or a NUL character',
  'too-long': `a name can have at most ${MAX_NAME_BYTES} bytes in UTF-8`,
  'not-unicode': 'the name is not valid Unicode',
  private: `"${PRIVATE_FOLDER}" is reserved for Cairn's own files`,
};

/** A sentence for a person about a name problem. */
export function describeNameProblem(problem: NameProblem): string {
  return PROBLEM_TEXTS[problem];
}

/** Returns `name` if it can name an entry; throws `bad-name` otherwise. */
export function checkName(name: string): string {
  const problem = findNameProblem(name);
  if (problem !== null) {
    throw new CairnError('bad-name', `${describeNameProblem(problem)}; choose another name`, {
      details: { problem },
    });
  }
  return name;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant
const ASCII = /^[\x00-\x7f]*$/;

/**
 * The form under which sibling names must be unique: NFC, then case folding by upper- and lower-casing without
 * a locale. It also joins what folds through upper case (sharp s and ss, dotless i and i): a few names more
 * count as equal than on any one filesystem, none fewer.
 */
export function foldName(name: string): string {
  // Most names are ASCII, where all of this is lower-casing; a plan asks for tens of thousands of them.
  if (ASCII.test(name)) return name.toLowerCase();
  return name.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
}

/** The form in which names are searched: as {@link foldName}, and without accents (combining marks). */
export function searchName(name: string): string {
  if (ASCII.test(name)) return name.toLowerCase();
  return foldName(name.normalize('NFD').replace(/\p{M}/gu, ''));
}

/** Splits off the extension: `a.tar.gz` → [`a.tar`, `.gz`]; a leading dot is no extension. */
export function splitExtension(name: string): readonly [stem: string, extension: string] {
  const dot = name.lastIndexOf('.');
  if (dot <= 0 || dot === name.length - 1) return [name, ''];
  return [name.slice(0, dot), name.slice(dot)];
}

function withSuffix(name: string, suffix: string): string {
  const [stem, extension] = splitExtension(name);
  const room = MAX_NAME_BYTES - encoder.encode(suffix + extension).length;
  if (room <= 0) return withSuffix(stem, suffix);
  let kept = '';
  let size = 0;
  for (const character of stem) {
    size += encoder.encode(character).length;
    if (size > room) break;
    kept += character;
  }
  return kept + suffix + extension;
}

/** How a conflict copy's stem ends. */
const CONFLICT_COPY_ENDING = / \([^()]{1,80}'s Conflict Copy \d{4}-\d{2}-\d{2}(?: \d+)?\)$/u;

/**
 * Name of a conflict copy: `Document (Laptop's Conflict Copy 2026-11-20).docx`, with a counter from 2 on.
 * The stem is shortened at a character boundary where 255 bytes would not do. A copy of a copy is named like one of
 * the original, so that names do not grow. What no filesystem takes is left out of the device's name.
 * @param date `YYYY-MM-DD`
 * @param counter 1 for the first copy of that day
 */
export function conflictCopyName(name: string, deviceName: string, date: string, counter: number): string {
  const printable = deviceName
    .toWellFormed()
    .replace(/[\\/:*?"<>|\p{Cc}]/gu, ' ')
    .trim();
  const device = Array.from(printable).slice(0, 40).join('') || 'Unknown device';
  const count = counter > 1 ? ` ${counter}` : '';
  const [stem, extension] = splitExtension(name);
  const original = stem.replace(CONFLICT_COPY_ENDING, '') || stem;
  return withSuffix(original + extension, ` (${device}'s Conflict Copy ${date}${count})`);
}

/** Name for the later of two siblings that differ only by case or Unicode form. */
export function caseConflictName(name: string, counter: number): string {
  return withSuffix(name, counter > 1 ? ` (Case Conflict ${counter})` : ' (Case Conflict)');
}

/** Name for what comes back from the trash while a sibling has its old name. */
export function restoredName(name: string, counter: number): string {
  return withSuffix(name, counter > 1 ? ` (restored ${counter})` : ' (restored)');
}

/** Systems whose disks refuse names that others take; `none`: everything that can name an entry is taken. */
export type ReservedNames = 'windows' | 'none';

// biome-ignore lint/suspicious/noControlCharactersInRegex: Windows refuses control characters
const WINDOWS_CHARACTERS = /[<>:"/\\|?*\u0000-\u001f]/;
const WINDOWS_DEVICES = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[1-9\u00b9\u00b2\u00b3])$/i;

/** Why a disk cannot have `name`, as a sentence for a person; `null` when it can. */
export function findReservedName(name: string, reserved: ReservedNames): string | null {
  if (reserved === 'none') return null;
  const character = WINDOWS_CHARACTERS.exec(name)?.[0];
  if (character !== undefined) return `Windows allows no ${JSON.stringify(character)} in a name`;
  if (/[. ]$/.test(name)) return 'Windows allows no dot and no space at the end of a name';
  const stem = name.split('.')[0]?.trimEnd() ?? '';
  return WINDOWS_DEVICES.test(stem) ? `"${stem}" is the name of a device on Windows` : null;
}
