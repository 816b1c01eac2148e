import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemEnvironment } from '@cairn/environment';
import type { BlockId } from '@cairn/model';
import { RECORD_HEADER_BYTES } from '../segments/record-format.ts';
import { openSegmentBlockStore, type SegmentBlockStoreOptions } from '../segments/segment-block-store.ts';
import { Database } from '../segments/sqlite.ts';

export type StoreSettings = Partial<Omit<SegmentBlockStoreOptions, 'directory'>>;

export async function makeStoreDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'cairn-block-store-'));
}

export async function removeStoreDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
}

/** Opens a store with small reserves, as tests like it. */
export function openTestStore(directory: string, settings: StoreSettings = {}) {
  return openSegmentBlockStore({
    directory,
    environment: createSystemEnvironment(),
    reserveBytes: 64 * 1024,
    ...settings,
  });
}

/** Paths of the segment files, in order. */
export async function segmentPaths(directory: string): Promise<string[]> {
  const names = await readdir(join(directory, 'segments'));
  return names
    .filter((name) => name.endsWith('.segment'))
    .sort()
    .map((name) => join(directory, 'segments', name));
}

/** Where a block's newest record begins; found by its id in the file, so it needs no index. */
export async function findRecord(
  directory: string,
  blockId: BlockId,
): Promise<{ path: string; offset: number }> {
  const id = Buffer.from(blockId, 'hex');
  for (const path of (await segmentPaths(directory)).reverse()) {
    const file = await open(path, 'r');
    try {
      const bytes = await file.readFile();
      const at = bytes.lastIndexOf(id);
      if (at >= 0) return { path, offset: at - 8 };
    } finally {
      await file.close();
    }
  }
  throw new Error(`no record of ${blockId}`);
}

/** Flips one bit of a file. */
export async function flipBit(path: string, offset: number, bit = 0): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, offset);
    byte[0] = (byte[0] as number) ^ (1 << bit);
    await file.write(byte, 0, 1, offset);
  } finally {
    await file.close();
  }
}

export async function damagePayload(directory: string, blockId: BlockId): Promise<void> {
  const { path, offset } = await findRecord(directory, blockId);
  await flipBit(path, offset + RECORD_HEADER_BYTES);
}

/** Everything the index of a closed store says, for comparisons. */
export function dumpIndex(directory: string): unknown {
  const database = new Database(join(directory, 'index.sqlite'));
  try {
    const all = (sql: string) => database.prepare(sql).all();
    return {
      meta: all("SELECT * FROM meta WHERE name = 'store-uuid'"),
      segments: all('SELECT * FROM segments ORDER BY number'),
      blocks: all('SELECT * FROM blocks ORDER BY block_id'),
      damage: all('SELECT * FROM damage ORDER BY segment, offset'),
    };
  } finally {
    database.close();
  }
}
