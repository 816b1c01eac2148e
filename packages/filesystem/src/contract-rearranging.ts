import { expect, it } from 'vitest';
import { ABSENT, type ContractTools } from './contract-tools.ts';

export function describeRearranging({ filesystem, user, put, read, statusAt }: ContractTools): void {
  it('makes, replaces and keeps links without following them [S-8]', async () => {
    expect(await filesystem().makeLink('l', '/no/such/place', ABSENT)).toMatchObject({
      kind: 'link',
      target: '/no/such/place',
    });
    const replaced = await filesystem().makeLink('l', '..', await statusAt('l'));
    expect(replaced.target).toBe('..');
    user().writeFile('f', 'bytes');
    expect((await filesystem().makeLink('f', 'l', await statusAt('f'))).kind).toBe('link');
    expect((await put('l', 'a file now', await statusAt('l'))).kind).toBe('file');
    expect((await filesystem().listRescued()).map((item) => item.originalName).sort()).toEqual([
      'f',
      'l',
      'l',
    ]);
  });

  it('moves files, links and whole folders, keeping their identity', async () => {
    user().makeFolder('from');
    user().makeFolder('to');
    user().writeFile('from/f', 'x');
    user().makeLink('from/l', 'f');
    user().makeFolder('from/d');
    user().writeFile('from/d/deep', 'y');
    for (const name of ['f', 'l', 'd']) {
      const before = await statusAt(`from/${name}`);
      const after = await filesystem().move(`from/${name}`, `to/${name}2`, before.identity);
      expect(after.identity).toBe(before.identity);
      expect(await statusAt(`to/${name}2`)).toEqual(after);
      expect(await filesystem().status(`from/${name}`)).toBeNull();
    }
    expect(await read('to/d2/deep')).toBe('y');
    expect(await filesystem().listRescued()).toEqual([]);
  });

  it('never moves onto anything, nor anything else than was meant [S-2]', async () => {
    user().makeFolder('d');
    user().makeFolder('empty');
    user().writeFile('f', 'f');
    user().writeFile('g', 'g');
    const tree = user().describe();
    const identity = async (path: string) => (await statusAt(path)).identity;
    const attempts: [string, string, string][] = [
      ['f', 'g', await identity('f')],
      ['d', 'empty', await identity('d')],
      ['f', 'empty', await identity('f')],
      ['d', 'f', await identity('d')],
      ['f', 'new', await identity('g')],
      ['gone', 'new', await identity('g')],
      ['f', 'f', await identity('f')],
    ];
    for (const [from, to, id] of attempts) {
      await expect(filesystem().move(from, to, id), `${from} to ${to}`).rejects.toMatchObject({
        code: 'local-changed',
      });
    }
    await expect(filesystem().move('d', 'd/inside', await identity('d'))).rejects.toMatchObject({
      code: 'bad-path',
    });
    expect(user().describe()).toEqual(tree);
  });

  it('finishes a move that ended halfway, when the file had both names [S-10]', async () => {
    user().makeFolder('d');
    user().writeFile('f', 'content');
    user().writeFile('other', 'content');
    user().makeHardLink('f', 'd/moved');
    user().makeHardLink('other', 'same folder');
    const { identity } = await statusAt('f');
    expect((await filesystem().move('f', 'd/moved', identity)).identity).toBe(identity);
    await filesystem().move('other', 'same folder', (await statusAt('other')).identity);
    expect(
      user()
        .describe()
        .map((line) => line.split(' file')[0]),
    ).toEqual(['d folder', 'd/moved', 'same folder']);
    expect(await read('d/moved')).toBe('content');
    expect(await filesystem().listRescued()).toEqual([]);
  });

  it('renames in case only [S-41]', async () => {
    user().writeFile('Readme', 'x');
    const { identity } = await statusAt('Readme');
    await filesystem().move('Readme', 'README', identity);
    expect((await filesystem().list('')).map((item) => item.name)).toEqual(['README']);
    expect(await read('README')).toBe('x');
  });

  it('displaces files and links into the rescue area, and nothing else [S-3]', async () => {
    user().writeFile('f', '12345');
    user().makeLink('l', 'f');
    user().makeFolder('d');
    await filesystem().displace('f', await statusAt('f'));
    await filesystem().displace('l', await statusAt('l'));
    await expect(filesystem().displace('d', await statusAt('d'))).rejects.toMatchObject({
      code: 'not-a-file',
    });
    expect(user().describe()).toEqual(['d folder']);
    expect(await filesystem().listRescued()).toMatchObject([
      { originalName: 'f', sizeBytes: 5 },
      { originalName: 'l' },
    ]);
  });

  it('lets old rescued bytes go only when asked, oldest first, down to what may stay', async () => {
    for (const name of ['a', 'b', 'c']) {
      user().writeFile(name, 'xxxxx');
      await filesystem().displace(name, await statusAt(name));
    }
    expect(await filesystem().removeOldRescued(3_600_000, 0)).toMatchObject({
      removedItems: 0,
      keptBytes: 15,
    });
    expect(await filesystem().removeOldRescued(-60_000, 10)).toEqual({
      removedItems: 1,
      removedBytes: 5,
      keptBytes: 10,
    });
    expect((await filesystem().listRescued()).map((item) => item.originalName)).toEqual(['b', 'c']);
  });

  it('removes only empty folders', async () => {
    user().makeFolder('d');
    user().writeFile('d/f', '');
    user().writeFile('f', '');
    for (const path of ['d', 'f', 'gone']) {
      await expect(filesystem().removeFolder(path)).rejects.toMatchObject({ code: 'local-changed' });
    }
    user().remove('d/f');
    await filesystem().removeFolder('d');
    expect(await filesystem().status('d')).toBeNull();
  });

  it('makes folders durable, also ones that are gone', async () => {
    await filesystem().makeFolder('d');
    await put('d/f', 'x');
    await filesystem().syncFolders(['', 'd', 'd', 'gone', 'gone/deeper']);
  });

  it('changes attributes of files, folders and links', async () => {
    user().writeFile('f', 'x');
    user().makeFolder('d');
    user().makeLink('l', 'f');
    expect(await filesystem().setAttributes('f', { executable: true }, await statusAt('f'))).toMatchObject({
      executable: true,
    });
    for (const path of ['f', 'd', 'l']) {
      const status = await filesystem().setAttributes(path, { modifiedAtUs: 77 }, await statusAt(path));
      expect(status.modifiedAtNs / 1000n).toBe(77n);
      expect(status).toEqual(await statusAt(path));
    }
    expect((await statusAt('f')).executable).toBe(true);
  });
}
