import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CliWorld, createCliWorld } from './testing/cli-world.ts';

let world: CliWorld;
beforeEach(async () => {
  world = await createCliWorld();
  await world.run('boss', 'signup', '--username', 'boss');
  await world.run('member', 'signup', '--username', 'member');
});
afterEach(() => world.close());

async function put(path: string, text: string): Promise<void> {
  const local = join(world.folder, 'local.txt');
  await writeFile(local, text);
  expect((await world.run('member', 'upload', local, path)).errors).toBe('');
}

/** Lets everything that was saved or deleted so far have happened within one moment of one day, some days ago. */
function age(days: number): void {
  const dayMs = 24 * 60 * 60_000;
  const at = (Math.floor(Date.now() / dayMs) - days) * dayMs + dayMs / 2;
  const database = new DatabaseSync(join(world.dataFolder, 'metadata.sqlite'), { timeout: 5000 });
  database.prepare('UPDATE trash SET trashed_at = ?').run(at);
  // A version never changes, as far as the server is concerned.
  const never = database.prepare(`SELECT sql FROM sqlite_schema WHERE name = 'versions_never_change'`).get();
  database.exec('DROP TRIGGER versions_never_change');
  database.prepare('UPDATE versions SET committed_at = ? + sequence').run(at);
  database.exec(String(never?.['sql']));
  database.close();
}

test('shows what holds and who says so, and changes only what is named', async () => {
  const shown = await world.run('member', 'retention');
  expect(shown).toMatchObject({ exitCode: 0, errors: '' });
  expect(shown.output).toBe(
    'Old versions: all for 30 days, then the last one of each day until it is 365 days old, then the last one of each week.\n' +
      'Trash: 90 days, or until somebody empties it.\n' +
      `This is the server's default. Change it with "cairn retention set".\n`,
  );
  const set = await world.run('member', 'retention', 'set', '--versions-all-days', '400');
  expect(set.output).toBe(
    'Old versions: all for 400 days, then the last one of each week.\n' +
      'Trash: 90 days, or until somebody empties it.\n' +
      'This is set by you for your space. Take it back with "cairn retention reset".\n',
  );
  const kept = await world.run('member', 'retention', 'set', '--keep-all', '--trash-days', '120', '--json');
  expect(JSON.parse(kept.output).own).toEqual({
    versions: { keep: 'all' },
    trash: { keep: 'days', days: 120 },
  });
  expect((await world.run('boss', 'retention')).output).toContain('90 days');
  expect((await world.run('member', 'retention', 'reset')).output).toContain("This is the server's default.");
});

test('an administrator sets what holds for spaces that say nothing else', async () => {
  expect((await world.run('boss', 'admin', 'retention')).output).toContain('This is built in');
  const set = await world.run('boss', 'admin', 'retention', 'set', '--trash-days', '7');
  expect(set).toMatchObject({ exitCode: 0, errors: '' });
  expect((await world.run('member', 'retention')).output).toContain('Trash: 7 days');
  const reset = JSON.parse((await world.run('boss', 'admin', 'retention', 'reset', '--json')).output);
  expect(reset).toMatchObject({ own: null, effective: { trash: { days: 90 } } });
  for (const words of [[], ['set', '--keep-all'], ['reset']]) {
    expect(await world.run('member', 'admin', 'retention', ...words)).toMatchObject({
      exitCode: 5,
      output: '',
    });
  }
});

test('asks before it takes away what is kept now, and then the next clean-up takes it', async () => {
  for (const text of ['one', 'two', 'three']) await put('/plan.txt', text);
  await put('/gone.txt', 'deleted');
  await world.run('member', 'delete', '/gone.txt');
  age(10);
  const shorter = ['retention', 'set', '--versions-all-days', '2', '--trash-days', '5'];
  const unasked = await world.run('member', ...shorter);
  expect(unasked).toMatchObject({ exitCode: 2, output: '' });
  expect(unasked.errors).toContain('would remove 1 old version (3 B) and 1 item of the trash for good');
  expect(unasked.errors).toContain('--yes');
  expect(JSON.parse((await world.run('member', 'retention', '--json')).output).own).toBeNull();
  // What takes nothing away is not asked about.
  expect((await world.run('member', 'retention', 'set', '--versions-all-days', '20')).exitCode).toBe(0);

  expect((await world.run('member', ...shorter, '--yes')).exitCode).toBe(0);
  const done = JSON.parse((await world.run('boss', 'admin', 'gc', '--json')).output);
  expect(done.report).toMatchObject({ versions: { versions: 1 }, trash: { items: 1 } });
});

test('refuses what nobody can mean', async () => {
  const refusals: [string[], string][] = [
    [[], 'say what to change'],
    [['--trash-days', '0'], 'not a number of days from 1 to 36500'],
    [['--versions-all-days', '-3'], 'not a number of days'],
    [['--versions-all-days', '50', '--daily-for-days', '20'], 'must not be less'],
    [['--keep-all', '--daily-for-days', '20'], 'say with --versions-all-days'],
  ];
  for (const [flags, said] of refusals) {
    const answer = await world.run('member', 'retention', 'set', ...flags);
    expect(answer).toMatchObject({ exitCode: 2, output: '' });
    expect(answer.errors).toContain(said);
  }
});
