import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DrillReport } from '@cairn/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type CairnProcess,
  type ChildProcesses,
  createChildProcesses,
  waitUntil,
} from '../demo/child-processes.ts';
import { createCliWorld } from '../testing/cli-world.ts';

/** Drills as a person starts them: processes that start processes. */

describe('cairn admin drill', { timeout: 420_000 }, () => {
  const drills: CairnProcess[] = [];
  let processes: ChildProcesses;
  let folder: string;
  beforeEach(async () => {
    processes = createChildProcesses();
    folder = await mkdtemp(join(tmpdir(), 'cairn-drill-test-'));
  });
  afterEach(async () => {
    // Asked to end, not killed: a drill that is killed cannot end the processes that it started.
    await Promise.all(drills.splice(0).map((drill) => (drill.hasEnded ? null : drill.stop(60_000))));
    await processes.killAll();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  function start(...words: string[]): CairnProcess {
    const drill = processes.start(['admin', 'drill', '--files', '10', ...words], {
      variables: { TMPDIR: folder, CAIRN_HOME: join(folder, 'home'), CAIRN_SERVER: '' },
    });
    drills.push(drill);
    return drill;
  }
  const leftovers = async () =>
    (await readdir(folder)).filter((name) => name !== 'node-compile-cache' && name !== 'home');

  /** Processes that name the folder in their command line; empty where there is no /proc. */
  async function processesHere(path = folder): Promise<string[]> {
    const found: string[] = [];
    for (const id of await readdir('/proc').catch(() => [])) {
      if (!/^\d+$/.test(id)) continue;
      const words = await readFile(join('/proc', id, 'cmdline'), 'utf8').catch(() => '');
      if (words.includes(path)) found.push(words.replaceAll('\0', ' '));
    }
    return found;
  }

  test('proves everything on a scratch copy of real files, tells the server, and leaves nothing behind', async () => {
    const world = await createCliWorld();
    try {
      await world.run('laptop', 'signup', '--username', 'ann');
      for (let number = 0; number < 4; number++) {
        const path = join(world.folder, `real-${number}.bin`);
        await writeFile(path, randomBytes(20_000 * number));
        await world.run('laptop', 'upload', path, '/');
      }
      const drill = world.start('laptop', 'admin', 'drill', '--json', '--seed', 'test', '--sample', '3');
      const { exitCode, output, errors } = await drill.result;
      expect(errors).toMatch(/3 files \(.*\) of http:\/\/127\.0\.0\.1:\d+ were copied/);
      const report = JSON.parse(output) as DrillReport & { folder: null };
      expectAllProven(report, exitCode);
      const { drills } = JSON.parse((await world.run('laptop', 'admin', 'nodes', '--json')).output);
      expect(drills).toEqual([{ kind: 'scratch', endedAt: report.endedAt, proven: 10, unproven: 0 }]);
      expect((await world.run('laptop', 'admin', 'nodes')).output).toContain('all 10 claims proven');
      const cluster = /in (\S+) \(seed/.exec(errors)?.[1] as string;
      await expect(readdir(cluster)).rejects.toMatchObject({ code: 'ENOENT' });
      expect(await processesHere(cluster)).toEqual([]);
    } finally {
      await world.close();
    }
  });

  function expectAllProven(report: DrillReport & { folder: null }, exitCode: number): void {
    expect(report.claims.filter(({ result }) => result !== 'proven')).toEqual([]);
    expect(exitCode).toBe(0);
    expect(report.folder).toBeNull();
    expect(report.claims.map(({ id }) => id)).toEqual([
      'reads-by-hash',
      'one-node-killed',
      'two-nodes-killed',
      'healed-after-restart',
      'damage-at-rest',
      'damage-while-running',
      'node-full',
      'node-wiped',
      'server-killed',
      'clean-at-the-end',
    ]);
    const figures = Object.fromEntries(report.claims.map((claim) => [claim.id, claim.figures]));
    expect(figures['one-node-killed']).toMatchObject({ failedRequests: 0 });
    expect(figures['damage-at-rest']?.['damagedRecords']).toBe(1);
    expect(figures['node-wiped']?.['noticedBlocks']).toBeGreaterThan(0);
    for (const { startedAt, endedAt } of report.claims) expect(endedAt).toBeGreaterThanOrEqual(startedAt);
  }

  test('says what is not proven where each block is on one node, and keeps the folder', async () => {
    const drill = start('--replicas', '1', '--heal-within', '8');
    expect(await drill.ended).toBe(1);
    expect(drill.output).toMatch(/Not proven: No request fails when a node dies/);
    expect(drill.output).toMatch(/Not proven: With two nodes dead every file reads/);
    expect(drill.output).toMatch(/Not proven: A node that comes back empty is noticed and refilled/);
    expect(drill.output).toMatch(/claims of 10 not proven\./);
    const [kept, ...others] = await leftovers();
    expect(others).toEqual([]);
    expect(drill.output).toContain(`The folder of the drill is kept: ${join(folder, kept as string)}`);
    const inside = await readdir(join(folder, kept as string));
    expect(inside).toEqual(
      expect.arrayContaining(['server', 'node-1', 'node-2', 'node-3', '001-server.log']),
    );
    expect(await processesHere()).toEqual([]);
  });

  test('cleans up after Ctrl-C', async () => {
    const drill = start();
    await waitUntil(() => drill.output.includes('… No request fails'), 'the first kill', {
      timeoutMs: 120_000,
    });
    drill.signal('SIGINT');
    expect(await drill.ended).toBe(130);
    expect(await leftovers()).toEqual([]);
    expect(await processesHere()).toEqual([]);
  });
});
