import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemEnvironment } from '@cairn/environment';
import { describeMetadataStore } from '../contract.ts';
import { openSqliteMetadataStore } from './open-store.ts';

describeMetadataStore('SQLite metadata store', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cairn-metadata-'));
  return {
    open: () =>
      openSqliteMetadataStore({ path: join(folder, 'metadata.db'), environment: createSystemEnvironment() }),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
});
