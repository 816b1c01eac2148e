import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@cairn/environment';
import type { EntryId, SpaceId } from '@cairn/model';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type SyncLink, treesPath } from './links.ts';
import { openSyncFolder } from './sync-folder.ts';

let home: string;
let link: SyncLink;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'cairn-sync-folder-'));
  link = {
    linkId: 'one',
    folder: join(home, 'folder'),
    serverUrl: 'http://127.0.0.1:1',
    spaceId: 'space' as SpaceId,
    rootId: 'root' as EntryId,
    addedAt: 0,
  };
  mkdirSync(join(link.folder, 'inner'), { recursive: true });
  writeFileSync(join(link.folder, 'inner', 'file'), '1');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

test('a folder of which much is known is listed while the rest is made ready', async () => {
  writeFileSync(treesPath(home, link), '');
  truncateSync(treesPath(home, link), 5 * 1024 * 1024);
  const opened = await openSyncFolder(home, link, silentLog, 2);
  const listing = opened.filesystem.takeAhead?.();
  expect((await listing?.take('inner'))?.items()).toMatchObject([
    { name: 'file', kind: 'file', sizeBytes: 1 },
  ]);
  await opened.close();
});

test('one of which little is known is not, and none where there is one processor', async () => {
  for (const [knownBytes, processors] of [
    [0, 2],
    [5 * 1024 * 1024, 1],
  ] as const) {
    writeFileSync(treesPath(home, link), '');
    truncateSync(treesPath(home, link), knownBytes);
    const opened = await openSyncFolder(home, link, silentLog, processors);
    expect(opened.filesystem.takeAhead?.() ?? null).toBeNull();
    await opened.close();
  }
});

test('nobody else has the folder until it is closed, whatever was wrong with it', async () => {
  const opened = await openSyncFolder(home, link, silentLog);
  await expect(openSyncFolder(home, link, silentLog)).rejects.toMatchObject({ code: 'already-running' });
  await opened.close();
  rmSync(join(link.folder, '.cairn'), { recursive: true });
  mkdirSync(join(link.folder, '.cairn', 'lock', 'odd'), { recursive: true });
  await expect(openSyncFolder(home, link, silentLog)).rejects.toThrow();
  rmSync(link.folder, { recursive: true });
  await expect(openSyncFolder(home, link, silentLog)).rejects.toMatchObject({ code: 'root-missing' });
});
