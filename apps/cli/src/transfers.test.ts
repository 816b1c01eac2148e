import { randomBytes } from 'node:crypto';
import {
  chmod,
  mkdir,
  readdir,
  readFile,
  stat,
  symlink,
  truncate,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliWorld, createCliWorld } from './testing/cli-world.ts';
import { describeTree, sizeOfTree } from './testing/local-trees.ts';

const MIB = 1024 * 1024;

describe('upload and download', () => {
  let world: CliWorld;
  beforeAll(async () => {
    world = await createCliWorld();
    expect(await world.run('laptop', 'signup', '-u', 'ann')).toMatchObject({ exitCode: 0 });
  });
  afterAll(() => world.close());

  async function makeFolder(name: string): Promise<string> {
    const folder = join(world.folder, name);
    await mkdir(folder);
    return folder;
  }

  it('a folder comes back as it was: bytes, links, times, executable bits, empty folders, odd names', async () => {
    const source = await makeFolder('source');
    await mkdir(join(source, 'deep', 'er', 'empty'), { recursive: true });
    await writeFile(join(source, 'deep', 'big.bin'), randomBytes(3 * MIB));
    await writeFile(join(source, 'empty.txt'), '');
    await writeFile(join(source, 'run.sh'), '#!/bin/sh\n');
    await chmod(join(source, 'run.sh'), 0o755);
    await symlink('/etc/passwd', join(source, 'link'));
    await symlink('nowhere', join(source, 'deep', 'dangling'));
    for (const name of ['-rf', '*', 'new\nline', ' space ', 'ünï', 'q"uote', '\u001b[31mred']) {
      await writeFile(join(source, name), name);
    }
    // As text: a negative number would mean now.
    await utimes(join(source, 'empty.txt'), '1.5', '-3.25');
    expect((await stat(join(source, 'empty.txt'))).mtimeMs).toBe(-3250);
    for (let index = 0; index < 300; index++) await writeFile(join(source, `f${index}`), `content ${index}`);

    const up = await world.run('laptop', 'upload', '--json', source);
    expect(up).toMatchObject({ exitCode: 0, errors: '' });
    expect(JSON.parse(up.output)).toMatchObject({ uploaded: 312, failures: [], folders: 4 });

    const target = await makeFolder('target');
    const down = await world.run('laptop', 'get', '/source', target);
    expect(down).toMatchObject({ exitCode: 0, errors: '' });
    expect(await describeTree(join(target, 'source'))).toEqual(await describeTree(source));

    const again = await world.run('laptop', 'download', '--json', '/source', target);
    expect(JSON.parse(again.output)).toMatchObject({ downloaded: 0, unchanged: 312 });
    const upAgain = await world.run('laptop', 'upload', '--json', source, '/');
    expect(JSON.parse(upAgain.output)).toMatchObject({ uploaded: 0, unchanged: 312, sentBytes: 0 });

    const listed = await world.run('laptop', 'ls', '-r', '/source');
    expect(listed.output).toContain('"/source/new\\nline"');
    expect(listed.output).not.toContain('\u001b');
    const raw = JSON.parse((await world.run('laptop', 'ls', '--json', '/source')).output);
    expect(raw.entries.map(({ name }: { name: string }) => name)).toContain('\u001b[31mred');
  });

  it('T092 a time further than can be sent is sent as the furthest one', async () => {
    const path = join(await makeFolder('far'), 'far.txt');
    await writeFile(path, 'far');
    await utimes(path, '13569465600', '13569465600');
    expect(await world.run('laptop', 'put', path, '/far.txt')).toMatchObject({ exitCode: 0, errors: '' });
    const target = await makeFolder('from-far');
    expect((await world.run('laptop', 'get', '/far.txt', target)).exitCode).toBe(0);
    expect((await stat(join(target, 'far.txt'))).mtime.getUTCFullYear()).toBe(2255);
    const again = await world.run('laptop', 'put', '--json', path, '/far.txt');
    expect(JSON.parse(again.output)).toMatchObject({ uploaded: 0, unchanged: 1 });
  });

  it('a changed file becomes a new version, and only the change travels', async () => {
    const path = join(await makeFolder('versions'), 'doc.bin');
    const bytes = randomBytes(4 * MIB);
    await writeFile(path, bytes);
    expect((await world.run('laptop', 'put', path, '/doc.bin')).exitCode).toBe(0);
    await writeFile(path, Buffer.concat([Buffer.from('x'), bytes]));
    const second = JSON.parse((await world.run('laptop', 'put', '--json', path, '/doc.bin')).output);
    expect(second.uploaded).toBe(1);
    expect(second.sentBytes).toBeLessThan(400_000);
    const { versions } = JSON.parse((await world.run('laptop', 'versions', '--json', '/doc.bin')).output);
    expect(versions).toHaveLength(2);
    expect(await world.run('laptop', 'revert', '/doc.bin', '--to', versions[1].versionId)).toMatchObject({
      exitCode: 0,
    });
    const back = join(world.folder, 'versions', 'back.bin');
    expect((await world.run('laptop', 'get', '/doc.bin', back)).exitCode).toBe(0);
    expect(Buffer.compare(await readFile(back), bytes)).toBe(0);
  });

  it('one unreadable item does not stop the others', async () => {
    const folder = await makeFolder('partly');
    await writeFile(join(folder, 'good.txt'), 'good');
    const result = await world.run('laptop', 'upload', folder, join(world.folder, 'missing'), '--to', '/');
    expect(result.exitCode).toBe(7);
    expect(result.errors).toContain('missing: it does not exist');
    expect((await world.run('laptop', 'ls', '/partly/good.txt')).exitCode).toBe(0);
  });

  it('never replaces a local file that differs, nor writes through a link', async () => {
    const folder = await makeFolder('careful');
    const outside = join(world.folder, 'outside.txt');
    await writeFile(outside, 'precious');
    await writeFile(join(folder, 'a.txt'), 'from the server');
    await world.run('laptop', 'put', join(folder, 'a.txt'), '/careful/');
    await writeFile(join(folder, 'a.txt'), 'mine');
    const refused = await world.run('laptop', 'get', '/careful/a.txt', folder);
    expect(refused.exitCode).toBe(7);
    expect(refused.errors).toContain('--overwrite');
    expect(await readFile(join(folder, 'a.txt'), 'utf8')).toBe('mine');
    await unlink(join(folder, 'a.txt'));
    await symlink(outside, join(folder, 'a.txt'));
    expect((await world.run('laptop', 'get', '/careful/a.txt', folder)).exitCode).toBe(7);
    expect((await world.run('laptop', 'get', '--overwrite', '/careful/a.txt', folder)).exitCode).toBe(0);
    expect(await readFile(outside, 'utf8')).toBe('precious');
    expect(await readFile(join(folder, 'a.txt'), 'utf8')).toBe('from the server');
    const trap = await makeFolder('trap');
    await symlink(world.folder, join(trap, 'careful'));
    expect((await world.run('laptop', 'get', '/careful', trap)).exitCode).toBe(7);
    expect(await readdir(world.folder)).not.toContain('a.txt');
  });

  it('a download goes on with the verified part of what is there', async () => {
    const folder = await makeFolder('resume');
    const bytes = randomBytes(8 * MIB);
    await writeFile(join(folder, 'big'), bytes);
    await world.run('laptop', 'put', join(folder, 'big'), '/resume/');
    await unlink(join(folder, 'big'));
    const partial = join(folder, '.big.cairn-part');
    await writeFile(partial, bytes);
    await truncate(partial, 6 * MIB);
    const result = JSON.parse((await world.run('laptop', 'get', '--json', '/resume/big', folder)).output);
    expect(result.receivedBytes).toBeLessThan(2.5 * MIB);
    expect(Buffer.compare(await readFile(join(folder, 'big')), bytes)).toBe(0);
    await unlink(join(folder, 'big'));
    bytes.copy(bytes, 0, MIB, 2 * MIB);
    await writeFile(partial, bytes);
    await world.run('laptop', 'get', '/resume/big', folder);
    expect(await readdir(folder)).toEqual(['big']);
    expect(Buffer.compare(await readFile(join(folder, 'big')), bytes)).not.toBe(0);
  });

  it('a killed upload, run again, sends nothing again that arrived', async () => {
    const folder = await makeFolder('killed');
    const total = 64 * MIB;
    for (let index = 0; index < 4; index++)
      await writeFile(join(folder, `part${index}`), randomBytes(total / 4));
    const blocks = join(world.dataFolder, 'blocks');
    const before = await sizeOfTree(blocks);
    const { child, result } = world.start('laptop', 'upload', '--json', folder);
    while ((await sizeOfTree(blocks)) - before < 16 * MIB) {
      expect(child.exitCode).toBeNull();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    child.kill('SIGKILL');
    expect((await result).exitCode).toBe(-1);
    let arrived = 0;
    for (let now = await sizeOfTree(blocks); now - before !== arrived; now = await sizeOfTree(blocks)) {
      arrived = now - before;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    const second = JSON.parse((await world.run('laptop', 'upload', '--json', folder)).output);
    expect(second.uploaded).toBe(4);
    expect(second.sentBytes).toBeLessThan(total - 15 * MIB);
    expect(second.sentBytes + arrived).toBeLessThan(total + MIB);
  });
});
