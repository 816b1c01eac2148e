import { join } from 'node:path';
import type { Environment } from '@cairn/environment';
import { type BlockIndex, openBlockIndex } from './block-index.ts';
import { findSegments, indexAllSegments, readSegmentHeader } from './recovery.ts';
import { isMissingError, type SegmentFiles } from './segment-files.ts';
import { isDatabaseDamaged } from './sqlite.ts';

const INDEX_FILE = 'index.sqlite';
const NEW_INDEX_FILE = 'index.sqlite.new';
const STORE_UUID = 'store-uuid';
/** `yes` between an orderly close and the next open; anything else makes the next open check the file. */
const CLOSED_WELL = 'closed-well';

export interface StorePlace {
  readonly directory: string;
  readonly segmentsDirectory: string;
  readonly files: SegmentFiles;
  readonly environment: Environment;
}

async function moveAside(place: StorePlace, name: string, to: string): Promise<void> {
  try {
    await place.files.rename(join(place.directory, name), join(place.directory, to));
  } catch (error) {
    if (!isMissingError(error)) throw error;
  }
}

async function removeIfThere(place: StorePlace, name: string): Promise<void> {
  try {
    await place.files.remove(join(place.directory, name));
  } catch (error) {
    if (!isMissingError(error)) throw error;
  }
}

/** The uuid that the segments name, or a new one for a store that has none. */
async function findStoreUuid(place: StorePlace): Promise<string> {
  for (const found of await findSegments(place.files, place.segmentsDirectory)) {
    const file = await place.files.open(found.path, 'read');
    try {
      const header = await readSegmentHeader(file);
      if (header !== null && header.segmentUuid === found.segmentUuid) return header.storeUuid;
    } finally {
      await file.close();
    }
  }
  return Buffer.from(place.environment.random.bytes(16)).toString('hex');
}

/**
 * Makes the index anew from the segments alone and puts it in the place of the old one, which stays beside it as
 * `index.sqlite.old`. Only for who holds the folder's lock. An interruption leaves either the old or no index.
 */
export async function rebuildIndexFile(place: StorePlace): Promise<void> {
  const { directory, environment, files } = place;
  for (const suffix of ['', '-wal', '-shm', '-journal']) await removeIfThere(place, NEW_INDEX_FILE + suffix);
  const storeUuid = await findStoreUuid(place);
  const index = openBlockIndex(join(directory, NEW_INDEX_FILE));
  let segments = 0;
  try {
    index.writeMeta(STORE_UUID, storeUuid);
    segments = await indexAllSegments({ ...place, index, storeUuid, log: environment.log });
    index.writeMeta(CLOSED_WELL, 'yes');
  } finally {
    index.close();
  }
  // The log of the old index must be gone before the new one has its name, or it would be played into it.
  await moveAside(place, INDEX_FILE, `${INDEX_FILE}.old`);
  await moveAside(place, `${INDEX_FILE}-wal`, `${INDEX_FILE}.old-wal`);
  await files.syncDirectory(directory);
  await files.rename(join(directory, NEW_INDEX_FILE), join(directory, INDEX_FILE));
  await files.syncDirectory(directory);
  if (segments > 0) environment.log.info('block-store.index-rebuilt', { directory, segments });
}

function openChecked(path: string): { index: BlockIndex; storeUuid: string } | null {
  let index: BlockIndex | null = null;
  try {
    index = openBlockIndex(path);
    const storeUuid = index.readMeta(STORE_UUID);
    const isSound = index.readMeta(CLOSED_WELL) === 'yes' || index.check();
    if (storeUuid !== null && isSound) {
      index.writeMeta(CLOSED_WELL, 'no');
      return { index, storeUuid };
    }
  } catch (error) {
    index?.close();
    if (!isDatabaseDamaged(error)) throw error;
    return null;
  }
  index.close();
  return null;
}

/** Opens the index, making it anew when it is missing or damaged. */
export async function openIndexFile(place: StorePlace): Promise<{ index: BlockIndex; storeUuid: string }> {
  const path = join(place.directory, INDEX_FILE);
  const isThere = (await place.files.list(place.directory)).includes(INDEX_FILE);
  if (isThere) {
    const opened = openChecked(path);
    if (opened !== null) return opened;
    place.environment.log.error('block-store.index-damaged', { path });
  }
  await rebuildIndexFile(place);
  const opened = openChecked(path);
  if (opened === null) throw new Error(`the block index ${path} is damaged right after it was made`);
  return opened;
}

/** Notes that the index was left in order, and closes it. */
export function closeIndexFile(index: BlockIndex): void {
  try {
    if (index.isSound()) index.writeMeta(CLOSED_WELL, 'yes');
  } finally {
    index.close();
  }
}
