import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemEnvironment, silentLog } from '@cairn/environment';
import { openNodeFilesystem } from '@cairn/filesystem';
import { type ContentId, createId, type EntryId } from '@cairn/model';
import { createScanner, LocalTree, noteRoot, Selection } from '@cairn/sync-engine';
import { createMemoryTreeStore } from '@cairn/tree-store';

/**
 * A scan of a folder in which nothing changed, as at the start of a daemon, beside `find -printf` and `du` over the
 * same folder in the same run: `node bench/scan.ts [files]`. Medians; the ratio is the result.
 */
const FILES = Number(process.argv[2] ?? 100_000);
const FILES_PER_FOLDER = 97;
const RUNS = 7;
const QUIET = { maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'ignore'] as ['ignore', 'pipe', 'ignore'] };

const root = mkdtempSync(join(process.env['SCAN_FOLDER'] ?? tmpdir(), 'cairn-scan-'));
try {
  await run();
} finally {
  rmSync(root, { recursive: true, force: true });
}

async function run(): Promise<void> {
  makeFiles();
  const environment = createSystemEnvironment(silentLog);
  const filesystem = await openNodeFilesystem({ root, environment });
  const before = memory();
  const rootId = createId<EntryId>(environment.random.bytes(16));
  const trees = createMemoryTreeStore(rootId);
  await noteRoot({ filesystem, trees }, rootId);
  const local = new LocalTree(trees.local, rootId);
  const scanner = createScanner({
    filesystem,
    local,
    environment,
    selection: new Selection(trees, rootId),
    isHeld: () => false,
    leaveAlone: () => undefined,
    folderMoved: () => undefined,
    takeLateHints: async () => new Set(),
  });
  const first = await timed(() => scanner.scan({ paths: [''], recursive: true }));
  // As at rest: every file has been read.
  for (const node of [...trees.local.values()]) {
    if (node.kind !== 'file') continue;
    const id = `01${Buffer.from(environment.random.bytes(32)).toString('hex')}`;
    local.put({
      ...node,
      content: {
        contentId: id as ContentId,
        sizeBytes: node.sizeBytes,
        manifest: {
          profile: 't32-64k',
          depth: 0,
          parts: [{ block: id as never, sizeBytes: node.sizeBytes }],
        },
      },
    });
  }
  const after = memory();

  const times = { scan: [] as number[], sweep: [] as number[], find: [] as number[], du: [] as number[] };
  let items = 0;
  for (let index = 0; index < RUNS; index++) {
    times.find.push(await timed(() => execFileSync('find', [root, '-printf', '%p %s %T@ %C@ %i\n'], QUIET)));
    times.scan.push(
      await timed(async () => {
        const result = await scanner.scan({ paths: [''], recursive: true });
        if (result.changed) throw new Error('something changed');
        items = result.items;
      }),
    );
    times.sweep.push(await timed(() => scanner.findChangedFolders()));
    times.du.push(await timed(() => execFileSync('du', ['-s', root], QUIET)));
  }
  await filesystem.close();
  const find = median(times.find);
  const scan = median(times.scan);
  const show = (name: string, ms: number) =>
    console.log(`${name.padEnd(34)} ${ms.toFixed(0).padStart(6)} ms   ${(ms / find).toFixed(2)} × find`);
  console.log(`${items} items; medians of ${RUNS}`);
  show('find -printf (with lstat)', find);
  show('du -s', median(times.du));
  show('first scan (everything new)', first);
  show('scan, nothing changed', scan);
  show('folders whose times changed', median(times.sweep));
  console.log(
    `${((items / scan) * 1000).toFixed(0)} items/s; ${((after - before) / items).toFixed(0)} bytes of heap an item at rest`,
  );
}

function makeFiles(): void {
  let made = 0;
  for (let folder = 0; made < FILES; folder++) {
    const path = join(root, `group ${Math.floor(folder / 50)}`, `folder ${folder}`);
    mkdirSync(path, { recursive: true });
    for (let index = 0; index < FILES_PER_FOLDER && made < FILES; index++, made++)
      writeFileSync(join(path, `document ${made}.txt`), '');
  }
}

async function timed(work: () => unknown): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

function memory(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
