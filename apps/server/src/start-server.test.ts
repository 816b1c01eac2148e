import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { showBlocks } from './blocks-setting.ts';
import { describeConfig, loadConfig } from './config.ts';
import { createServerLog } from './server-log.ts';
import { type RunningServer, type StartServerOptions, startServer } from './start-server.ts';
import { PASSWORD, startTestServer } from './testing/test-server.ts';

let directory: string;
const started: RunningServer[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cairn-start-test-'));
});
afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
  await rm(directory, { recursive: true, force: true });
});

async function start(options: Partial<StartServerOptions> = {}): Promise<RunningServer> {
  const server = await startServer({
    data: join(directory, 'data'),
    port: 0,
    passwordCost: { memoryKib: 64, passes: 1, lanes: 1 },
    ...options,
  });
  started.push(server);
  return server;
}

async function register(server: RunningServer, body: object): Promise<{ status: number; code?: string }> {
  const response = await fetch(`${server.url}/api/v1/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'ann', password: PASSWORD, deviceName: 'x', ...body }),
  });
  const { code } = (await response.json()) as { code?: string };
  return { status: response.status, ...(code === undefined ? {} : { code }) };
}

describe('a server', () => {
  it('keeps its secret, epoch and accounts over a restart, for its owner only', async () => {
    const first = await start();
    expect(await register(first, {})).toEqual({ status: 201 });
    const epoch = await readFile(join(directory, 'data', 'epoch'), 'utf8');
    const secret = await readFile(join(directory, 'data', 'secret'), 'utf8');
    expect((await stat(join(directory, 'data'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(directory, 'data', 'secret'))).mode & 0o777).toBe(0o600);
    expect(first.hasAccounts).toBe(false);
    await first.stop();
    await first.stop();
    const second = await start();
    expect(second.hasAccounts).toBe(true);
    expect(await readFile(join(directory, 'data', 'epoch'), 'utf8')).toBe(epoch);
    expect(await readFile(join(directory, 'data', 'secret'), 'utf8')).toBe(secret);
    expect(await register(second, {})).toMatchObject({ code: 'name-taken' });
  });

  it('gets a new epoch when the one outside the database is another', async () => {
    await (await start()).stop();
    const path = join(directory, 'data', 'epoch');
    const before = await readFile(path, 'utf8');
    await writeFile(path, `${'a'.repeat(26)}\n`);
    await (await start()).stop();
    const after = await readFile(path, 'utf8');
    expect(after).not.toBe(before);
    expect(after).toMatch(/^[a-z2-7]{26}\n$/);
  });

  it('asks for the set-up code once it can be reached by others', async () => {
    const server = await start({ host: '0.0.0.0', setUpCode: 'code-for-automation' });
    expect([server.signUp, server.setUpCode]).toEqual(['invite', 'code-for-automation']);
    expect(await register(server, {})).toEqual({ status: 403, code: 'set-up-code-wrong' });
    expect(await register(server, { setUpCode: 'guess' })).toEqual({
      status: 403,
      code: 'set-up-code-wrong',
    });
    expect(await register(server, { setUpCode: 'code-for-automation' })).toEqual({ status: 201 });
    const second = { username: 'bob', setUpCode: 'code-for-automation' };
    expect(await register(server, second)).toEqual({ status: 403, code: 'sign-up-closed' });
  });

  it('makes a new set-up code itself', async () => {
    const server = await start({ signUp: 'invite' });
    expect(server.setUpCode).toMatch(/^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/);
  });

  it('refuses a folder or a port that another one has', async () => {
    const server = await start();
    await expect(start()).rejects.toMatchObject({
      code: 'already-running',
      message: expect.stringContaining('in use'),
    });
    await expect(start({ blocks: join(directory, 'blocks') })).rejects.toMatchObject({
      code: 'already-running',
    });
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    await expect(start({ data: join(directory, 'other'), port })).rejects.toMatchObject({
      code: 'already-running',
      message: expect.stringContaining(`port ${port}`),
    });
    await new Promise((resolve) => other.close(resolve));
    // What it had opened by then is closed again.
    await start({ data: join(directory, 'other') });
  });

  it('says what is wrong with its folder', async () => {
    await writeFile(join(directory, 'file'), '');
    await expect(start({ data: join(directory, 'file') })).rejects.toMatchObject({ code: 'unavailable' });
    await expect(start({ data: '/proc/cairn' })).rejects.toMatchObject({
      message: expect.stringContaining('/proc/cairn'),
    });
    await (await start()).stop();
    await chmod(join(directory, 'data', 'secret'), 0o600);
    await writeFile(join(directory, 'data', 'secret'), 'damaged');
    await expect(start()).rejects.toMatchObject({ code: 'data-damaged' });
  });

  it('stops at once although somebody polls and listens', async () => {
    const server = await startTestServer();
    const ann = await server.register('ann');
    const token = ann.accessToken;
    const { cursor } = (await server.ask('GET', `/api/v1/spaces/${ann.spaceId}/snapshot`, { token })).json;
    const poll = server.ask(
      'GET',
      `/api/v1/sync/changes?spaceId=${ann.spaceId}&cursor=${cursor}&waitMs=30000`,
      { token },
    );
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/api/v1/sync/events`, {
      headers: { authorization: `Bearer ${token}` },
    } as never);
    await new Promise((resolve) => {
      socket.onmessage = resolve;
    });
    for (;;) {
      if ((await server.ask('GET', '/metrics')).text.includes('cairn_long_polls 1')) break;
    }
    const closed = new Promise<number>((resolve) => {
      socket.onclose = ({ code }) => resolve(code);
    });
    const start = performance.now();
    await server.running.stop();
    // Much less than the poll would take.
    expect(performance.now() - start).toBeLessThan(15_000);
    expect((await poll).json.changes).toEqual([]);
    expect(await closed).toBe(1001);
    await server.close();
  });
});

