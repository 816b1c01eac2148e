import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemEnvironment, silentLog } from '@cairn/environment';
import { describeFilesystem } from '../contract.ts';
import { openNodeFilesystem } from './node-filesystem.ts';
import { createNodeUser } from './node-user.ts';

const environment = createSystemEnvironment(silentLog);

describeFilesystem('node filesystem', async () => {
  const root = mkdtempSync(join(tmpdir(), 'cairn-filesystem-'));
  return {
    filesystem: await openNodeFilesystem({ root, environment }),
    user: createNodeUser(root),
    storesNegativeTimes: true,
    dispose: async () => rmSync(root, { recursive: true, force: true }),
  };
});
