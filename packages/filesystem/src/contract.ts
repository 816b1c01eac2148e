import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeListingAhead } from './contract-ahead.ts';
import { describeRearranging } from './contract-rearranging.ts';
import { describeTemporaries } from './contract-temporaries.ts';
import { ABSENT, type ContractTools, type FilesystemUnderTest } from './contract-tools.ts';

/** Every adapter of the port must pass this. */
export function describeFilesystem(name: string, open: () => Promise<FilesystemUnderTest>): void {
  describe(name, () => {
    let under: FilesystemUnderTest;
    let counter = 0;
    beforeEach(async () => {
      under = await open();
    });
    afterEach(async () => {
      await under.filesystem.close();
      await under.dispose();
    });

    const tools: ContractTools = {
      filesystem: () => under.filesystem,
      user: () => under.user,
      async put(path, text, expected = ABSENT, attributes = {}) {
        const temporary = await under.filesystem.openTemporary(`t-${++counter}`);
        try {
          await temporary.write(new TextEncoder().encode(text), 0);
          await temporary.sync();
          return await under.filesystem.place(temporary, path, expected, attributes);
        } finally {
          await temporary.discard();
        }
      },
      async statusAt(path) {
        const status = await under.filesystem.status(path);
        if (status === null) throw new Error(`${path} is absent`);
        return status;
      },
      async read(path) {
        const handle = await under.filesystem.openRead(path);
        const into = new Uint8Array((await handle.status()).sizeBytes + 10);
        const length = await handle.read(into, 0);
        await handle.close();
        return new TextDecoder().decode(into.subarray(0, length));
      },
    };

    describeReading(tools);
    describePlacing(tools, () => under.storesNegativeTimes);
    describeRearranging(tools);
    describeTemporaries(tools);
    describeListingAhead(tools);
  });
}

