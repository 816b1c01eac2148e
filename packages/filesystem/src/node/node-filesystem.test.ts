import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemEnvironment, silentLog } from '@cairn/environment';
import { describe, expect, it } from 'vitest';
import { describeFilesystem } from '../contract.ts';
import type { Filesystem } from '../filesystem.ts';
import { openDescriptorFolderAccess } from './descriptor-folder-access.ts';
import { openNodeFilesystem, openWithAccess } from './node-filesystem.ts';
import { createNodeUser } from './node-user.ts';
import { openPathFolderAccess } from './path-folder-access.ts';

const environment = createSystemEnvironment(silentLog);

function describeNode(name: string, open: (root: string) => Promise<Filesystem>): void {
  describeFilesystem(name, async () => {
    const root = mkdtempSync(join(tmpdir(), 'cairn-filesystem-'));
    return {
      filesystem: await open(root),
      user: createNodeUser(root),
      storesNegativeTimes: true,
      dispose: async () => rmSync(root, { recursive: true, force: true }),
    };
  });
}

describeNode('node filesystem', (root) => openNodeFilesystem({ root, environment }));
describeNode('node filesystem without descriptors of folders', (root) =>
  openWithAccess({ root, environment }, openPathFolderAccess, {}),
);
if (process.platform === 'linux') {
  describeNode('node filesystem on a disk without hard links', (root) =>
    openWithAccess({ root, environment }, openDescriptorFolderAccess, { hardLinks: false }),
  );
}

describe('a long listing', () => {
  it('is refused when another folder came to its path meanwhile', async () => {
    const root = mkdtempSync(join(tmpdir(), 'cairn-filesystem-'));
    const filesystem = await openNodeFilesystem({ root, environment });
    try {
      mkdirSync(join(root, 'a'));
      for (let index = 0; index < 2500; index++) writeFileSync(join(root, 'a', String(index)), '');
      expect(await filesystem.list('a')).toHaveLength(2500);
      const listing = filesystem.list('a');
      renameSync(join(root, 'a'), join(root, 'b'));
      mkdirSync(join(root, 'a'));
      await expect(listing).rejects.toMatchObject({ code: 'local-io' });
    } finally {
      await filesystem.close();
      rmSync(root, { recursive: true, force: true });
    }
  });
});
