import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CliWorld, createCliWorld } from './testing/cli-world.ts';

let world: CliWorld;
beforeEach(async () => {
  world = await createCliWorld();
  await world.run('boss', 'signup', '--username', 'boss');
});
afterEach(() => world.close());

async function put(path: string, text: string): Promise<void> {
  const local = join(world.folder, 'local.txt');
  await writeFile(local, text);
  expect(await world.run('boss', 'upload', local, path)).toMatchObject({ exitCode: 0, errors: '' });
}

test('an administrator sees what is stored, cleans up, and is told what a clean-up would do', async () => {
  await put('/kept.txt', 'k'.repeat(5000));
  await put('/copy.txt', 'k'.repeat(5000));
  await put('/gone.txt', 'g'.repeat(3000));
  await world.run('boss', 'delete', '/gone.txt');

  const usage = await world.run('boss', 'admin', 'usage');
  expect(usage).toMatchObject({ exitCode: 0, errors: '' });
  expect(usage.output).toMatch(/files +9\.8 KiB +2 files/);
  expect(usage.output).toMatch(/trash +2\.9 KiB +1 file/);
  expect(usage.output).toContain('Storing equal content once, and compressing it, saves 13 KiB.');
  expect(usage.output).toMatch(/Emptying all trash would set \d+ B free\./);
  const { trashFreesBytes, ...rest } = JSON.parse(
    (await world.run('boss', 'admin', 'usage', '--json')).output,
  );
  expect(rest).toMatchObject({ live: { files: 2, bytes: 10_000 }, trash: { files: 1, bytes: 3000 } });
  expect(trashFreesBytes).toBeGreaterThan(0);

  const told = await world.run('boss', 'admin', 'gc', '--dry-run');
  expect(told).toMatchObject({ exitCode: 0, errors: '' });
  expect(told.output).toBe(
    'Would be deleted: no stored blocks, since none have been marked for long enough.\n',
  );
  const done = await world.run('boss', 'admin', 'gc', '--json');
  expect(done.exitCode).toBe(0);
  expect(JSON.parse(done.output)).toMatchObject({
    state: 'done',
    report: {
      dryRun: false,
      collection: { quarantinedUntil: null, reclaimed: { blocks: 0 } },
      audit: { references: 2, dangling: 0 },
    },
  });
});

test('a verification names the files that rot took, changes nothing, and is content once they are healed', async () => {
  await put('/good.txt', 'this one stays as it is');
  await put('/folder/rotten.txt', 'rot comes to this very text');
  const sound = await world.run('boss', 'admin', 'verify');
  expect(sound).toMatchObject({ exitCode: 0, errors: '' });
  expect(sound.output).toContain('Every version of every file is whole.');

  const segments = join(world.dataFolder, 'blocks', 'segments');
  for (const name of await readdir(segments)) {
    const bytes = await readFile(join(segments, name));
    const at = bytes.indexOf('rot comes');
    if (at < 0) continue;
    bytes[at] = 0x52;
    await writeFile(join(segments, name), bytes);
  }
  expect((await world.run('boss', 'admin', 'verify', '--quick')).exitCode).toBe(0);
  const rotten = await world.run('boss', 'admin', 'verify');
  expect(rotten.exitCode).toBe(1);
  expect(rotten.output).toContain('1 block cannot be read, and with that 1 version of files:');
  expect(rotten.output).toContain('  /folder/rotten.txt (damaged)');
  expect(rotten.output).not.toContain('good.txt');
  const again = JSON.parse((await world.run('boss', 'admin', 'verify', '--quick', '--json')).output);
  expect(again).toMatchObject({ state: 'done', report: { badBlocks: 1, damagedVersions: 1 } });

  await put('/healed.txt', 'rot comes to this very text');
  expect((await world.run('boss', 'admin', 'verify')).exitCode).toBe(0);
});

test('for others there is nothing to look after', async () => {
  await world.run('member', 'signup', '--username', 'member');
  for (const words of [
    ['usage'],
    ['gc'],
    ['gc', '--dry-run'],
    ['verify'],
    ['nodes'],
    ['nodes', 'invite'],
    ['drill', '--live'],
  ]) {
    const answer = await world.run('member', 'admin', ...words);
    expect(answer).toMatchObject({ exitCode: 5, output: '' });
  }
});

test('a drill is refused where it makes no sense', async () => {
  for (const [words, exitCode, text] of [
    [['--nodes', '2'], 2, 'from 3 to 20'],
    [['--replicas', '4'], 2, 'from 1 to 3'],
    [['--node', 'a'], 2, '--live'],
    [['--live'], 6, 'no storage nodes'],
  ] as const) {
    const answer = await world.run('boss', 'admin', 'drill', ...words);
    expect(answer).toMatchObject({ exitCode, output: '' });
    expect(answer.errors).toContain(text);
  }
});

test('the trash is emptied only when somebody says so', async () => {
  for (const name of ['a', 'b', 'c']) {
    await put(`/${name}.txt`, name);
    await world.run('boss', 'delete', `/${name}.txt`);
  }
  const unasked = await world.run('boss', 'trash', 'empty');
  expect(unasked).toMatchObject({ exitCode: 2, output: '' });
  expect(unasked.errors).toContain('--yes');

  const one = await world.run('boss', 'trash', 'empty', '/b.txt', '--yes');
  expect(one).toMatchObject({ exitCode: 0, output: 'Deleted /b.txt for good.\n' });
  const listed = JSON.parse((await world.run('boss', 'trash', 'list', '--json')).output);
  expect(listed.items.map((item: { path: string }) => item.path)).toEqual(['/c.txt', '/a.txt']);
  expect(await world.run('boss', 'trash', 'empty', '/b.txt', '--yes')).toMatchObject({ exitCode: 5 });

  const rest = await world.run('boss', 'trash', 'empty', '--yes');
  expect(rest.output).toBe('Deleted 2 items for good. The server frees their space later.\n');
  expect((await world.run('boss', 'trash', 'empty', '--yes')).errors).toBe('The trash is empty.\n');
  expect((await world.run('boss', 'trash', 'restore', '/a.txt')).exitCode).toBe(5);
});
