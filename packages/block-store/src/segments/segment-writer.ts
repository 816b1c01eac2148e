import { join } from 'node:path';
import type { BlockCodec } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import { type BlockId, CairnError, isCairnError } from '@cairn/model';
import type { BlockIndex } from './block-index.ts';
import type { IndexedBlock, RecordPlace } from './index-rows.ts';
import {
  encodeSegmentHeader,
  payloadChecksum,
  RECORD_HEADER_BYTES,
  type RecordKind,
  recordBytes,
  SEGMENT_HEADER_BYTES,
  segmentFileName,
  writeRecordHeader,
} from './record-format.ts';
import { isFullError, type SegmentFile, type SegmentFiles } from './segment-files.ts';
import type { SpaceReserve } from './space-reserve.ts';
import { isDatabaseFull } from './sqlite.ts';

/** A record on its way to a segment; a tombstone has an empty payload. */
export interface PendingRecord {
  readonly blockId: BlockId;
  readonly kind: RecordKind;
  readonly codec: BlockCodec;
  readonly plainBytes: number;
  readonly generation: number;
  readonly payload: Uint8Array;
  /** Of a copy: where the record was read, and the checksum that it had there. */
  readonly movedFrom?: RecordPlace & { readonly payloadChecksum: number };
}

/** A segment that takes records at `durableBytes`. */
export interface OpenSegment {
  readonly number: number;
  readonly segmentUuid: string;
  readonly path: string;
  readonly file: SegmentFile;
  durableBytes: number;
}

export interface SegmentWriterOptions {
  readonly files: SegmentFiles;
  readonly index: BlockIndex;
  readonly environment: Environment;
  readonly segmentsDirectory: string;
  readonly storeUuid: string;
  /** For the headers of new segments; `null` in a store that is not sealed. */
  readonly keyId: string | null;
  readonly maxSegmentBytes: number;
  readonly reserve: SpaceReserve;
  /** The segment to go on with, or `null` to begin one. */
  readonly current: OpenSegment | null;
  readonly nextNumber: number;
  /** No write may follow: what the disk holds of the index is not known. */
  readonly stopWriting: (error: unknown) => void;
  /** Bytes of segments that were added or taken back. */
  readonly onDiskBytes: (differenceBytes: number) => void;
}

/** The part of a group that goes to one segment. */
interface Part {
  readonly segment: OpenSegment;
  readonly isNew: boolean;
  readonly records: PendingRecord[];
  readonly offsets: number[];
  endBytes: number;
}

export interface SegmentWriter {
  /** Makes the records durable and indexed; rejects with `storage-full` (nothing kept) or a fatal error. */
  commit(records: readonly PendingRecord[]): Promise<void>;
  /** Segments with lower numbers get no more records. */
  sealedBelow(): number;
  close(): Promise<void>;
}

/**
 * How far the index on the disk may be behind what was acknowledged. The segments say it all, and what is in them beyond
 * the watermark is taken in after a crash; but only before the watermark is damage known for what it is (ADR 0020).
 */
const INDEX_LAG_MS = 1_000;

function storageFull(cause: unknown): CairnError {
  return new CairnError(
    'storage-full',
    'the disk of the block store is full and nothing of this request was stored; free some space, then try again',
    { cause },
  );
}

function encodePart(part: Part): Uint8Array[] {
  const uuid = Buffer.from(part.segment.segmentUuid, 'hex');
  const headers = Buffer.allocUnsafeSlow(part.records.length * RECORD_HEADER_BYTES);
  const buffers: Uint8Array[] = [];
  part.records.forEach((record, index) => {
    const at = index * RECORD_HEADER_BYTES;
    const header = {
      ...record,
      storedBytes: record.payload.length,
      // A copy keeps the checksum it was verified with: what memory does to it meanwhile must show.
      payloadChecksum: record.movedFrom?.payloadChecksum ?? payloadChecksum(record.payload),
    };
    writeRecordHeader(headers, at, header, uuid, part.offsets[index] as number);
    buffers.push(headers.subarray(at, at + RECORD_HEADER_BYTES));
    if (record.payload.length > 0) buffers.push(record.payload);
  });
  return buffers;
}

function indexed(part: Part): IndexedBlock[] {
  return part.records.map((record, index) => ({
    blockId: record.blockId,
    generation: record.generation,
    state: record.kind === 'tombstone' ? 'deleted' : 'live',
    kind: record.kind,
    codec: record.codec,
    plainBytes: record.plainBytes,
    storedBytes: record.payload.length,
    segment: part.segment.number,
    offset: part.offsets[index] as number,
  }));
}

