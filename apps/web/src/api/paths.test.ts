import { expect, test } from 'vitest';
import { folderOfAddress } from './paths.ts';

test.each([
  ['/', '/'],
  ['/files', '/'],
  ['/files/', '/'],
  ['/files/a%20b/c', '/a b/c'],
  ['/files/a/b/', '/a/b'],
  ['/files/50%25', '/50%'],
  ['/files/n%C3%A9e', '/née'],
  ['/files/%', null],
  ['/filesystem', null],
  ['/trash', null],
  ['/rewind/files/x', null],
])('the address %s shows the folder %s', (address, folder) => {
  expect(folderOfAddress(address)).toBe(folder);
});
