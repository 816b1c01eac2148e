import { join } from 'node:path';
import type { Environment } from '@cairn/environment';
import { CairnError, isCairnError } from '@cairn/model';
import type { CompactionOptions, CompactionReport } from '../block-store.ts';
import type { BlockIndex } from './block-index.ts';
import type { BlockReading } from './block-reading.ts';
import type { IndexedBlock, KnownSegment } from './index-rows.ts';
import { createPace } from './pace.ts';
import { MAX_RECORD_BYTES, recordBytes, SEGMENT_HEADER_BYTES, segmentFileName } from './record-format.ts';
import { runsOf } from './record-runs.ts';
import { isMissingError, type SegmentFiles } from './segment-files.ts';
import type { SegmentReader } from './segment-reader.ts';
import type { PendingRecord } from './segment-writer.ts';
import type { SpaceReserve } from './space-reserve.ts';
import { isDatabaseFull } from './sqlite.ts';

/**
 * Compaction gives back the space of records that no longer count. What still counts in a segment goes through the
 * store's one writer to the end of the newest segment: written, flushed, and only then is the index pointed at the
 * copy, in the transaction that also moves the watermark. A copy has the generation of its original, so a kill
 * between any two steps leaves two records of which either may win. Tombstones are always carried over: while an
 * older record of their block may lie in any segment, an index made anew needs them, and they are small.
 */
export interface Compaction {
  /** Throws `unavailable` when the disk fails, in which case nothing is lost and the store may have stopped. */
  run(options: CompactionOptions, signal: AbortSignal): Promise<CompactionReport>;
}

export interface CompactionParts {
  readonly files: SegmentFiles;
  readonly index: BlockIndex;
  readonly reader: SegmentReader;
  readonly reading: BlockReading;
  readonly reserve: SpaceReserve;
  readonly environment: Environment;
  readonly segmentsDirectory: string;
  /** Makes records durable and indexed, as for puts. */
  readonly append: (records: readonly PendingRecord[], sizeBytes: number) => Promise<void>;
  /** Segments with lower numbers get no more records. */
  readonly sealedBelow: () => number;
  /** Ends all writing, after an error that leaves open what the disk holds. */
  readonly stopWriting: (error: unknown) => void;
  readonly onDiskBytes: (differenceBytes: number) => void;
}

const PAGE_RECORDS = 1000;
/** Read before it is written and flushed together. */
const MAX_BATCH_BYTES = 8 * 1024 * 1024;
const DEFAULT_GARBAGE_RATIO = 0.5;

interface Progress {
  segmentsRewritten: number;
  segmentsRemoved: number;
  movedBytes: number;
  freedBytes: number;
  skippedDamaged: number;
}

function keptBytes(segment: KnownSegment): number {
  return segment.liveBytes + segment.deletedRecords * recordBytes(0);
}

function garbageRatio(segment: KnownSegment): number {
  const recordsBytes = segment.durableBytes - SEGMENT_HEADER_BYTES;
  return recordsBytes <= 0 ? 0 : (recordsBytes - keptBytes(segment)) / recordsBytes;
}

function tombstone(block: IndexedBlock): PendingRecord {
  const { blockId, generation, segment, offset } = block;
  const movedFrom = { segment, offset, payloadChecksum: 0 };
  const payload = new Uint8Array(0);
  return { blockId, generation, kind: 'tombstone', codec: 'raw', plainBytes: 0, payload, movedFrom };
}

