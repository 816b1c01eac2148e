import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { BlocksResponse, ClusterResponse, VerificationResponse } from '@cairn/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type CairnProcess,
  type ChildProcesses,
  createChildProcesses,
  startServerProcess,
  waitUntil,
} from './demo/child-processes.ts';
import { runCli } from './run-cli.ts';
import { type CliResult, PASSWORD } from './testing/cli-world.ts';
import { createSteadyTraffic, type SteadyTraffic } from './testing/steady-traffic.ts';

/** A server and storage nodes in processes of their own; the server is killed. */

const WAIT = { timeoutMs: 90_000, everyMs: 100 };
const MEBIBYTE = 1024 * 1024;

describe('moving all contents while the server serves', { timeout: 420_000 }, () => {
  let folder: string;
  let processes: ChildProcesses;
  let server: { readonly process: CairnProcess; readonly url: string; readonly port: number };
  let token: string;
  let traffic: SteadyTraffic;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cairn-moving-'));
    processes = createChildProcesses();
    await startServer();
    await run('signup', '--username', 'ann');
    const response = await fetch(`${server.url}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'ann', password: PASSWORD, deviceName: 'tests' }),
    });
    token = ((await response.json()) as { accessToken: string }).accessToken;
    traffic = createSteadyTraffic(
      () => server.url,
      () => token,
    );
  });
  afterEach(async () => {
    await processes.killAll();
    await rm(folder, { recursive: true, force: true });
  });

  async function startServer(variables: Record<string, string> = {}): Promise<void> {
    server = await startServerProcess(processes, join(folder, 'data'), {
      variables: { CAIRN_LOG_LEVEL: 'warn', CAIRN_BLOCKS: '', ...variables },
      timeoutMs: WAIT.timeoutMs,
      ...(server === undefined ? {} : { port: server.port }),
    });
  }

  async function run(...words: string[]): Promise<CliResult> {
    let output = '';
    let errors = '';
    const exitCode = await runCli(words, {
      variables: {
        CAIRN_HOME: join(folder, 'home'),
        CAIRN_DEVICE: 'laptop',
        CAIRN_SERVER: server.url,
        CAIRN_PASSWORD: PASSWORD,
      },
      input: Readable.from([]),
      output: { write: (text) => (output += text) },
      errors: { write: (text) => (errors += text) },
      signal: new AbortController().signal,
    });
    return { exitCode, output, errors };
  }

  async function ask<Answer>(...words: string[]): Promise<Answer> {
    const { output, errors } = await run(...words, '--json');
    if (output === '') throw new Error(errors);
    return JSON.parse(output) as Answer;
  }

  const status = () => ask<BlocksResponse>('admin', 'blocks', 'status');

  async function joinNode(name: string): Promise<void> {
    const { token: joinToken } = await ask<{ token: string }>('admin', 'nodes', 'invite');
    const words = ['node', '--data', join(folder, name), '--listen', '127.0.0.1:0', '--join', server.url];
    const node = processes.start(words, { variables: { CAIRN_JOIN_TOKEN: joinToken } });
    await waitUntil(
      () => {
        if (node.hasEnded) throw new Error(node.output);
        return /listens at/.test(node.output);
      },
      'the node to listen',
      WAIT,
    );
  }

  async function verifies(): Promise<void> {
    const answer = await ask<VerificationResponse>('admin', 'verify');
    expect(answer).toMatchObject({
      state: 'done',
      report: { badBlocks: 0, damagedVersions: 0, underReplicated: 0 },
    });
  }

  test('from a folder to nodes, with a kill on the way, and back to another folder', async () => {
    for (let count = 0; count < 40; count++) await traffic.store(`/before-${count}`, 300_000);
    expect((await run('admin', 'blocks', 'move', 'nodes:')).errors).toContain('0 are up');
    for (const name of ['n1', 'n2', 'n3']) await joinNode(name);
    await waitUntil(
      async () => (await ask<ClusterResponse>('admin', 'nodes')).nodes.every(({ state }) => state === 'up'),
      'three nodes to be up',
      WAIT,
    );
    expect((await ask<ClusterResponse>('admin', 'nodes')).mode).toBe('folder');

    const steady = traffic.start();
    await steady.goOn(10);
    const begun = await run('admin', 'blocks', 'move', 'nodes:', '--mib-s', '1');
    expect(begun).toMatchObject({ exitCode: 0, errors: '' });
    await waitUntil(
      async () => {
        const { move } = await status();
        return move !== null && move.phase === 'copying' && move.copiedBytes > MEBIBYTE;
      },
      'some blocks to be copied',
      WAIT,
    );
    // Uploads and downloads are under way, and most is not copied yet: at this pace that takes ten seconds more.
    await server.process.kill();
    expect(server.process.hasEnded).toBe(true);
    await startServer();
    const resumed = await status();
    expect(resumed.move).toMatchObject({ phase: 'copying' });
    expect(resumed.move?.copiedBytes).toBeGreaterThan(MEBIBYTE);
    await steady.goOn(10);
    const other = await run('admin', 'blocks', 'move', `file:${join(folder, 'other')}`);
    expect(other).toMatchObject({ exitCode: 6 });
    expect(other.errors).toContain('another move');
    const ended = await run('admin', 'blocks', 'move', 'nodes:', '--mib-s', '0', '--wait');
    expect(ended).toMatchObject({ exitCode: 0 });
    expect(ended.output).toContain('Contents are in nodes:');
    await steady.goOn(20);
    await steady.stop();
    expect(await traffic.checkAll()).toBeGreaterThan(40);
    await verifies();
    expect((await ask<ClusterResponse>('admin', 'nodes')).mode).toBe('nodes');

    // With what was set before, the recorded place is used all the same.
    await server.process.stop();
    await startServer();
    expect(server.process.output).toContain('blocks.moved-away');
    expect((await status()).warning).toContain('set it to nodes:');
    await traffic.checkAll();
    await server.process.stop();
    await expect(startServer({ CAIRN_BLOCKS: `file:${join(folder, 'wrong')}` })).rejects.toThrow(
      /the blocks of this server are in nodes:/,
    );
    expect(await readdir(folder)).not.toContain('wrong');

    await startServer({ CAIRN_BLOCKS: 'nodes:' });
    expect((await status()).warning).toBeNull();
    const back = traffic.start();
    await back.goOn(10);
    const target = join(folder, 'second', 'blocks');
    expect(await run('admin', 'blocks', 'move', `file:${target}`, '--wait')).toMatchObject({ exitCode: 0 });
    await back.goOn(10);
    await back.stop();
    await processes.killAll();
    await startServer({ CAIRN_BLOCKS: `file:${target}` });
    await traffic.checkAll();
    await verifies();
  });
});
