import { hash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { open, readFile, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type BlockStore, openSegmentBlockStore } from '@cairn/block-store';
import { createNodePlatform, encodeBlock, openBlock, type StoredBlock } from '@cairn/content';
import { createSystemEnvironment, silentLog } from '@cairn/environment';
import { median, spread } from './world/statistics.ts';

/**
 * The segment store beside one file for each block, as durable: `npm run bench:blocks`. Then how fast a scrub goes
 * beside SHA-256 alone over the same bytes. Everything in one run and by turns; the ratios of medians are the result.
 */
const { values } = parseArgs({
  options: {
    small: { type: 'string', default: '20000' },
    large: { type: 'string', default: '1000' },
    runs: { type: 'string', default: '5' },
    folder: { type: 'string', default: tmpdir() },
  },
});
const RUNS = Number(values.runs);
/** Blocks of one put, as a client's packs bring them. */
const PACK_BYTES = 4 * 1024 * 1024;
/** How many files the competitor has on their way at once. */
const LANES = 16;

const platform = createNodePlatform();
const environment = createSystemEnvironment(silentLog);

interface Keeper {
  put(blocks: readonly StoredBlock[]): Promise<void>;
  get(blocks: readonly StoredBlock[]): Promise<void>;
  close(): Promise<void>;
}

function isRight(block: StoredBlock): boolean {
  try {
    openBlock(platform, block);
    return true;
  } catch {
    return false;
  }
}

function openStore(directory: string): Promise<BlockStore> {
  return openSegmentBlockStore({ directory, environment, verify: isRight });
}

async function openSegments(directory: string): Promise<Keeper> {
  const store = await openStore(directory);
  return {
    put: async (blocks) => void (await store.put(blocks)),
    async get(blocks) {
      let found = 0;
      for await (const block of store.getMany(blocks.map((each) => each.blockId)))
        found += block === null ? 0 : 1;
      if (found !== blocks.length) throw new Error('a block is missing');
    },
    close: () => store.close(),
  };
}

/**
 * Write a file, flush it, rename it, and flush each folder once for a whole put: the least that is durable.
 * @param isChecked whether what is read is compared with its id, as a store has to that answers right bytes or an error
 */
async function openFiles(directory: string, isChecked: boolean): Promise<Keeper> {
  for (let prefix = 0; prefix < 256; prefix++)
    mkdirSync(join(directory, prefix.toString(16).padStart(2, '0')), { recursive: true });
  const folderOf = (block: StoredBlock) => join(directory, block.blockId.slice(2, 4));
  async function inLanes(blocks: readonly StoredBlock[], work: (block: StoredBlock) => Promise<void>) {
    let next = 0;
    const lane = async () => {
      for (let block = blocks[next++]; block !== undefined; block = blocks[next++]) await work(block);
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  }
  return {
    async put(blocks) {
      await inLanes(blocks, async (block) => {
        const path = join(folderOf(block), block.blockId);
        const file = await open(`${path}.new`, 'wx');
        await file.write(block.payload);
        await file.datasync();
        await file.close();
        await rename(`${path}.new`, path);
      });
      for (const folder of new Set(blocks.map(folderOf))) {
        const handle = await open(folder);
        await handle.sync();
        await handle.close();
      }
    },
    get: (blocks) =>
      inLanes(blocks, async (block) => {
        const payload = await readFile(join(folderOf(block), block.blockId));
        if (payload.length === 0) throw new Error('a block is empty');
        if (isChecked && !isRight({ ...block, payload })) throw new Error('a block is damaged');
      }),
    close: async () => undefined,
  };
}

function makeBlocks(count: number, sizeBytes: number): StoredBlock[] {
  return Array.from({ length: count }, () =>
    encodeBlock(platform, 'chunk', environment.random.bytes(sizeBytes)),
  );
}

function packsOf(blocks: readonly StoredBlock[]): StoredBlock[][] {
  const packs: StoredBlock[][] = [];
  let sizeBytes = Number.POSITIVE_INFINITY;
  for (const block of blocks) {
    if (sizeBytes + block.payload.length > PACK_BYTES) {
      packs.push([]);
      sizeBytes = 0;
    }
    packs[packs.length - 1]?.push(block);
    sizeBytes += block.payload.length;
  }
  return packs;
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, at: environment.random.fraction() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

async function seconds(work: () => unknown): Promise<number> {
  const before = performance.now();
  await work();
  return (performance.now() - before) / 1000;
}

const root = mkdtempSync(join(values.folder, 'cairn-blocks-'));
let made = 0;

async function compare(count: number, sizeBytes: number): Promise<void> {
  const keepers = {
    segments: openSegments,
    'one file each, read without a check': (directory: string) => openFiles(directory, false),
    'one file each, checked': (directory: string) => openFiles(directory, true),
  };
  const names = Object.keys(keepers) as (keyof typeof keepers)[];
  const times = Object.fromEntries(names.map((name) => [name, { put: [], get: [] }])) as unknown as Record<
    keyof typeof keepers,
    Record<'put' | 'get', number[]>
  >;
  const blocks = makeBlocks(count, sizeBytes);
  const order = shuffled(blocks);
  // Whoever writes first pays for the system's memory of all that comes after: the first run does not count, and each is
  // first in its turn.
  for (let run = -1; run < RUNS; run++) {
    const first = (run + names.length) % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      const directory = join(root, String(made++));
      mkdirSync(directory);
      const keeper = await keepers[name](directory);
      const put = await seconds(async () => {
        for (const pack of packsOf(blocks)) await keeper.put(pack);
      });
      const get = await seconds(() => keeper.get(order));
      if (run >= 0) {
        times[name].put.push(put);
        times[name].get.push(get);
      }
      await keeper.close();
      rmSync(directory, { recursive: true });
    }
  }
  for (const verb of ['put', 'get'] as const) {
    const ours = times.segments[verb];
    console.log(`${verb} ${count} blocks of ${sizeBytes / 1024} KiB: segments ${spread(ours, 3)} s`);
    for (const name of names.slice(1)) {
      const theirs = times[name][verb];
      const ratios = theirs.map((time, run) => time / (ours[run] ?? Number.NaN));
      console.log(`  ${name}: ${spread(theirs, 3)} s, ratio ${spread(ratios, 2)}`);
    }
  }
}

async function scrub(count: number, sizeBytes: number): Promise<void> {
  const directory = join(root, String(made++));
  mkdirSync(directory);
  const store = await openStore(directory);
  const blocks = makeBlocks(count, sizeBytes);
  for (const pack of packsOf(blocks)) await store.put(pack);
  const scrubs: number[] = [];
  const hashes: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    hashes.push(
      await seconds(() => {
        for (const { payload } of blocks) hash('sha256', payload, 'buffer');
      }),
    );
    scrubs.push(
      await seconds(async () => {
        const report = await store.scrub();
        if (report.checkedBlocks !== count || report.damagedCount > 0)
          throw new Error(JSON.stringify(report));
      }),
    );
  }
  await store.close();
  rmSync(directory, { recursive: true });
  const rate = (durations: number[]) => (count * sizeBytes) / 1e6 / median(durations);
  console.log(
    `scrub ${count} blocks of ${sizeBytes / 1024} KiB: ${rate(scrubs).toFixed(0)} MB/s, SHA-256 alone ${rate(hashes).toFixed(0)} MB/s, ratio ${(rate(scrubs) / rate(hashes)).toFixed(2)}`,
  );
}

try {
  const [small, large] = [Number(values.small), Number(values.large)];
  await compare(small, 4 * 1024);
  await compare(large, 1024 * 1024);
  await scrub(small, 4 * 1024);
  await scrub(large, 1024 * 1024);
} finally {
  rmSync(root, { recursive: true, force: true });
}
