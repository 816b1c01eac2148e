import { expect, test } from 'vitest';
import { FULL, parseOptions } from './options.ts';

const stepsOf = (...words: string[]) => parseOptions(words)?.options.steps;

test('without options everything is measured in the sizes that the targets are about', () => {
  const parsed = parseOptions([]);
  expect(parsed?.options).toMatchObject(FULL);
  expect(parsed?.options.peers).toEqual(['cairn', 'rsync', 'rclone', 'unison', 'syncthing']);
  expect(parsed?.options.steps).not.toContain('folder');
  expect(parsed?.outputs).toEqual({ from: [], json: null, reportFolder: null, writesDocs: false });
});

test('a step brings those of its group that come before it, and no others', () => {
  expect(stepsOf('--only', 'overwrite,start')).toEqual(['large', 'insert', 'overwrite', 'rest', 'start']);
  expect(stepsOf('--only', 'text')).toEqual(['text']);
});

test('what has no size is left out', () => {
  expect(stepsOf('--large-mib', '0', '--samples', '0', '--rest-files', '0', '--text-mib', '0')).toEqual([
    'small',
    'rename',
    'delete',
  ]);
});

test('sizes given beat those of --quick', () => {
  expect(parseOptions(['--quick', '--large-mib', '8'])?.options).toMatchObject({
    largeBytes: 8 * 1024 ** 2,
    smallFiles: 2000,
  });
});

test.each([
  [['--peers', 'cairn,dropbox'], /"dropbox" is none of cairn/],
  [['--only', 'everything'], /"everything" is none of large/],
  [['--only', 'folder'], /needs --node-modules/],
  [['--runs', '0'], /--runs is a number from 1 on/],
  [['--large-mib', 'big'], /--large-mib is a number/],
  [['--on', 'moon'], /--on is one of auto, loop, temp/],
  [['--unknown'], /Unknown option/],
])('%j is refused', (words, message) => {
  expect(() => parseOptions(words)).toThrow(message);
});

test('help is no measurement', () => {
  expect(parseOptions(['--help'])).toBeNull();
});