function describeReading({ filesystem, user, read, statusAt }: ContractTools): void {
  it('lists every kind of item with its status, and not its own folder', async () => {
    user().writeFile('file', 'abc');
    user().makeFolder('folder');
    user().makeLink('link', '../anywhere');
    user().makeFifo('fifo');
    await filesystem().writeMarker('m');
    const items = await filesystem().list('');
    expect(items.map((item) => [item.name, item.status?.kind]).sort()).toEqual([
      ['fifo', 'other'],
      ['file', 'file'],
      ['folder', 'folder'],
      ['link', 'link'],
    ]);
    expect(await statusAt('link')).toMatchObject({ target: '../anywhere' });
    expect(await statusAt('file')).toMatchObject({ sizeBytes: 3, executable: false, target: null });
    for (const item of items) expect(await statusAt(item.name)).toEqual(item.status);
    expect(await filesystem().list('folder')).toEqual([]);
    expect((await statusAt('')).kind).toBe('folder');
  });

  it('keeps the oddest names [S-39]', async () => {
    const names = ['-rf', '*', '~', 'new\nline', ' ', '__proto__', 'a\\b', '語'.repeat(85), 'x'.repeat(255)];
    for (const name of names) user().writeFile(name, name);
    expect((await filesystem().list('')).map((item) => item.name).sort()).toEqual([...names].sort());
    for (const name of names) expect(await read(name)).toBe(name);
  });

  it('tells certain absence from what cannot be known [S-45]', async () => {
    user().writeFile('file', '');
    user().makeFolder('folder');
    user().makeLink('link', 'folder');
    user().writeFile('folder/inside', '');
    expect(await filesystem().status('no')).toBeNull();
    expect(await filesystem().status('no/deeper')).toBeNull();
    expect(await filesystem().status('file/below')).toBeNull();
    await expect(filesystem().list('no')).rejects.toMatchObject({ code: 'not-found' });
    await expect(filesystem().openRead('no')).rejects.toMatchObject({ code: 'not-found' });
    await expect(filesystem().status('link/inside')).rejects.toMatchObject({ code: 'local-io' });
    await expect(filesystem().list('link')).rejects.toMatchObject({ code: 'local-io' });
    await expect(filesystem().openRead('link/inside')).rejects.toMatchObject({ code: 'local-io' });
  });

  it('opens regular files only', async () => {
    user().makeFifo('fifo');
    user().makeFolder('folder');
    user().writeFile('file', 'x');
    user().makeLink('link', 'file');
    for (const path of ['fifo', 'folder', 'link']) {
      await expect(filesystem().openRead(path)).rejects.toMatchObject({ code: 'not-a-file' });
    }
  });

  it.each(['..', '../x', 'a/../b', './a', '/etc', 'a//b', 'a/', 'a\u0000', '.cairn', '.cairn/marker'])(
    'refuses the path %j',
    async (path) => {
      await expect(filesystem().status(path)).rejects.toMatchObject({ code: 'bad-path' });
      await expect(filesystem().list(path)).rejects.toMatchObject({ code: 'bad-path' });
      await expect(filesystem().makeFolder(path)).rejects.toMatchObject({ code: 'bad-path' });
    },
  );

  it('gives each object an identity that outlives a rename, and a fingerprint that tells changes', async () => {
    user().writeFile('a', '1');
    const first = await statusAt('a');
    user().rename('a', 'b');
    expect((await statusAt('b')).identity).toBe(first.identity);
    const renamed = await statusAt('b');
    user().writeFile('b', '2');
    const edited = await statusAt('b');
    expect(edited.identity).toBe(first.identity);
    expect(edited.fingerprint).not.toBe(renamed.fingerprint);
    user().setExecutable('b', true);
    expect((await statusAt('b')).fingerprint).not.toBe(edited.fingerprint);
    expect((await statusAt('b')).executable).toBe(true);
  });

  it('keeps the marker', async () => {
    expect(await filesystem().readMarker()).toBeNull();
    await filesystem().writeMarker('one');
    await filesystem().writeMarker('two ü');
    expect(await filesystem().readMarker()).toBe('two ü');
  });

  it('replaces the marker only where it is what it should be, and makes none', async () => {
    expect(await filesystem().replaceMarker('one', 'two')).toBe(false);
    expect(await filesystem().readMarker()).toBeNull();
    await filesystem().writeMarker('one');
    expect(await filesystem().replaceMarker('other', 'two')).toBe(false);
    expect(await filesystem().readMarker()).toBe('one');
    expect(await filesystem().replaceMarker('one', 'two')).toBe(true);
    expect(await filesystem().readMarker()).toBe('two');
  });
}

