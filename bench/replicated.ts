import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type BlockStore,
  createRemoteBlockStore,
  createReplicatedBlockStore,
  openNodeConnection,
  openSegmentBlockStore,
  type ReplicaNode,
} from '@cairn/block-store';
import { createNodePlatform, encodeBlock, isIntactBlock, type StoredBlock } from '@cairn/content';
import { createSystemEnvironment, silentLog } from '@cairn/environment';
import { spread } from './world/statistics.ts';

/**
 * Puts and gets of a replicated store over three storage nodes, real processes on loopback with the connections that a
 * cluster has, beside one local segment store: `npm run bench:replicated`. By turns in one run; the ratio of the
 * medians is the result. All of them share this machine's disk and cores.
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
  close(): Promise<void>;
}

async function openLocal(directory: string): Promise<Opened> {
  const store = await openSegmentBlockStore({ directory, environment, verify });
  return { store, close: () => store.close() };
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

async function getAll(store: BlockStore, blocks: readonly StoredBlock[]): Promise<void> {
  let found = 0;
  for await (const block of store.getMany(blocks.map(({ blockId }) => blockId)))
    found += block === null ? 0 : 1;
  if (found !== blocks.length) throw new Error('a block is missing');
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const before = performance.now();
  await work();
  return (performance.now() - before) / 1000;
}

try {
  const times = { local: { put: [], get: [] }, replicated: { put: [], get: [] } } as Record<
    'local' | 'replicated',
    Record<'put' | 'get', number[]>
  >;
  const blocks = Array.from({ length: Number(values.blocks) }, () =>
    encodeBlock(platform, 'chunk', environment.random.bytes(BLOCK_BYTES)),
  );
  const stores = [
    ['local', openLocal],
    ['replicated', openReplicated],
  ] as const;
  // Whoever writes first pays for the system's memory of all that comes after: the first run does not count, and each is
  // first in its turn.
  for (let run = -1; run < RUNS; run++) {
    for (const [name, open] of run % 2 === 0 ? stores : stores.toReversed()) {
      const directory = join(root, `${name}-${run + 1}`);
      mkdirSync(directory);
      const { store, close } = await open(directory);
      const put = await seconds(() => putAll(store, blocks));
      const get = await seconds(() => getAll(store, blocks));
      if (run >= 0) {
        times[name].put.push(put);
        times[name].get.push(get);
      }
      await close();
      rmSync(directory, { recursive: true });
    }
  }
  for (const verb of ['put', 'get'] as const) {
    const [local, replicated] = [times.local[verb], times.replicated[verb]];
    const ratios = local.map((time, run) => time / (replicated[run] ?? Number.NaN));
    console.log(
      `${verb} ${values.blocks} blocks of ${values.kib} KiB: local ${spread(local, 3)} s, on ${NODES} nodes ${spread(replicated, 3)} s, ratio ${spread(ratios, 2)}`,
    );
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