describe('the key of the block store', () => {
  const KEY = 'ab'.repeat(32);
  const OTHER = Buffer.alloc(32, 5).toString('base64');

  it('seals what is stored, is needed at the next start, and can be changed', async () => {
    const withKey = (text: string) => {
      const { blocksKey } = loadConfig({}, { CAIRN_BLOCKS_KEY: text }, directory).config;
      return start({ blocksKey });
    };
    await (await withKey(KEY)).stop();
    await expect(start()).rejects.toMatchObject({ code: 'not-configured' });
    await expect(withKey(OTHER)).rejects.toMatchObject({ code: 'wrong-credentials' });
    await (await withKey(`${OTHER},${KEY}`)).stop();
    await expect(withKey(KEY)).rejects.toMatchObject({ code: 'wrong-credentials' });
    await (await withKey(OTHER)).stop();
  });

  it('comes from the environment or a file, and is never shown', async () => {
    const path = join(directory, 'key');
    await writeFile(path, `${KEY}\n${OTHER}\n`);
    const fromFile = loadConfig({}, { CAIRN_BLOCKS_KEY_FILE: 'key' }, directory);
    const fromVariable = loadConfig({}, { CAIRN_BLOCKS_KEY: `${KEY}, ${OTHER}` }, directory);
    expect(fromFile.config.blocksKey).toEqual(fromVariable.config.blocksKey);
    expect(fromFile.config.blocksKey).toEqual({
      current: Buffer.from(KEY, 'hex'),
      previous: [Buffer.alloc(32, 5)],
    });
    expect(loadConfig({}, {}, directory).config).toMatchObject({ blocksKey: null, blocksKeyFile: null });
    expect(describeConfig(fromVariable)).toMatch(/blocksKey +\*{8} {2}\(CAIRN_BLOCKS_KEY\)/);
    expect(describeConfig(fromFile)).toContain(path);
    for (const loaded of [fromFile, fromVariable]) {
      expect(describeConfig(loaded)).not.toMatch(/abab|BQUF/);
    }
  });

  it('is refused without being shown when it is no key, is named twice, or lies beside the store', async () => {
    const wrong: Record<string, string>[] = [
      { CAIRN_BLOCKS_KEY: 'abab' },
      { CAIRN_BLOCKS_KEY: `${KEY},abab` },
      { CAIRN_BLOCKS_KEY: `${KEY}ab` },
      { CAIRN_BLOCKS_KEY: 'correct horse abab battery staple' },
      { CAIRN_BLOCKS_KEY_FILE: 'nowhere' },
      { CAIRN_BLOCKS_KEY_FILE: 'empty' },
      { CAIRN_BLOCKS_KEY: KEY, CAIRN_BLOCKS_KEY_FILE: 'empty' },
    ];
    await writeFile(join(directory, 'empty'), '\n');
    for (const variables of wrong) {
      expect(() => loadConfig({}, variables, directory)).toThrow(
        expect.objectContaining({ code: 'usage', message: expect.not.stringContaining('abab') }),
      );
    }
    await writeFile(join(directory, 'own.json'), JSON.stringify({ blocksKey: KEY }));
    expect(() => loadConfig({ config: 'own.json' }, {}, directory)).toThrow('blocksKeyFile');
  });
});

