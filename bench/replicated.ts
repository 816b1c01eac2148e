import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type BlockStore,
  createReadBuffers,
  createRemoteBlockStore,
  createReplicatedBlockStore,
  openNodeConnection,
  openSegmentBlockStore,
  type ReplicaNode,
} from '@cairn/block-store';
import { createNodePlatform, encodeBlock, isIntactBlock, type StoredBlock } from '@cairn/content';
import { createSystemEnvironment, silentLog } from '@cairn/environment';
import { readUsage } from './world/process-usage.ts';
import { median, spread } from './world/statistics.ts';

/**
 * Puts and gets of a replicated store over three storage nodes, real processes on loopback with the connections that a
 * cluster has, beside one local segment store: `npm run bench:replicated`. By turns in one run; the ratio of the
 * medians is the result. All of them share this machine's disk and cores, so the floor is measured, too: three processes
 * that do nothing but write as many bytes, flushed as often, beside one. CPU seconds tell what it costs even where other
 * work makes the clock useless.
 */
const { values } = parseArgs({
  options: {
    blocks: { type: 'string', default: '1000' },
    kib: { type: 'string', default: '1024' },
    runs: { type: 'string', default: '5' },
    lanes: { type: 'string', default: '2' },
    folder: { type: 'string', default: tmpdir() },
  },
});
const RUNS = Number(values.runs);
const BLOCK_BYTES = Number(values.kib) * 1024;
/** Packs that a server has in its hands at once; clients send two. */
const LANES = Number(values.lanes);
const PACK_BYTES = 4 * 1024 * 1024;
const NODES = 3;

const platform = createNodePlatform();
const environment = createSystemEnvironment(silentLog);
const root = mkdtempSync(join(values.folder, 'cairn-replicated-'));
const verify = (block: StoredBlock) => isIntactBlock(platform, block);

interface Opened {
  readonly store: BlockStore;
  /** The storage nodes, if there are any. */
  readonly processIds: readonly number[];
  close(): Promise<void>;
}

/** What one pass over all blocks took. */
interface Cost {
  readonly seconds: number;
  /** Of this process, which has the store, and of all its nodes. */
  readonly ownCpuSeconds: number;
  readonly nodesCpuSeconds: number;
}

async function openLocal(directory: string): Promise<Opened> {
  const store = await openSegmentBlockStore({ directory, environment, verify });
  return { store, processIds: [], close: () => store.close() };
}

async function openReplicated(directory: string): Promise<Opened> {
  const key = environment.random.bytes(32);
  const children = await Promise.all(
    Array.from({ length: NODES }, async (_, index) => {
      const child = fork(join(import.meta.dirname, 'replicated-node.ts'));
      child.send({ directory: join(directory, `node-${index}`), key: Buffer.from(key).toString('hex') });
      const [port] = (await once(child, 'message')) as [number];
      return { child, port };
    }),
  );
  const nodes = children.map(
    ({ port }, index): ReplicaNode => ({
      nodeId: `node-${index}`,
      weight: 1,
      zone: '',
      blocks: createRemoteBlockStore(openNodeConnection({ host: '127.0.0.1', port, key })),
      isWritable: true,
      isReadable: true,
      isUp: true,
      isMember: true,
    }),
  );
  const store = createReplicatedBlockStore({
    environment,
    verify,
    nodes: {
      list: () => nodes,
      note(nodeId, outcome, error) {
        if (outcome !== 'answered') throw new Error(`${nodeId} ${outcome}: ${error}`);
      },
      close: async () => void (await Promise.all(nodes.map(({ blocks }) => blocks.close()))),
    },
  });
  return {
    store,
    processIds: children.map(({ child }) => child.pid as number),
    async close() {
      await store.close();
      for (const { child } of children) {
        child.disconnect();
        await once(child, 'exit');
      }
    },
  };
}

function packsOf(blocks: readonly StoredBlock[]): StoredBlock[][] {
  const length = Math.max(1, Math.floor(PACK_BYTES / BLOCK_BYTES));
  const packs: StoredBlock[][] = [];
  for (let start = 0; start < blocks.length; start += length) packs.push(blocks.slice(start, start + length));
  return packs;
}

