import { expect, test } from 'vitest';
import { parseOptions } from './options.ts';

const MIB = 1024 ** 2;
const optionsOf = (...words: string[]) => parseOptions(words)?.options;

test('without options every series is measured, and a million files are not', () => {
  expect(optionsOf()).toMatchObject({
    only: ['files', 'size', 'devices', 'journal'],
    files: [1000, 10_000, 100_000],
    sizesBytes: [MIB, 1024 * MIB, 10_240 * MIB, 102_400 * MIB],
    devices: [2, 5, 10, 25],
    changes: [1000, 10_000, 100_000],
  });
  expect(parseOptions([])?.outputs).toEqual({ from: [], json: null, writesDocs: false });
});

test('series come in their own order, sizes from the smallest on and once', () => {
  expect(optionsOf('--only', 'journal, files')?.only).toEqual(['files', 'journal']);
  expect(optionsOf('--devices', '10,2,10')?.devices).toEqual([2, 10]);
});

test('the most files add tens or leave sizes out, but add nothing to sizes that were named', () => {
  expect(optionsOf('--max-files', '1000000')?.files).toEqual([1000, 10_000, 100_000, 1_000_000]);
  expect(optionsOf('--max-files', '20000')?.files).toEqual([1000, 10_000]);
  expect(optionsOf('--files', '500,5000', '--max-files', '1000000')?.files).toEqual([500, 5000]);
});

test.each([
  [['--only', 'everything'], /"everything" is none of files/],
  [['--files', '1000,many'], /--files: "many" is no whole number from 1 on/],
  [['--files', '1000,'], /--files: "" is no whole number/],
  [['--devices', '1'], /--devices: "1" is no whole number from 2 on/],
  [['--max-files', '10'], /leaves no number of files/],
  [['--sizes-mib', '0.5'], /--sizes-mib/],
  [['--on', 'moon'], /--on is one of auto, loop, temp/],
  [['--unknown'], /Unknown option/],
])('%j is refused', (words, message) => {
  expect(() => parseOptions(words)).toThrow(message);
});

test('help is no measurement', () => {
  expect(parseOptions(['--help'])).toBeNull();
});