describe('the configuration', () => {
  it('takes flags before variables, those before the file, that before defaults, and says which', async () => {
    const data = join(directory, 'data');
    await startServer({ data, port: 0 }).then((server) => server.stop());
    await writeFile(
      join(data, 'cairn.json'),
      JSON.stringify({ port: 1111, host: '127.0.0.2', signUp: 'invite' }),
    );
    const variables = { CAIRN_PORT: '2222', CAIRN_DATA: data, CAIRN_SECRET: 's'.repeat(40) };
    const loaded = loadConfig({ port: '3333' }, variables, '/');
    expect(loaded.config).toMatchObject({ data, port: 3333, host: '127.0.0.2', signUp: 'invite' });
    expect(loadConfig({}, variables, '/').config.port).toBe(2222);
    const shown = describeConfig(loaded);
    expect(shown).toMatch(/port +3333 {2}\(flag --port\)/);
    expect(shown).toMatch(/secret +\*{8} {2}\(CAIRN_SECRET\)/);
    expect(shown).not.toContain('sss');
    expect(shown).toContain(`(${join(data, 'cairn.json')})`);
    expect(shown).toMatch(/logLevel +info {2}\(default\)/);
  });

  it('opens sign-up only where nobody else can reach the server, unless told', () => {
    expect(loadConfig({}, {}, directory).config).toMatchObject({
      host: '127.0.0.1',
      port: 8000,
      signUp: 'open',
    });
    for (const host of ['0.0.0.0', '::', '192.168.1.2', 'localhost.example.com', '127.0.0.1.nip.io']) {
      expect(loadConfig({ host }, {}, directory).config.signUp).toBe('invite');
    }
    for (const host of ['localhost', '::1', '127.8.8.8']) {
      expect(loadConfig({ host }, {}, directory).config.signUp).toBe('open');
    }
    expect(loadConfig({ host: '::' }, { CAIRN_SIGNUP: 'open' }, directory).config.signUp).toBe('open');
  });

  it('refuses what is wrong or not supported instead of ignoring it', async () => {
    const wrong: Record<string, string>[] = [
      { DATABASE_URL: 'postgres://db' },
      { REDIS_URL: 'redis://r' },
      { CAIRN_BLOCKS: 's3://bucket/prefix' },
      { CAIRN_BLOCKS: 'nodes:x' },
      { CAIRN_PORT: '80a' },
      { CAIRN_PORT: '65536' },
      { CAIRN_SIGNUP: 'yes' },
      { CAIRN_SECRET: 'short' },
      { CAIRN_SETUP_CODE: '1' },
      { CAIRN_LOG_LEVEL: 'loud' },
    ];
    for (const variables of wrong) {
      const name = Object.keys(variables)[0] as string;
      expect(() => loadConfig({}, variables, directory)).toThrow(
        expect.objectContaining({ code: 'usage', message: expect.stringContaining(name) }),
      );
    }
    expect(loadConfig({}, { CAIRN_BLOCKS: 'file:/blocks', REDIS_URL: '' }, directory).config.blocks).toEqual({
      kind: 'folder',
      directory: '/blocks',
    });
    const nodes = 'nodes:?replicas=3&write-quorum=1&repair-mib-s=5&heartbeat-ms=500';
    expect(loadConfig({}, { CAIRN_BLOCKS: nodes }, directory).config.blocks).toEqual({
      kind: 'nodes',
      replicas: 3,
      writeQuorum: 1,
      outAfterMs: 600_000,
      repairBytesPerSecond: 5 * 1024 * 1024,
      heartbeatMs: 500,
      codeAfterMs: null,
    });
    for (const [setting, codeAfterMs] of [
      ['code-after-days=30', 30 * 24 * 60 * 60_000],
      ['code-after-s=90', 90_000],
      ['code-after-s=0', 0],
    ] as const) {
      const { config } = loadConfig({}, { CAIRN_BLOCKS: `nodes:?${setting}` }, directory);
      expect(config.blocks).toMatchObject({ codeAfterMs });
      expect(showBlocks(config.blocks)).toBe(`nodes:?replicas=3&write-quorum=2&out-after-s=600&${setting}`);
    }
    for (const wrong of [
      'nodes:x',
      'nodes:?replicas=0',
      'nodes:?replicas=2&write-quorum=3',
      'nodes:?copies=2',
      'nodes:?code-after-days=0',
      'nodes:?code-after-days=1&code-after-s=1',
      'nodes:?code-after-days=1&replicas=4',
    ]) {
      expect(() => loadConfig({}, { CAIRN_BLOCKS: wrong }, directory)).toThrow(
        expect.objectContaining({ code: 'usage' }),
      );
    }
    await writeFile(join(directory, 'own.json'), '{"prot": 1}');
    expect(() => loadConfig({ config: 'own.json' }, {}, directory)).toThrow('prot');
    expect(() => loadConfig({ config: 'none.json' }, {}, directory)).toThrow('none.json');
  });

  it('keeps secrets out of the log even if somebody logs them', () => {
    let written = '';
    const log = createServerLog('info', {
      write(line: string) {
        written += line;
      },
    });
    log.with({ token: 'hidden-1' }).warn('test', {
      password: 'hidden-2',
      headers: { authorization: 'hidden-3' },
      answer: { body: { refreshToken: 'hidden-4' } },
      shown: 'visible',
    });
    expect(written).toContain('visible');
    expect(written).not.toContain('hidden');
  });
});