async function putAll(store: BlockStore, blocks: readonly StoredBlock[]): Promise<void> {
  const packs = packsOf(blocks);
  let next = 0;
  const lane = async () => {
    for (let pack = packs[next++]; pack !== undefined; pack = packs[next++]) await store.put(pack);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

/** What a server reads for downloads into. */
const READ_BUFFERS_BYTES = 16 * 1024 * 1024;

async function getAll(store: BlockStore, blocks: readonly StoredBlock[]): Promise<void> {
  let found = 0;
  const blockIds = blocks.map(({ blockId }) => blockId);
  for await (const block of store.getMany(blockIds, createReadBuffers(READ_BUFFERS_BYTES)))
    found += block === null ? 0 : 1;
  if (found !== blocks.length) throw new Error('a block is missing');
}

async function measure(processIds: readonly number[], work: () => Promise<void>): Promise<Cost> {
  const cpuSeconds = () => ({
    own: readUsage(process.pid).cpuSeconds,
    nodes: processIds.reduce((sum, id) => sum + readUsage(id).cpuSeconds, 0),
  });
  const before = { at: performance.now(), ...cpuSeconds() };
  await work();
  const after = { at: performance.now(), ...cpuSeconds() };
  return {
    seconds: (after.at - before.at) / 1000,
    ownCpuSeconds: after.own - before.own,
    nodesCpuSeconds: after.nodes - before.nodes,
  };
}

/** Seconds until `writers` processes have written all bytes each, flushed after every pack. */
async function measureFloor(directory: string, writers: number): Promise<number> {
  const sizeBytes = Number(values.blocks) * BLOCK_BYTES;
  const children = Array.from({ length: writers }, () =>
    fork(join(import.meta.dirname, 'replicated-floor.ts')),
  );
  const gone = children.map((child) => once(child, 'exit'));
  await Promise.all(children.map((child) => once(child, 'message')));
  const { seconds } = await measure([], async () => {
    const done = children.map((child, index) => {
      child.send({ path: join(directory, `writer-${index}`), sizeBytes, flushBytes: PACK_BYTES });
      return once(child, 'message');
    });
    await Promise.all(done);
  });
  await Promise.all(gone);
  return seconds;
}

const STORES = [
  ['local', openLocal],
  ['replicated', openReplicated],
] as const;
const costs = { local: { put: [], get: [] }, replicated: { put: [], get: [] } } as Record<
  'local' | 'replicated',
  Record<'put' | 'get', Cost[]>
>;
const floors: { readonly one: number; readonly all: number }[] = [];

async function runOnce(run: number, blocks: readonly StoredBlock[]): Promise<void> {
  for (const [name, open] of run % 2 === 0 ? STORES : STORES.toReversed()) {
    const directory = join(root, `${name}-${run + 1}`);
    mkdirSync(directory);
    const { store, processIds, close } = await open(directory);
    const put = await measure(processIds, () => putAll(store, blocks));
    const get = await measure(processIds, () => getAll(store, blocks));
    if (run >= 0) {
      costs[name].put.push(put);
      costs[name].get.push(get);
    }
    await close();
    rmSync(directory, { recursive: true });
  }
  const [one, all] = [join(root, `one-${run + 1}`), join(root, `all-${run + 1}`)];
  for (const directory of [one, all]) mkdirSync(directory);
  const floor = { one: await measureFloor(one, 1), all: await measureFloor(all, NODES) };
  if (run >= 0) floors.push(floor);
  for (const directory of [one, all]) rmSync(directory, { recursive: true });
}

function report(): void {
  const gibibytes = (Number(values.blocks) * BLOCK_BYTES) / 1024 ** 3;
  for (const verb of ['put', 'get'] as const) {
    const [local, replicated] = [costs.local[verb], costs.replicated[verb]];
    const times = (all: readonly Cost[]) => all.map(({ seconds }) => seconds);
    const ratios = local.map(({ seconds }, run) => seconds / (replicated[run]?.seconds ?? Number.NaN));
    console.log(
      `${verb} ${values.blocks} blocks of ${values.kib} KiB: local ${spread(times(local), 3)} s, on ${NODES} nodes ${spread(times(replicated), 3)} s, ratio ${spread(ratios, 2)}`,
    );
    const perGibibyte = (all: readonly Cost[], pick: (cost: Cost) => number) =>
      (median(all.map(pick)) / gibibytes).toFixed(2);
    console.log(
      `  CPU seconds for each GiB: local ${perGibibyte(local, (cost) => cost.ownCpuSeconds)}, replicated ${perGibibyte(replicated, (cost) => cost.ownCpuSeconds)} here and ${perGibibyte(replicated, (cost) => cost.nodesCpuSeconds)} on the ${NODES} nodes together`,
    );
  }
  const [one, all] = [floors.map((floor) => floor.one), floors.map((floor) => floor.all)];
  console.log(
    `floor: one plain writer ${spread(one, 3)} s, ${NODES} at once ${spread(all, 3)} s, ratio ${(median(one) / median(all)).toFixed(2)}`,
  );
}

try {
  const blocks = Array.from({ length: Number(values.blocks) }, () =>
    encodeBlock(platform, 'chunk', environment.random.bytes(BLOCK_BYTES)),
  );
  // Whoever writes first pays for the system's memory of all that comes after: the first run does not count, and each is
  // first in its turn.
  for (let run = -1; run < RUNS; run++) await runOnce(run, blocks);
  report();
} finally {
  rmSync(root, { recursive: true, force: true });
}
