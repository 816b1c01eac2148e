import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemEnvironment } from '@cairn/environment';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Filesystem } from '../filesystem.ts';
import { openNodeFilesystem } from './node-filesystem.ts';

const environment = createSystemEnvironment();
const isRoot = process.getuid?.() === 0;
const onLinux = process.platform === 'linux';

describe('hazards of a real disk', () => {
  let base: string;
  let root: string;
  let filesystem: Filesystem;
  beforeEach(async () => {
    base = mkdtempSync(join(tmpdir(), 'cairn-hazards-'));
    root = join(base, 'root');
    mkdirSync(root);
    filesystem = await openNodeFilesystem({ root, environment });
  });
  afterEach(async () => {
    await filesystem.close();
    rmSync(base, { recursive: true, force: true });
  });

  async function put(path: string, text: string, on = filesystem): Promise<void> {
    const temporary = await on.openTemporary('t');
    try {
      await temporary.write(Buffer.from(text), 0);
      await temporary.sync();
      await on.place(temporary, path, { absent: true }, {});
    } finally {
      await temporary.discard();
    }
  }

  it('is not led outside by a folder exchanged for a link between two calls [S-9]', async () => {
    const outside = join(base, 'outside');
    mkdirSync(join(outside, 'b'), { recursive: true });
    writeFileSync(join(outside, 'b', 'victim'), 'precious');
    mkdirSync(join(root, 'a', 'b'), { recursive: true });
    writeFileSync(join(root, 'a', 'b', 'victim'), 'ours');
    await filesystem.list('a/b');
    const victim = await filesystem.status('a/b/victim');
    if (victim === null) throw new Error('no victim');
    renameSync(join(root, 'a'), join(root, 'moved-away'));
    symlinkSync(outside, join(root, 'a'));

    await expect(put('a/b/new', 'x')).rejects.toMatchObject({ code: 'local-changed' });
    await expect(filesystem.displace('a/b/victim', victim)).rejects.toMatchObject({ code: 'local-changed' });
    await expect(filesystem.makeFolder('a/b/c')).rejects.toMatchObject({ code: 'local-changed' });
    await expect(filesystem.list('a/b')).rejects.toMatchObject({ code: 'local-io' });
    expect(readdirSync(join(outside, 'b'))).toEqual(['victim']);
    expect(readFileSync(join(outside, 'b', 'victim'), 'utf8')).toBe('precious');
    expect(readdirSync(join(root, 'moved-away', 'b'))).toEqual(['victim']);
  });

  it('is not led outside by a link to where the held folder was moved', async () => {
    mkdirSync(join(root, 'a'));
    await filesystem.list('a');
    renameSync(join(root, 'a'), join(base, 'carried-off'));
    symlinkSync(join(base, 'carried-off'), join(root, 'a'));
    await expect(put('a/new', 'x')).rejects.toMatchObject({ code: 'local-changed' });
    expect(readdirSync(join(base, 'carried-off'))).toEqual([]);
  });

  it('sees a folder that was exchanged for another one', async () => {
    mkdirSync(join(root, 'a'));
    await put('a/one', '1');
    renameSync(join(root, 'a'), join(root, 'b'));
    mkdirSync(join(root, 'a'));
    expect(await filesystem.list('a')).toEqual([]);
    await put('a/two', '2');
    expect(readdirSync(join(root, 'a'))).toEqual(['two']);
    expect(readdirSync(join(root, 'b'))).toEqual(['one']);
  });

  it('asks again after a folder of ours moved, even within one piece of work', async () => {
    mkdirSync(join(root, 'a'));
    mkdirSync(join(root, 'c'));
    const a = await filesystem.status('a');
    const [moved, made, gone, madeInGone] = await Promise.allSettled([
      filesystem.move('a', 'b', a?.identity ?? ''),
      filesystem.makeFolder('a/x'),
      filesystem.removeFolder('c'),
      filesystem.makeFolder('c/x'),
    ]);
    expect([moved.status, gone.status]).toEqual(['fulfilled', 'fulfilled']);
    expect(made).toMatchObject({ status: 'rejected', reason: { code: 'local-changed' } });
    expect(madeInGone).toMatchObject({ status: 'rejected', reason: { code: 'local-changed' } });
    expect(readdirSync(join(root, 'b'))).toEqual([]);
  });

  it('places many files into one folder at once, and asks again when that folder was exchanged since', async () => {
    mkdirSync(join(root, 'a'));
    const open = async (name: string) => {
      const temporary = await filesystem.openTemporary(name);
      await temporary.write(Buffer.from(name), 0);
      return temporary;
    };
    const names = ['one', 'two', 'three'];
    const first = await Promise.all(names.map(open));
    await Promise.all(first.map((each, index) => filesystem.place(each, `a/${index}`, { absent: true }, {})));
    const second = await Promise.all(names.map(open));
    renameSync(join(root, 'a'), join(base, 'carried-off'));
    symlinkSync(join(base, 'carried-off'), join(root, 'a'));
    for (const result of await Promise.allSettled(
      second.map((each, index) => filesystem.place(each, `a/later-${index}`, { absent: true }, {})),
    ))
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'local-changed' } });
    for (const each of second) await each.discard();
    expect(readdirSync(join(base, 'carried-off')).sort()).toEqual(['0', '1', '2']);
  });

  it('places the file that it wrote, or nothing', async () => {
    const temporary = await filesystem.openTemporary('t');
    await temporary.write(Buffer.from('ours'), 0);
    renameSync(join(root, '.cairn', 'temporary', 't'), join(base, 'taken'));
    writeFileSync(join(root, '.cairn', 'temporary', 't'), "somebody else's");
    await expect(filesystem.place(temporary, 'f', { absent: true }, {})).rejects.toMatchObject({
      code: 'local-changed',
    });
    expect(await filesystem.status('f')).toBeNull();
    await temporary.discard();
  });

  it.for([
    ['in order', [0, 1, 2, 3, 4, 5, 6, 7]],
    ['the last first', [0, 7, 1, 6, 2, 5, 3, 4]],
    ['twice', [0, 7, 1, 3, 3, 2, 4, 5, 6, 0]],
  ] as const)(
    'gives the disk no long runs of zeros to keep, when they come %s',
    async ([, order], { skip }) => {
      const bytes = new Uint8Array(8 * 1024 * 1024);
      writeFileSync(join(base, 'probe'), '');
      truncateSync(join(base, 'probe'), bytes.length);
      if (statSync(join(base, 'probe')).blocks > 0) skip('this disk has no files with holes');
      const temporary = await filesystem.openTemporary('t');
      bytes.fill(0x41, 0, 1024 * 1024);
      bytes.fill(0x41, 7 * 1024 * 1024);
      for (const from of order.map((index) => index * 1024 * 1024))
        await temporary.write(bytes.subarray(from, from + 1024 * 1024), from);
      await temporary.sync();
      await filesystem.place(temporary, 'sparse', { absent: true }, {});
      expect(statSync(join(root, 'sparse')).blocks * 512).toBeLessThan(3 * 1024 * 1024);
      expect(Buffer.compare(readFileSync(join(root, 'sparse')), bytes)).toBe(0);
    },
  );

  it('gives no descriptors away: many folders, then all released', async () => {
    if (!onLinux) return;
    const before = readdirSync('/proc/self/fd').length;
    for (let index = 0; index < 400; index++) {
      await filesystem.makeFolder(`d${index}`);
      await filesystem.list(`d${index}`);
    }
    expect(readdirSync('/proc/self/fd').length - before).toBeLessThan(300);
    await filesystem.close();
    expect(readdirSync('/proc/self/fd').length).toBeLessThan(before);
  });

  it.each(['removed', 'renamed', 'replaced'])('says root-missing once the root is %s', async (what) => {
    await put('a', '1');
    const elsewhere = join(base, 'elsewhere');
    if (what === 'removed') rmSync(root, { recursive: true });
    else renameSync(root, elsewhere);
    if (what === 'replaced') mkdirSync(root);
    const missing = { code: 'root-missing' };
    await expect(filesystem.status('a')).rejects.toMatchObject(missing);
    await expect(filesystem.status('never-was')).rejects.toMatchObject(missing);
    await expect(filesystem.list('')).rejects.toMatchObject(missing);
    await expect(filesystem.openRead('a')).rejects.toMatchObject(missing);
    await expect(filesystem.openTemporary('x')).rejects.toMatchObject(missing);
    await expect(filesystem.makeFolder('x')).rejects.toMatchObject(missing);
    await expect(filesystem.readMarker()).rejects.toMatchObject(missing);
    await expect(filesystem.listRescued()).rejects.toMatchObject(missing);
    await expect(openNodeFilesystem({ root: join(base, 'none'), environment })).rejects.toMatchObject(
      missing,
    );
    if (what !== 'removed') expect(readFileSync(join(elsewhere, 'a'), 'utf8')).toBe('1');
    if (what === 'replaced') expect(readdirSync(root)).toEqual([]);
  });

  it('shows names and link texts that are not UTF-8 without mangling them', async () => {
    if (!onLinux) return;
    const bytes = Buffer.concat([Buffer.from(`${root}/caf`), Buffer.from([0xe9])]);
    writeFileSync(bytes, 'x');
    writeFileSync(join(root, 'with \ufffd'), 'a replacement character is a fine name');
    symlinkSync(Buffer.from([0xff, 0xfe]), join(root, 'link'));
    const items = await filesystem.list('');
    expect(items.map((item) => [item.name, item.unrepresentable, item.status?.kind]).sort()).toEqual([
      ['caf\\xe9', true, 'file'],
      ['link', false, 'other'],
      ['with \ufffd', false, 'file'],
    ]);
  });

  it('does not write into a placed file through a temporary that a crash left behind', async () => {
    mkdirSync(join(root, '.cairn', 'temporary'), { recursive: true });
    writeFileSync(join(root, '.cairn', 'temporary', 'left'), 'placed bytes');
    linkSync(join(root, '.cairn', 'temporary', 'left'), join(root, 'placed'));
    const temporary = await filesystem.openTemporary('left');
    expect(temporary.existingBytes).toBe(0);
    await temporary.write(Buffer.from('OVERWRITTEN!'), 0);
    await temporary.discard();
    expect(readFileSync(join(root, 'placed'), 'utf8')).toBe('placed bytes');
  });

  it('keeps permission bits of what it replaces and never hands on set-user-id', async () => {
    writeFileSync(join(root, 'f'), 'old');
    chmodSync(join(root, 'f'), 0o4740);
    for (const [executable, mode] of [
      [undefined, 0o740],
      [false, 0o640],
      [true, 0o750],
    ] as const) {
      const current = await filesystem.status('f');
      const temporary = await filesystem.openTemporary('t');
      const attributes = executable === undefined ? {} : { executable };
      await filesystem.place(temporary, 'f', { fingerprint: current?.fingerprint ?? '' }, attributes);
      expect(statSync(join(root, 'f')).mode & 0o7777).toBe(mode);
    }
    await put('new', 'x');
    expect(statSync(join(root, 'new')).mode & 0o7777).toBe(0o666 & ~process.umask());
  });

  it('refuses two names of one file as a rename in case', async () => {
    writeFileSync(join(root, 'a'), 'x');
    linkSync(join(root, 'a'), join(root, 'A'));
    const status = await filesystem.status('a');
    await expect(filesystem.move('a', 'A', status?.identity ?? '')).rejects.toMatchObject({
      code: 'local-changed',
    });
    expect(
      readdirSync(root)
        .filter((name) => name !== '.cairn')
        .sort(),
    ).toEqual(['A', 'a']);
  });

  it('refuses a private folder that is a link', async () => {
    const other = join(base, 'other');
    mkdirSync(other);
    symlinkSync(base, join(other, '.cairn'));
    await expect(openNodeFilesystem({ root: other, environment })).rejects.toMatchObject({
      code: 'local-io',
    });
  });

  it('goes deeper than one system call could', async () => {
    let path = 'd'.repeat(200);
    for (let depth = 0; depth < 30; depth++) {
      await filesystem.makeFolder(path);
      path = `${path}/${'d'.repeat(200)}`;
    }
    await put(path, 'deep');
    expect(await filesystem.status(path)).toMatchObject({ sizeBytes: 4 });
  });

  it('calls a full disk full [S-71]', async ({ skip }) => {
    if (!isRoot || !onLinux) return skip('only root may mount a small tmpfs');
    const small = join(base, 'small');
    mkdirSync(small);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', small], { stdio: 'pipe' });
    } catch (error) {
      return skip(`this system does not let us mount a tmpfs: ${(error as Error).message}`);
    }
    try {
      const full = await openNodeFilesystem({ root: small, environment });
      const temporary = await full.openTemporary('t');
      await expect(temporary.write(new Uint8Array(1 << 20).fill(1), 0)).rejects.toMatchObject({
        code: 'local-disk-full',
      });
      await temporary.discard();
      await put('fits', 'x', full);
      expect((await full.list('')).map((item) => item.name)).toEqual(['fits']);
      await full.close();
    } finally {
      execFileSync('umount', [small]);
    }
  });

  it('never takes an unreadable folder or file for an absent one [S-45]', async ({ skip }) => {
    if (!onLinux) return skip('permissions differ here');
    mkdirSync(join(root, 'closed'));
    writeFileSync(join(root, 'closed', 'f'), '');
    writeFileSync(join(root, 'secret'), '');
    chmodSync(join(root, 'closed'), 0);
    chmodSync(join(root, 'secret'), 0);
    chmodSync(base, 0o755);
    execFileSync('chmod', ['-R', 'a+rwX', join(root, '.cairn')]);
    const program = `
      const { openNodeFilesystem } = await import(${JSON.stringify(import.meta.resolve('./node-filesystem.ts'))});
      const { createSystemEnvironment } = await import(${JSON.stringify(import.meta.resolve('../../../environment/src/index.ts'))});
      if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534); }
      const filesystem = await openNodeFilesystem({ root: ${JSON.stringify(root)}, environment: createSystemEnvironment() });
      const codes = [];
      const attempt = (run) => run().then((value) => codes.push(String(value)), (error) => codes.push(error.code));
      await attempt(() => filesystem.list('closed'));
      await attempt(() => filesystem.status('closed/f'));
      await attempt(() => filesystem.status('closed/absent'));
      await attempt(() => filesystem.openRead('secret'));
      await attempt(() => filesystem.status('absent'));
      await filesystem.close();
      console.log(JSON.stringify(codes));
    `;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
    });
    expect(JSON.parse(output)).toEqual(['local-io', 'local-io', 'local-io', 'local-io', 'null']);
  });
});
