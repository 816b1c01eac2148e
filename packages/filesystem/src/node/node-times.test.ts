import {
  closeSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemEnvironment } from '@cairn/environment';
import { afterEach, beforeEach, describe, expect, it, type TestContext } from 'vitest';
import type { FileStatus, Filesystem } from '../filesystem.ts';
import { openNodeFilesystem } from './node-filesystem.ts';

const environment = createSystemEnvironment();

const floorUs = (ns: bigint) => (ns - (((ns % 1000n) + 1000n) % 1000n)) / 1000n;

describe('times and identities on a real disk', () => {
  let root: string;
  let filesystem: Filesystem;
  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'cairn-times-'));
    filesystem = await openNodeFilesystem({ root, environment });
  });
  afterEach(async () => {
    await filesystem.close();
    rmSync(root, { recursive: true, force: true });
  });

  async function statusAt(path: string): Promise<FileStatus> {
    const status = await filesystem.status(path);
    if (status === null) throw new Error(`${path} is absent`);
    return status;
  }

  async function readWhole(path: string): Promise<string> {
    const handle = await filesystem.openRead(path);
    try {
      const into = new Uint8Array(1000);
      return new TextDecoder().decode(into.subarray(0, await handle.read(into, 0)));
    } finally {
      await handle.close();
    }
  }

  const ODD = {
    'long before 1970': '-2147483648',
    'a moment before 1970': '-0.5',
    '1970': '0',
    'after 2038': '2147483648.123456',
    'after 2106': '4294967297.5',
    'the last second of ext4': '15032385535',
    'after 2446': '15032385536',
    'far future': '99999999999',
    'beyond what a double holds exactly': '9007199254740993',
  };
  it.each(Object.entries(ODD))(
    'T092 a time %s is seen, placed, and stays as it is [S-17]',
    async (_, seconds) => {
      writeFileSync(join(root, 'user'), 'content');
      utimesSync(join(root, 'user'), seconds, seconds);
      const seen = await statusAt('user');
      expect(seen.modifiedAtNs).toBe(statSync(join(root, 'user'), { bigint: true }).mtimeNs);
      expect(await statusAt('user')).toEqual(seen);
      expect(await readWhole('user')).toBe('content');

      const wantedUs = Number(floorUs(seen.modifiedAtNs));
      const modifiedAtUs = Math.min(wantedUs, Number.MAX_SAFE_INTEGER);
      const temporary = await filesystem.openTemporary('t');
      await temporary.write(Buffer.from('placed'), 0);
      await temporary.sync({ modifiedAtUs });
      const placed = await filesystem.place(temporary, 'placed', { absent: true }, { modifiedAtUs });
      await temporary.discard();
      // What placing answers is what the next look sees: whatever the disk made of the time is no change.
      expect(await statusAt('placed')).toEqual(placed);
      const [listed] = (await filesystem.list('')).filter(({ name }) => name === 'placed');
      expect(listed?.status).toEqual(placed);
      expect(floorUs(placed.modifiedAtNs)).toBe(BigInt(modifiedAtUs));
      const set = await filesystem.setAttributes('placed', { modifiedAtUs: 1 }, placed);
      expect(floorUs(set.modifiedAtNs)).toBe(1n);
    },
  );

  it('T092 T094 a change of nothing but nanoseconds of the time, either way, shows [S-65]', async () => {
    writeFileSync(join(root, 'f'), 'x');
    const seen: FileStatus[] = [];
    for (const seconds of ['1700000000.0000012', '1700000000.0000014', '1700000000.0000012', '1000000000']) {
      utimesSync(join(root, 'f'), seconds, seconds);
      seen.push(await statusAt('f'));
    }
    expect(new Set(seen.map(({ fingerprint }) => fingerprint)).size).toBe(seen.length);
    expect(new Set(seen.map(({ identity }) => identity)).size).toBe(1);
  });

  it('T094 new content of the same size under an older or the same time shows [S-65]', async () => {
    const path = join(root, 'f');
    writeFileSync(path, 'one');
    utimesSync(path, 1_500_000_000, 1_500_000_000);
    const before = await statusAt('f');
    writeFileSync(path, 'two');
    utimesSync(path, 1_500_000_000, 1_500_000_000);
    const same = await statusAt('f');
    expect(same.modifiedAtNs).toBe(before.modifiedAtNs);
    expect(same.fingerprint).not.toBe(before.fingerprint);
    writeFileSync(path, 'six');
    utimesSync(path, 1_000_000_000, 1_000_000_000);
    expect((await statusAt('f')).fingerprint).not.toBe(same.fingerprint);
    await expect(filesystem.displace('f', before)).rejects.toMatchObject({ code: 'local-changed' });
  });

  it('T096 a new file that gets the inode of a deleted one is another object [S-2]', async (context) => {
    if (!filesystem.capabilities.birthTimes) return skip(context, 'this disk keeps no birth times');
    for (let attempt = 0; attempt < 200; attempt++) {
      writeFileSync(join(root, `f${attempt}`), 'one');
      const before = await statusAt(`f${attempt}`);
      unlinkSync(join(root, `f${attempt}`));
      writeFileSync(join(root, `g${attempt}`), 'two');
      const after = await statusAt(`g${attempt}`);
      if (inodeOf(before) !== inodeOf(after)) continue;
      expect(after.identity).not.toBe(before.identity);
      expect(after.fingerprint).not.toBe(before.fingerprint);
      const wrong = filesystem.move(`g${attempt}`, 'moved', before.identity);
      await expect(wrong).rejects.toMatchObject({ code: 'local-changed' });
      await expect(filesystem.displace(`g${attempt}`, before)).rejects.toMatchObject({
        code: 'local-changed',
      });
      expect(await readWhole(`g${attempt}`)).toBe('two');
      return;
    }
    skip(context, 'this disk gave no inode a second time');
  });

  it('T104 a file that is replaced by a rename while it is open is still read whole, and told from the new one [S-6]', async () => {
    const path = join(root, 'doc');
    writeFileSync(path, 'old content');
    utimesSync(path, 1_500_000_000, 1_500_000_000);
    const known = await statusAt('doc');
    const handle = await filesystem.openRead('doc');
    const into = new Uint8Array(100);
    const start = await handle.read(into.subarray(0, 4), 0);
    // As like the old one as can be: same name, same size, same time.
    writeFileSync(join(root, 'new'), 'new content');
    utimesSync(join(root, 'new'), 1_500_000_000, 1_500_000_000);
    renameSync(join(root, 'new'), path);
    const rest = await handle.read(into.subarray(4), 4);
    expect(new TextDecoder().decode(into.subarray(0, start + rest))).toBe('old content');
    expect((await handle.status()).identity).toBe(known.identity);
    await handle.close();
    const now = await statusAt('doc');
    expect(now.identity).not.toBe(known.identity);
    expect(now.fingerprint).not.toBe(known.fingerprint);
    expect(await readWhole('doc')).toBe('new content');
    expect(readdirSync(root).filter((name) => name !== '.cairn')).toEqual(['doc']);
  });

  it('says whether the disk keeps birth times', () => {
    const descriptor = openSync(join(root, 'f'), 'wx');
    const { birthtimeNs } = fstatSync(descriptor, { bigint: true });
    closeSync(descriptor);
    expect(filesystem.capabilities.birthTimes).toBe(birthtimeNs !== 0n);
  });

  const inodeOf = ({ identity }: FileStatus) => identity.split(':')[1];

  function skip(context: TestContext, why: string): void {
    console.warn(why);
    context.skip(why);
  }
});
