import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeBlock } from '../testing/blocks.ts';
import {
  dumpIndex,
  makeStoreDirectory,
  openTestStore,
  removeStoreDirectory,
} from '../testing/segment-store.ts';

const SCRIPT = fileURLToPath(new URL('../testing/store-process.ts', import.meta.url));
const SEEDS_PER_RUN = 1_000_000;

interface Running {
  readonly process: ChildProcess;
  readonly lines: string[];
  /** Resolves when at least this many lines were said, or the process ended. */
  readonly said: (count: number) => Promise<void>;
  readonly ended: Promise<unknown>;
}

function start(directory: string, firstSeed: number, ...more: string[]): Running {
  const child = spawn(process.execPath, [SCRIPT, directory, String(firstSeed), ...more], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  let rest = '';
  let over = false;
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const each of waiting) each();
  };
  child.stdout.on('data', (data: Buffer) => {
    const parts = (rest + data.toString()).split('\n');
    rest = parts.pop() as string;
    lines.push(...parts);
    wake();
  });
  const ended = once(child, 'close').then(() => {
    over = true;
    wake();
  });
  return {
    process: child,
    lines,
    ended,
    said: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (lines.length < count && !over) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}

let directory: string;
let running: Running | null;
beforeEach(async () => {
  directory = await makeStoreDirectory();
  running = null;
});
afterEach(async () => {
  running?.process.kill('SIGKILL');
  await running?.ended;
  await removeStoreDirectory(directory);
});

/** What an index says of blocks, apart from where they are. */
function blocksOf(dump: unknown): unknown {
  const { blocks } = dump as { blocks: Record<string, unknown>[] };
  return blocks.map(({ segment, offset, ...block }) => block);
}

describe('a store in a process of its own', () => {
  it.each(['when it is killed at any moment', 'when that happens while it compacts'])(
    'loses nothing that it acknowledged %s',
    { timeout: 240_000 },
    async (when) => {
      const more = when.includes('compacts') ? ['compact'] : [];
      let compactions = 0;
      const acknowledged = new Set<number>();
      const deleted = new Set<number>();
      const doubtful = new Set<number>();
      for (let round = 0; round < 12; round++) {
        running = start(directory, (round + 1) * SEEDS_PER_RUN, ...more);
        await running.said(1 + ((round * 37) % 230));
        running.process.kill('SIGKILL');
        await running.ended;
        for (const line of running.lines) {
          const [word, seed] = line.split(' ');
          if (word === 'compacted') compactions++;
          if (word === 'ack') acknowledged.add(Number(seed));
          if (word === 'deleting') doubtful.add(Number(seed));
          if (word === 'deleted') deleted.add(Number(seed));
        }
        expect(running.lines[0]).toBe('open');
        const store = await openTestStore(directory);
        for (const seed of acknowledged) {
          const block = makeBlock(seed, 100 + ((seed * 7919) % 9000));
          const got = await store.get(block.blockId);
          if (deleted.has(seed)) expect(got).toBeNull();
          else if (got === null) expect(doubtful.has(seed)).toBe(true);
          else expect(Buffer.compare(got.payload, block.payload)).toBe(0);
        }
        expect((await store.usage()).quarantinedRecords).toBe(0);
        await store.close();
      }
      expect(acknowledged.size).toBeGreaterThan(500);
      expect(deleted.size).toBeGreaterThan(3);
      if (more.length > 0) expect(compactions).toBeGreaterThan(3);
      const before = dumpIndex(directory);
      await rm(join(directory, 'index.sqlite'));
      await (await openTestStore(directory)).close();
      // A kill between a copy and the index leaves two records, of which either may win.
      if (more.length > 0) expect(blocksOf(dumpIndex(directory))).toEqual(blocksOf(before));
      else expect(dumpIndex(directory)).toEqual(before);
    },
  );

  it('has its folder to itself, and no lock outlives it', async () => {
    running = start(directory, 0);
    await running.said(1);
    await expect(openTestStore(directory)).rejects.toMatchObject({
      code: 'already-running',
      message: expect.stringContaining(`process ${running.process.pid}`),
    });
    const second = start(directory, SEEDS_PER_RUN);
    await second.ended;
    expect(second.lines).toEqual(['refused already-running']);
    running.process.kill('SIGKILL');
    await running.ended;
    await (await openTestStore(directory)).close();
  });
});
