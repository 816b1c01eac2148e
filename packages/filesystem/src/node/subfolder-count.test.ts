import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { countsSubfolders, LINKS_OF_LEAF } from './subfolder-count.ts';

describe('links of a folder', () => {
  it.runIf(process.platform === 'linux')('are believed of filesystems only that are known to count', () => {
    expect(countsSubfolders('/', () => 0xef53)).toBe(true);
    expect(countsSubfolders('/', () => 0x58465342)).toBe(true);
    // Btrfs, overlayfs, FUSE, NTFS, FAT, NFS.
    for (const type of [0x9123683e, 0x794c7630, 0x65735546, 0x5346544e, 0x4d44, 0x6969])
      expect(countsSubfolders('/', () => type)).toBe(false);
    expect(countsSubfolders('/not/there')).toBe(false);
  });

  it('say exactly whether a folder is in it, where they are believed', ({ skip }) => {
    const root = mkdtempSync(join(tmpdir(), 'cairn-links-'));
    try {
      if (!countsSubfolders(root)) skip('links are not believed on this disk');
      const check = (): void => {
        const hasFolder = readdirSync(root, { withFileTypes: true }).some((item) => item.isDirectory());
        expect(lstatSync(root).nlink > LINKS_OF_LEAF).toBe(hasFolder);
      };
      check();
      writeFileSync(join(root, 'file'), '');
      check();
      for (const name of ['a', 'b', 'c']) {
        mkdirSync(join(root, name));
        check();
      }
      for (const name of ['b', 'a', 'c']) {
        rmdirSync(join(root, name));
        check();
      }
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});