/** The one writer of a store: places records, writes, flushes, then moves index and watermark in one transaction. */
export function createSegmentWriter(options: SegmentWriterOptions): SegmentWriter {
  const { files, index, segmentsDirectory, environment } = options;
  const { clock, timers, log } = environment;
  let current = options.current;
  let indexDurableMs = Number.NEGATIVE_INFINITY;
  let cancelCatchUp: (() => void) | null = null;
  let nextNumber = options.nextNumber;
  /** Since a full disk cost the space that was kept back, until that can be had again. */
  let isTight = false;

  async function begin(created: OpenSegment[]): Promise<OpenSegment> {
    const number = nextNumber++;
    const segmentUuid = Buffer.from(environment.random.bytes(16)).toString('hex');
    const path = join(segmentsDirectory, segmentFileName(number, segmentUuid));
    const segment: OpenSegment = {
      number,
      segmentUuid,
      path,
      file: await files.open(path, 'create'),
      durableBytes: 0,
    };
    created.push(segment);
    const { storeUuid, keyId } = options;
    const header = encodeSegmentHeader({ number, storeUuid, segmentUuid, keyId });
    await segment.file.write([header], 0);
    return segment;
  }

  async function place(records: readonly PendingRecord[], created: OpenSegment[]): Promise<Part[]> {
    const parts: Part[] = [];
    let part: Part | null = null;
    for (const record of records) {
      const length = recordBytes(record.payload.length);
      const endBytes = part?.endBytes ?? current?.durableBytes ?? Number.POSITIVE_INFINITY;
      const fits = endBytes + length <= options.maxSegmentBytes;
      if (part === null && current !== null && fits) {
        part = { segment: current, isNew: false, records: [], offsets: [], endBytes: current.durableBytes };
        parts.push(part);
      } else if (part === null || (!fits && part.records.length > 0)) {
        part = {
          segment: await begin(created),
          isNew: true,
          records: [],
          offsets: [],
          endBytes: SEGMENT_HEADER_BYTES,
        };
        parts.push(part);
      }
      part.records.push(record);
      part.offsets.push(part.endBytes);
      part.endBytes += length;
    }
    return parts;
  }

  /** Takes the files back to what is acknowledged. Rejects when that fails, which is fatal. */
  async function takeBack(created: readonly OpenSegment[]): Promise<void> {
    for (const segment of created) {
      await segment.file.close();
      await files.remove(segment.path);
    }
    if (created.length > 0) await files.syncDirectory(segmentsDirectory);
    if (current !== null) {
      await current.file.truncate(current.durableBytes);
      await current.file.datasync();
    }
  }

  /** The index is made durable once the stream of writes ends, too. */
  function catchUpSoon(): void {
    cancelCatchUp ??= timers.schedule(INDEX_LAG_MS, () => {
      cancelCatchUp = null;
      try {
        index.flush();
        indexDurableMs = clock.monotonicMs();
      } catch (error) {
        log.error('block-store.index-not-flushed', { error });
        // On a full disk nothing of it is lost, and there may be room later. Any other failed flush is never tried again.
        if (isDatabaseFull(error)) catchUpSoon();
        else options.stopWriting(error);
      }
    });
  }

  function moveIndex(parts: readonly Part[]): void {
    const nowMs = clock.monotonicMs();
    const mayLag = nowMs - indexDurableMs < INDEX_LAG_MS;
    const work = () => {
      for (const part of parts) {
        const { number, segmentUuid } = part.segment;
        index.setDurable({ number, segmentUuid, durableBytes: part.endBytes });
        for (const [at, block] of indexed(part).entries()) {
          const from = part.records[at]?.movedFrom;
          if (from === undefined) index.apply(block);
          else index.relocate(block, from);
        }
      }
    };
    index.transaction(work, mayLag ? 'later' : 'now');
    if (mayLag) catchUpSoon();
    else indexDurableMs = nowMs;
  }

  async function attempt(records: readonly PendingRecord[]): Promise<void> {
    const created: OpenSegment[] = [];
    try {
      await writeAndIndex(records, created);
    } catch (error) {
      await Promise.allSettled(created.filter((each) => each !== current).map((each) => each.file.close()));
      throw error;
    }
  }

  async function writeAndIndex(records: readonly PendingRecord[], created: OpenSegment[]): Promise<void> {
    let parts: Part[];
    try {
      parts = await place(records, created);
      for (const part of parts)
        await part.segment.file.write(encodePart(part), part.segment.durableBytes || SEGMENT_HEADER_BYTES);
    } catch (error) {
      if (!isFullError(error)) throw error;
      await takeBack(created);
      throw storageFull(error);
    }
    // From here a failure is never answered by trying again on the same file: after a failed flush the system
    // may call pages clean that never reached the disk.
    for (const part of parts) await part.segment.file.datasync();
    if (created.length > 0) await files.syncDirectory(segmentsDirectory);
    try {
      moveIndex(parts);
    } catch (error) {
      if (!isDatabaseFull(error)) throw error;
      await takeBack(created);
      throw storageFull(error);
    }
    await accept(parts);
  }

  async function accept(parts: readonly Part[]): Promise<void> {
    for (const part of parts) {
      const { segment } = part;
      options.onDiskBytes(part.endBytes - segment.durableBytes);
      segment.durableBytes = part.endBytes;
      if (segment !== current) {
        const before = current;
        current = segment;
        await before?.file.close();
      }
    }
  }

  return {
    async commit(records) {
      const onlyTombstones = records.every((record) => record.kind === 'tombstone');
      if (!onlyTombstones) {
        if (!(await options.reserve.ensure())) {
          throw storageFull(new Error('the space kept back for the index could not be had'));
        }
        isTight = false;
      }
      try {
        await attempt(records);
      } catch (error) {
        if (!isCairnError(error, 'storage-full')) throw error;
        // The index's log gives its space back, and deletes, which are how a full store gets better, may also
        // use the space that was kept back.
        index.shrinkLog();
        if (!onlyTombstones) throw error;
        await options.reserve.release();
        isTight = true;
        await attempt(records);
      }
      // What was kept back is for the index to grow into; its log would fill it within a few deletes.
      if (isTight) index.shrinkLog();
    },
    sealedBelow: () => current?.number ?? nextNumber,
    async close() {
      cancelCatchUp?.();
      cancelCatchUp = null;
      await current?.file.close();
      current = null;
    },
  };
}
