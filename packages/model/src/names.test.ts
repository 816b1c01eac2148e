import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { conflictCopyName, findNameProblem, findReservedName, foldName, MAX_NAME_BYTES } from './names.ts';

const bytes = (name: string): number => new TextEncoder().encode(name).length;
const copy = (name: string, device = 'B', counter = 1) =>
  conflictCopyName(name, device, '2026-11-21', counter);

describe('names of conflict copies', () => {
  test.each([
    ['f.txt', "f (B's Conflict Copy 2026-11-21).txt"],
    ['.bashrc', ".bashrc (B's Conflict Copy 2026-11-21)"],
    ['a.tar.gz', "a.tar (B's Conflict Copy 2026-11-21).gz"],
    ['ends.', "ends. (B's Conflict Copy 2026-11-21)"],
  ])('%j becomes %j', (name, expected) => expect(copy(name)).toBe(expected));

  test('T076 later ones of a day are counted [S-30]', () => {
    expect(copy('f.txt', 'B', 3)).toBe("f (B's Conflict Copy 2026-11-21 3).txt");
  });

  test('I22 a copy of a copy is named like one of the original', () => {
    expect(copy("f (Ann's Mac's Conflict Copy 2026-11-20 2).txt")).toBe(copy('f.txt'));
    expect(copy("report (draft) (A's Conflict Copy 2026-11-20).txt")).toBe(copy('report (draft).txt'));
    expect(copy('f (draft).txt')).toBe("f (draft) (B's Conflict Copy 2026-11-21).txt");
  });

  test('T067 the stem is cut between characters, the extension stays, and 255 bytes are not passed [S-31]', () => {
    const long = copy(`${'🌍'.repeat(62)}.docx`);
    expect(long).toMatch(/^(🌍)+ \(B's Conflict Copy 2026-11-21\)\.docx$/u);
    expect(bytes(long)).toBeGreaterThan(MAX_NAME_BYTES - 4);
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 250 }),
        fc.string(),
        (name, device) => {
          fc.pre(findNameProblem(name) === null);
          const made = copy(name, device, 17);
          expect(findNameProblem(made)).toBeNull();
          expect(foldName(made)).not.toBe(foldName(name));
        },
      ),
    );
  });

  test('a device may be called anything', () => {
    expect(findReservedName(copy('f', 'a/b:c*?"<>|\n\ud800'), 'windows')).toBeNull();
    expect(copy('f', ' / ')).toContain("(Unknown device's Conflict Copy");
  });
});

describe('names that Windows cannot have', () => {
  test.each([
    'a:b',
    'what?',
    'a\\b',
    'x.',
    'x ',
    'con',
    'COM1.txt',
    'nul.tar.gz',
    'LPT³',
    'tab\t',
    'aux .txt',
  ])('T064 %j', (name) => {
    expect(findReservedName(name, 'windows')).not.toBeNull();
    expect(findReservedName(name, 'none')).toBeNull();
  });
  test.each(['a', '.x', ' x', 'console', 'com10', 'com', 'x.con', 'ü'])('but %j it can', (name) => {
    expect(findReservedName(name, 'windows')).toBeNull();
  });
});
