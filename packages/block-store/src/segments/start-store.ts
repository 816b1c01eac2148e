import { isCairnError } from '@cairn/model';
import type { BlockIndex } from './block-index.ts';
import { openIndexFile, rebuildIndexFile, type StorePlace } from './index-file.ts';
import { findSegments, recoverSegments } from './recovery.ts';
import { fileSize } from './segment-files.ts';
import type { OpenSegment } from './segment-writer.ts';
import { isDatabaseDamaged } from './sqlite.ts';

/** A store whose index and segments agree. */
export interface StartedStore {
  readonly index: BlockIndex;
  readonly storeUuid: string;
  /** The segment to go on with, or `null` when the next record begins one. */
  readonly current: OpenSegment | null;
  readonly diskBytes: number;
  readonly nextNumber: number;
}

async function start(place: StorePlace, maxSegmentBytes: number): Promise<StartedStore> {
  const { files, segmentsDirectory } = place;
  const { index, storeUuid } = await openIndexFile(place);
  try {
    await recoverSegments({ files, index, log: place.environment.log, segmentsDirectory, storeUuid });
    const found = await findSegments(files, segmentsDirectory);
    const rows = index.segments();
    const last = rows[rows.length - 1];
    let goOn: (typeof found)[number] | null = null;
    let diskBytes = 0;
    for (const segment of found) {
      const sizeBytes = await fileSize(files, segment.path);
      diskBytes += sizeBytes;
      const isLast = last !== undefined && last.segmentUuid === segment.segmentUuid;
      if (isLast && sizeBytes === last.durableBytes && sizeBytes < maxSegmentBytes) goOn = segment;
    }
    const highest = Math.max(0, ...found.map((each) => each.number), ...rows.map((each) => each.number));
    const current: OpenSegment | null =
      goOn === null || last === undefined
        ? null
        : { ...last, path: goOn.path, file: await files.open(goOn.path, 'append') };
    return { index, storeUuid, current, diskBytes, nextNumber: highest + 1 };
  } catch (error) {
    index.close();
    throw error;
  }
}

/**
 * Recovers a store whose folder is locked for this process, making its index anew where that is damaged. Throws
 * what the disk throws.
 */
export async function startStore(place: StorePlace, maxSegmentBytes: number): Promise<StartedStore> {
  try {
    return await start(place, maxSegmentBytes);
  } catch (error) {
    if (!isDatabaseDamaged(isCairnError(error) ? error.cause : error)) throw error;
    place.environment.log.error('block-store.index-damaged', { directory: place.directory, error });
    await rebuildIndexFile(place);
    return start(place, maxSegmentBytes);
  }
}