function describePlacing(
  { filesystem, user, put, read, statusAt }: ContractTools,
  storesNegativeTimes: () => boolean,
): void {
  it('places a new file with its attributes', async () => {
    const status = await put('a', 'hello', ABSENT, { executable: true, modifiedAtUs: 1_234_567 });
    expect(status).toMatchObject({ kind: 'file', sizeBytes: 5, executable: true });
    expect(status).toEqual(await statusAt('a'));
    expect(await read('a')).toBe('hello');
    expect(status.modifiedAtNs / 1000n).toBe(1_234_567n);
    expect((await put('b', '')).executable).toBe(false);
  });

  it('never replaces what it does not expect [S-2]', async () => {
    user().writeFile('file', 'theirs');
    user().makeFolder('folder');
    user().makeLink('dangling', 'nowhere');
    for (const path of ['file', 'folder', 'dangling']) {
      await expect(put(path, 'ours')).rejects.toMatchObject({ code: 'local-changed' });
      await expect(filesystem().makeLink(path, 'x', ABSENT)).rejects.toMatchObject({ code: 'local-changed' });
      await expect(filesystem().makeFolder(path)).rejects.toMatchObject({ code: 'local-changed' });
    }
    const { fingerprint } = await statusAt('folder');
    await expect(put('folder', 'ours', { fingerprint })).rejects.toMatchObject({ code: 'local-changed' });
    expect(user().describe()).toEqual([
      'dangling link nowhere',
      `file file ${Buffer.from('theirs').toString('hex')}`,
      'folder folder',
    ]);
  });

  it('keeps the old bytes when it replaces [S-3]', async () => {
    user().writeFile('a', 'old');
    const status = await put('a', 'new', await statusAt('a'));
    expect(await read('a')).toBe('new');
    expect(status.sizeBytes).toBe(3);
    expect(await filesystem().listRescued()).toMatchObject([{ originalName: 'a', sizeBytes: 3 }]);
  });

  it('keeps the executable bit unless told otherwise', async () => {
    user().writeFile('a', 'old');
    user().setExecutable('a', true);
    expect((await put('a', '2', await statusAt('a'))).executable).toBe(true);
    expect((await put('a', '3', await statusAt('a'), { executable: false })).executable).toBe(false);
  });

  it.each(['edit', 'replace', 'remove', 'touch'])('leaves a file alone after a user: %s', async (what) => {
    user().writeFile('a', 'old');
    const before = await statusAt('a');
    if (what === 'edit') user().writeFile('a', 'edited');
    if (what === 'touch') user().setModifiedAt('a', 5);
    if (what === 'replace') {
      user().writeFile('b', 'other');
      user().rename('b', 'a');
    }
    if (what === 'remove') user().remove('a');
    const tree = user().describe();
    await expect(put('a', 'new', before)).rejects.toMatchObject({ code: 'local-changed' });
    await expect(filesystem().displace('a', before)).rejects.toMatchObject({ code: 'local-changed' });
    await expect(filesystem().makeLink('a', 't', before)).rejects.toMatchObject({ code: 'local-changed' });
    await expect(filesystem().setAttributes('a', { executable: true }, before)).rejects.toMatchObject({
      code: 'local-changed',
    });
    expect(user().describe()).toEqual(tree);
    expect(await filesystem().listRescued()).toEqual([]);
  });

  it('stores microseconds exactly', async () => {
    const times = [
      0, 1, 999_999, 1_000_000, 1_763_683_200_123_456, 2_147_483_648_000_001, 4_294_967_296_999_999,
    ];
    const all = storesNegativeTimes() ? [-1, -999_999, -1_000_001, ...times] : times;
    for (const [index, modifiedAtUs] of all.entries()) {
      const placed = await put(`f${index}`, 'x', ABSENT, { modifiedAtUs });
      expect(floorUs(placed.modifiedAtNs), `placed ${modifiedAtUs}`).toBe(BigInt(modifiedAtUs));
      const set = await filesystem().setAttributes(`f${index}`, { modifiedAtUs: modifiedAtUs + 1 }, placed);
      expect(floorUs(set.modifiedAtNs), `set ${modifiedAtUs + 1}`).toBe(BigInt(modifiedAtUs + 1));
    }
  });

  it('refuses to work through a link to a folder [S-8 S-9]', async () => {
    user().makeFolder('real');
    user().makeLink('link', 'real');
    user().writeFile('real/victim', 'v');
    const victim = await statusAt('real/victim');
    const tree = user().describe();
    await expect(put('link/new', 'x')).rejects.toMatchObject({ code: 'local-changed' });
    await expect(put('link/victim', 'x', victim)).rejects.toMatchObject({ code: 'local-changed' });
    await expect(filesystem().displace('link/victim', victim)).rejects.toMatchObject({
      code: 'local-changed',
    });
    await expect(filesystem().makeFolder('link/f')).rejects.toMatchObject({ code: 'local-changed' });
    await expect(filesystem().makeLink('link/l', 'x', ABSENT)).rejects.toMatchObject({
      code: 'local-changed',
    });
    await expect(filesystem().move('link/victim', 'v', victim.identity)).rejects.toMatchObject({
      code: 'local-changed',
    });
    await expect(filesystem().move('real/victim', 'link/v', victim.identity)).rejects.toMatchObject({
      code: 'local-changed',
    });
    await expect(filesystem().setAttributes('link/victim', {}, victim)).rejects.toMatchObject({
      code: 'local-changed',
    });
    expect(user().describe()).toEqual(tree);
  });

  it('says so when the folder for a new file is gone', async () => {
    await expect(put('no/a', 'x')).rejects.toMatchObject({ code: 'local-changed' });
  });
}

function floorUs(nanoseconds: bigint): bigint {
  return BigInt.asIntN(64, (nanoseconds - (((nanoseconds % 1000n) + 1000n) % 1000n)) / 1000n);
}
