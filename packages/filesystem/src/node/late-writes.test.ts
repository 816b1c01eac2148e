import {
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { createSystemEnvironment } from '@cairn/environment';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Filesystem, RescuedItem } from '../filesystem.ts';
import { openNodeFilesystem } from './node-filesystem.ts';

describe('writes to a file that was displaced', () => {
  let root: string;
  let filesystem: Filesystem;
  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'cairn-late-'));
    filesystem = await openNodeFilesystem({ root, environment: createSystemEnvironment() });
  });
  afterEach(async () => {
    await filesystem.close();
    rmSync(root, { recursive: true, force: true });
  });

  async function displace(path: string): Promise<void> {
    const status = await filesystem.status(path);
    await filesystem.displace(path, { fingerprint: status?.fingerprint ?? '' });
  }

  async function rescued(name: string): Promise<RescuedItem | undefined> {
    return (await filesystem.listRescued()).find(({ originalName }) => originalName === name);
  }

  test('I3 are seen, and their bytes are never cleared away', async () => {
    for (const name of ['open', 'closed', 'linked']) writeFileSync(join(root, name), 'before');
    mkdirSync(join(root, '.cairn', 'elsewhere'), { recursive: true });
    linkSync(join(root, 'linked'), join(root, '.cairn', 'elsewhere', 'linked'));
    const descriptor = openSync(join(root, 'open'), 'r+');
    const linked = openSync(join(root, 'linked'), 'r+');
    try {
      for (const name of ['open', 'closed', 'linked']) await displace(name);
      expect((await filesystem.listRescued()).map(({ writtenLate }) => writtenLate)).toEqual([
        false,
        false,
        false,
      ]);
      await expect
        .poll(async () => {
          writeSync(descriptor, 'after!', 0);
          writeSync(linked, 'after!', 0);
          return (await rescued('open'))?.writtenLate;
        })
        .toBe(true);
      expect((await rescued('closed'))?.writtenLate).toBe(false);
      // Its owner sees what is written under the other name.
      expect((await rescued('linked'))?.writtenLate).toBe(false);
      unlinkSync(join(root, '.cairn', 'elsewhere', 'linked'));
      await setTimeout(2);
      await filesystem.removeOldRescued(1, 0);
      expect((await filesystem.listRescued()).map(({ originalName }) => originalName)).toContain('open');
      expect(await rescued('closed')).toBeUndefined();
    } finally {
      closeSync(descriptor);
      closeSync(linked);
    }
  });

  test('I3 a time that was set, or came with a download, is none', async () => {
    writeFileSync(join(root, 'file'), 'x');
    await filesystem.setAttributes(
      'file',
      { modifiedAtUs: (Date.now() + 3_600_000) * 1000 },
      { fingerprint: (await filesystem.status('file'))?.fingerprint ?? '' },
    );
    await displace('file');
    expect((await rescued('file'))?.writtenLate).toBe(false);
  });
});