export function createCompaction(parts: CompactionParts): Compaction {
  const { files, index, reader, reading, segmentsDirectory } = parts;

  /** Sealed segments that are worth it; those that need the least space to become free are first. */
  function choose(minGarbageRatio: number): KnownSegment[] {
    const segments = index.segments();
    // The newest is left alone even when it is full, so that no number is ever used twice.
    const newest = segments[segments.length - 1]?.number ?? 0;
    const below = Math.min(parts.sealedBelow(), newest);
    return segments
      .filter((each) => each.number < below && garbageRatio(each) > 0)
      .filter((each) => garbageRatio(each) >= minGarbageRatio)
      .sort((a, b) => keptBytes(a) - keptBytes(b));
  }

  /** Whether something in a segment is damaged, or not there, and no later record of its block makes up for it. */
  function isNeeded(segment: KnownSegment): boolean {
    if (segment.hasMissing) return true;
    return index.damageIn(segment.number).some((damage) => {
      if (damage.blockId === null) return true; // nobody knows what it was
      const block = index.find(damage.blockId);
      if (block === null || block.state === 'damaged' || block.state === 'missing') return true;
      return block.segment === damage.segment && block.offset === damage.offset;
    });
  }

  /** What was read and waits to be written, and the memory it holds. */
  interface Batch {
    records: PendingRecord[];
    heldBytes: number;
    /** Used again for each batch, since fresh memory for each read costs more than the read. */
    readonly memory: Buffer;
  }

  async function flush(batch: Batch, progress: Progress): Promise<void> {
    if (batch.records.length === 0) return;
    let sizeBytes = 0;
    for (const record of batch.records) sizeBytes += recordBytes(record.payload.length);
    await parts.append(batch.records, sizeBytes);
    progress.movedBytes += sizeBytes;
    batch.records = [];
    batch.heldBytes = 0;
  }

  /** Reads a run. Returns `false` when a record is not what was written. */
  async function readRun(run: readonly IndexedBlock[], batch: Batch): Promise<boolean> {
    let isIntact = true;
    for (const { at, result } of await reading.read(run, batch.memory.subarray(batch.heldBytes))) {
      if (result === null || at.segment !== run[0]?.segment) continue; // deleted or written anew meanwhile
      if (result.block === null) {
        reading.condemn(at, result.problem);
        isIntact = false;
        continue;
      }
      const { segment, offset, generation } = at;
      const movedFrom = { segment, offset, payloadChecksum: result.payloadChecksum };
      batch.records.push({ ...result.block, generation, movedFrom });
    }
    return isIntact;
  }

  /** Copies all that counts in a segment. Returns `false` when it must stay because of what was found there. */
  async function evacuate(
    segment: KnownSegment,
    progress: Progress,
    pace: (sizeBytes: number) => Promise<void>,
    memory: Buffer,
  ): Promise<boolean> {
    const batch: Batch = { records: [], heldBytes: 0, memory };
    for (let from = 0; ; ) {
      const page = index.placedIn(segment.number, from, PAGE_RECORDS);
      const last = page[page.length - 1];
      if (last === undefined) break;
      batch.records.push(...page.filter((block) => block.state === 'deleted').map(tombstone));
      for (const run of runsOf(page.filter((block) => block.state === 'live'))) {
        const first = run[0] as IndexedBlock;
        const end = run[run.length - 1] as IndexedBlock;
        const spanBytes = end.offset + recordBytes(end.storedBytes) - first.offset;
        await pace(spanBytes);
        if (!(await readRun(run, batch))) return false;
        batch.heldBytes += spanBytes;
        if (batch.heldBytes >= MAX_BATCH_BYTES) await flush(batch, progress);
      }
      from = last.offset + 1;
    }
    await flush(batch, progress);
    return true;
  }

  /** On a full disk even forgetting needs a little room, which is what the reserve is for. */
  async function forget(segment: number): Promise<void> {
    const attempt = () => index.transaction(() => index.forgetSegment(segment));
    try {
      attempt();
    } catch (error) {
      if (!isDatabaseFull(error)) throw error;
      index.shrinkLog();
      await parts.reserve.release();
      attempt();
    }
  }

  /**
   * Removes a segment's file. The index lets go first: its constraint is the last guard against removing what still
   * counts. A kill before the file is gone makes the next start take it in again, as garbage.
   */
  async function remove(segment: KnownSegment): Promise<void> {
    await reader.retire(segment.number);
    await forget(segment.number);
    const path = join(segmentsDirectory, segmentFileName(segment.number, segment.segmentUuid));
    try {
      await files.remove(path);
    } catch (error) {
      if (!isMissingError(error)) throw error;
    }
    try {
      await files.syncDirectory(segmentsDirectory);
    } catch (error) {
      // The same flush may have been for the name of a segment that was just begun.
      parts.stopWriting(error);
      throw error;
    }
    parts.onDiskBytes(-segment.durableBytes);
  }

  async function compactOne(
    segment: KnownSegment,
    progress: Progress,
    pace: (sizeBytes: number) => Promise<void>,
    memory: Buffer,
  ): Promise<void> {
    if (isNeeded(segment) || !(await evacuate(segment, progress, pace, memory)) || isNeeded(segment)) {
      progress.skippedDamaged++;
      return;
    }
    if (index.placedIn(segment.number, 0, 1).length > 0) return;
    await remove(segment);
    if (segment.liveBytes > 0) progress.segmentsRewritten++;
    else progress.segmentsRemoved++;
    progress.freedBytes += segment.durableBytes;
  }

  return {
    async run(options, signal) {
      const progress: Progress = {
        segmentsRewritten: 0,
        segmentsRemoved: 0,
        movedBytes: 0,
        freedBytes: 0,
        skippedDamaged: 0,
      };
      let stoppedBy: CompactionReport['stoppedBy'] = null;
      const pace = createPace({
        environment: parts.environment,
        bytesPerSecond: options.bytesPerSecond,
        signal,
      });
      const memory = Buffer.allocUnsafeSlow(MAX_BATCH_BYTES + MAX_RECORD_BYTES);
      try {
        for (const segment of choose(options.minGarbageRatio ?? DEFAULT_GARBAGE_RATIO)) {
          await pace(0);
          await compactOne(segment, progress, pace, memory);
        }
      } catch (error) {
        if (signal.aborted && error === signal.reason) stoppedBy = 'aborted';
        else if (isCairnError(error, 'storage-full') || isDatabaseFull(error)) stoppedBy = 'storage-full';
        else if (isCairnError(error)) throw error;
        else {
          throw new CairnError(
            'unavailable',
            'compaction met an error of the disk and stopped; nothing is lost, check the disk, then restart the server',
            { cause: error },
          );
        }
      }
      return { ...progress, stoppedBy };
    },
  };
}
