import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliWorld, createCliWorld, PASSWORD } from './testing/cli-world.ts';

describe('accounts and what can go wrong', () => {
  let world: CliWorld;
  beforeAll(async () => {
    world = await createCliWorld();
    expect(await world.run('laptop', 'signup', '--username', 'ann')).toMatchObject({
      exitCode: 0,
      errors: '',
    });
  });
  afterAll(() => world.close());

  async function changeSession(device: string, change: Record<string, unknown>): Promise<void> {
    const path = join(world.homeOf(device), 'session.json');
    await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), ...change }));
  }

  it('every command has help with an example', async () => {
    const names = [
      'serve',
      'signup',
      'login',
      'logout',
      'whoami',
      'devices',
      'list',
      'upload',
      'download',
      'delete',
      'move',
      'mkdir',
      'versions',
      'revert',
      'trash',
      'admin',
    ];
    for (const words of [...names.map((name) => [name]), ['devices', 'revoke'], ['trash', 'restore']]) {
      const { exitCode, output } = await world.run('laptop', ...words, '--help');
      expect(exitCode).toBe(0);
      expect(output).toMatch(/Examples?:\n {2}cairn /);
    }
  });

  it.each([
    [['signup', '-u', 'ann'], 6, 'name-taken'],
    [['whoami'], 3, 'not-signed-in'],
    [['login'], 2, 'usage'],
    [['login', '-u', 'ann', '-s', 'ftp://x'], 2, 'usage'],
    [['login', '-u', 'ann', '-s', 'http://user:pw@127.0.0.1'], 2, 'usage'],
    [['login', '-u', 'ann', '-s', 'http://127.0.0.1:9'], 4, 'server-unreachable'],
    [['download', '--bogus'], 2, null],
    [['frobnicate'], 2, null],
  ])('%j ends with %i', async (words, exitCode, code) => {
    const result = await world.run('nobody', ...words, ...(code === null ? [] : ['--json']));
    expect(result.errors.split('\n', 1)[0]).toMatch(/^cairn: .+\.$/);
    expect(result.exitCode).toBe(exitCode);
    if (code !== null)
      expect(JSON.parse(result.errors.trim().split('\n').at(-1) ?? '')).toMatchObject({ code });
    expect(result.errors + result.output).not.toContain(PASSWORD);
  });

  it('a wrong password is told apart from a server that is none', async () => {
    const wrong = await world.runWith(
      'other',
      { CAIRN_PASSWORD: 'something else' },
      '',
      'login',
      '-u',
      'ann',
    );
    expect(wrong).toMatchObject({ exitCode: 3 });
    const portal = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end('<h1>Please accept our terms</h1>');
    });
    await new Promise<void>((resolve) => portal.listen(0, '127.0.0.1', resolve));
    const server = `http://127.0.0.1:${(portal.address() as AddressInfo).port}`;
    const result = await world.run('other', 'login', '-u', 'ann', '-s', server);
    portal.closeAllConnections();
    portal.close();
    expect(result.exitCode).toBe(4);
    expect(result.errors).toContain('not a Cairn server');
  });

  it('takes the password from standard input', async () => {
    const result = await world.runWith(
      'piped',
      { CAIRN_PASSWORD: '' },
      `${PASSWORD}\n`,
      'login',
      '-u',
      'ann',
      '--password-stdin',
    );
    expect(result).toMatchObject({ exitCode: 0, errors: '' });
    const none = await world.runWith('piped', { CAIRN_PASSWORD: '' }, '', 'login', '-u', 'ann');
    expect(none.exitCode).toBe(2);
  });

  it('several processes renew one sign-in without tripping over each other', async () => {
    const old = { accessTokenExpiresAt: Date.now() - 1000, receivedAt: Date.now() - 3_600_000 };
    await changeSession('laptop', old);
    const runs = [0, 1, 2].map(() => world.start('laptop', 'whoami', '--json').result);
    for (const { exitCode, output, errors } of await Promise.all(runs)) {
      expect(errors).toBe('');
      expect(exitCode).toBe(0);
      expect(JSON.parse(output).user.username).toBe('ann');
    }
    await changeSession('laptop', old);
    expect((await world.run('laptop', 'whoami')).exitCode).toBe(0);
  });

  it('files: list, move, delete, trash and the codes of what is not there', async () => {
    expect((await world.run('laptop', 'mkdir', '-p', '/a/b')).exitCode).toBe(0);
    expect((await world.run('laptop', 'mkdir', '/a/b')).exitCode).toBe(6);
    expect((await world.run('laptop', 'mv', '/a/b', '/c')).exitCode).toBe(0);
    expect((await world.run('laptop', 'mv', '/c', '/a')).output).toContain('/a/c');
    expect((await world.run('laptop', 'mv', '/a/c', '/a/C')).output).toContain('/a/C');
    expect((await world.run('laptop', 'ls', '/nowhere')).exitCode).toBe(5);
    expect((await world.run('laptop', 'get', '/nowhere')).exitCode).toBe(5);
    expect((await world.run('laptop', 'ls', '/a/../b')).exitCode).toBe(2);
    expect((await world.run('laptop', 'rm', '/')).exitCode).toBe(2);
    expect((await world.run('laptop', 'rm', '/a', '/nowhere')).exitCode).toBe(7);
    const { items } = JSON.parse((await world.run('laptop', 'trash', 'list', '--json')).output);
    expect(items).toMatchObject([{ path: '/a' }]);
    expect((await world.run('laptop', 'trash', 'restore', '/a')).exitCode).toBe(0);
    expect((await world.run('laptop', 'ls', '/a/C')).exitCode).toBe(0);
  });

  it('a revoked device is told to sign in again; logout forgets the tokens', async () => {
    expect((await world.run('phone', 'login', '-u', 'ann')).exitCode).toBe(0);
    expect((await world.run('laptop', 'devices', 'revoke', 'phone')).exitCode).toBe(0);
    const refused = await world.run('phone', 'ls');
    expect(refused.exitCode).toBe(3);
    expect(refused.errors).toContain('cairn login');
    expect((await world.run('phone', 'login', '-u', 'ann')).exitCode).toBe(0);
    expect((await world.run('phone', 'whoami')).exitCode).toBe(0);
    expect((await world.run('phone', 'logout')).exitCode).toBe(0);
    expect((await world.run('phone', 'whoami')).exitCode).toBe(3);
  });
});
