import { join } from 'node:path';
import type { Log } from '@cairn/environment';
import type { BlockIndex } from './block-index.ts';
import type { IndexedBlock, KnownSegment } from './index-rows.ts';
import {
  parseSegmentFileName,
  parseSegmentHeader,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from './record-format.ts';
import { fileSize, type SegmentFile, type SegmentFiles } from './segment-files.ts';
import { type ScanItem, scanSegment } from './segment-scan.ts';

/** A segment's file as it lies in the folder. */
export interface FoundSegment {
  readonly name: string;
  readonly path: string;
  readonly number: number;
  readonly segmentUuid: string;
}

export interface RecoveryOptions {
  readonly files: SegmentFiles;
  readonly index: BlockIndex;
  readonly log: Log;
  readonly segmentsDirectory: string;
  readonly storeUuid: string;
}

/** Records taken into the index by one transaction. */
const APPLY_AT_ONCE = 2000;
const REWRITE_BYTES = 1024 * 1024;

/** The segments in a folder, in order of their numbers; other files are none of ours. */
export async function findSegments(files: SegmentFiles, segmentsDirectory: string): Promise<FoundSegment[]> {
  const found: FoundSegment[] = [];
  for (const name of await files.list(segmentsDirectory)) {
    const parsed = parseSegmentFileName(name);
    if (parsed !== null) found.push({ name, path: join(segmentsDirectory, name), ...parsed });
  }
  return found.sort((a, b) => a.number - b.number);
}

/** The file header, or `null` when it is damaged. */
export async function readSegmentHeader(file: SegmentFile): Promise<SegmentHeader | null> {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  const done = await file.read(bytes, 0);
  return parseSegmentHeader(bytes.subarray(0, done));
}

function toIndexed(item: ScanItem & { kind: 'record' }, segment: number): IndexedBlock {
  const { header, offset, problem } = item;
  const intact = header.kind === 'tombstone' ? 'deleted' : 'live';
  return {
    blockId: header.blockId,
    generation: header.generation,
    state: problem === null ? intact : 'damaged',
    kind: header.kind,
    codec: header.codec,
    plainBytes: header.plainBytes,
    storedBytes: header.storedBytes,
    segment,
    offset,
  };
}

/** Takes scanned items into the index. Call inside a transaction. */
function takeIn(index: BlockIndex, segment: number, items: readonly ScanItem[]): void {
  for (const item of items) {
    const block = item.kind === 'record' ? toIndexed(item, segment) : null;
    if (block !== null) index.apply(block);
    if (block !== null && block.state !== 'damaged') continue;
    index.addDamage({
      segment,
      offset: item.offset,
      lengthBytes: item.lengthBytes,
      blockId: block?.blockId ?? null,
      reason: item.kind === 'gap' ? 'no-record' : (item.problem ?? 'unknown'),
    });
  }
}

/**
 * Writes bytes over themselves and flushes. After an earlier flush failed, the system may show pages as clean
 * that never reached the disk; making them dirty again is the only way to be sure of what a scan just read.
 */
async function makeDurable(file: SegmentFile, fromBytes: number, endBytes: number): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.min(REWRITE_BYTES, Math.max(0, endBytes - fromBytes)));
  for (let at = fromBytes; at < endBytes; ) {
    const done = await file.read(buffer.subarray(0, Math.min(buffer.length, endBytes - at)), at);
    if (done === 0) throw new Error(`the segment became shorter than ${endBytes} bytes while it was read`);
    await file.write([buffer.subarray(0, done)], at);
    at += done;
  }
  await file.datasync();
}

/**
 * Brings one segment and the index together: everything from the watermark to the end of the file is checked and
 * taken in. With `cutTail`, what comes after the last intact record is a torn write that nobody was told of, and
 * is cut off; without, it is kept and quarantined. Damage between intact records is always kept and quarantined.
 * With `rewrite`, what is taken in is written once more before it counts as durable.
 */
async function catchUp(
  options: RecoveryOptions,
  found: FoundSegment,
  watermarkBytes: number,
  cutTail: boolean,
  rewrite: boolean,
): Promise<void> {
  const { files, index, log } = options;
  const file = await files.open(found.path, 'append');
  try {
    const sizeBytes = await file.sizeBytes();
    const { number, segmentUuid } = found;
    const fromBytes = Math.max(watermarkBytes, SEGMENT_HEADER_BYTES);
    let durableBytes = watermarkBytes;
    let batch: ScanItem[] = [];
    let doubtful: ScanItem[] = [];

    async function flush(endBytes: number): Promise<void> {
      if (batch.length === 0 && endBytes === durableBytes) return;
      if (rewrite) await makeDurable(file, durableBytes, endBytes);
      else await file.datasync();
      index.transaction(() => {
        index.setDurable({ number, segmentUuid, durableBytes: endBytes });
        takeIn(index, number, batch);
      });
      durableBytes = endBytes;
      batch = [];
    }

    let goodBytes = Math.min(fromBytes, sizeBytes);
    for await (const item of scanSegment(file, Buffer.from(segmentUuid, 'hex'), fromBytes, sizeBytes)) {
      if (item.kind === 'gap' || item.problem !== null) {
        doubtful.push(item);
        continue;
      }
      batch.push(...doubtful, item);
      doubtful = [];
      goodBytes = item.offset + item.lengthBytes;
      if (batch.length >= APPLY_AT_ONCE) await flush(goodBytes);
    }
    if (goodBytes < sizeBytes && cutTail) {
      log.warn('block-store.torn-tail-cut', {
        segment: found.name,
        offset: goodBytes,
        cutBytes: sizeBytes - goodBytes,
      });
      await file.truncate(goodBytes);
    } else {
      batch.push(...doubtful);
      goodBytes = sizeBytes;
    }
    if (goodBytes > durableBytes) await flush(goodBytes);
    else if (goodBytes < sizeBytes) await file.datasync();
  } finally {
    await file.close();
  }
}

async function belongsHere(options: RecoveryOptions, found: FoundSegment): Promise<'yes' | 'no' | 'empty'> {
  const file = await options.files.open(found.path, 'read');
  try {
    const header = await readSegmentHeader(file);
    if (header !== null) {
      return header.storeUuid === options.storeUuid && header.segmentUuid === found.segmentUuid
        ? 'yes'
        : 'no';
    }
    const sizeBytes = await file.sizeBytes();
    const uuid = Buffer.from(found.segmentUuid, 'hex');
    for await (const item of scanSegment(file, uuid, Math.min(SEGMENT_HEADER_BYTES, sizeBytes), sizeBytes)) {
      // The header is damaged, but records that are bound to this very segment say that it is one.
      if (item.kind === 'record') return 'yes';
    }
    return 'empty';
  } finally {
    await file.close();
  }
}

/** Takes in a segment that the index does not know. */
async function adopt(
  options: RecoveryOptions,
  found: FoundSegment,
  cutTail: boolean,
  rewrite: boolean,
): Promise<void> {
  const belongs = await belongsHere(options, found);
  if (belongs === 'yes') await catchUp(options, found, 0, cutTail, rewrite);
  else if (belongs === 'no') {
    options.log.error('block-store.foreign-segment', { segment: found.name });
  } else {
    // Its first write never finished, so nobody was told of anything in it; the bytes stay for whoever wonders.
    await options.files.rename(found.path, `${found.path}.torn`);
    await options.files.syncDirectory(options.segmentsDirectory);
    options.log.warn('block-store.torn-segment-set-aside', { segment: found.name });
  }
}

/**
 * Makes index and segments agree at start-up. Throws what the disk or the index throws; running it again after
 * any interruption is safe.
 */
export async function recoverSegments(options: RecoveryOptions): Promise<void> {
  const { files, index, log, segmentsDirectory } = options;
  const found = await findSegments(files, segmentsDirectory);
  const uuids = new Map(found.map((each) => [each.number, each.segmentUuid]));
  const known = new Map<number, KnownSegment>();
  const gone: KnownSegment[] = [];
  for (const row of index.segments()) {
    if (uuids.get(row.number) === row.segmentUuid) known.set(row.number, row);
    else gone.push(row);
  }
  // First what is gone: the same records may lie in segments that an index from a backup does not know yet, where
  // compaction has moved them, and are then taken from there.
  for (const row of gone) index.transaction(() => index.setMissing(row.number, 0, true));

  // A process that was killed between the flush of a new segment and that of its name leaves a file that a loss of power
  // takes back; what is taken in from it counts as durable.
  if (found.some(({ number }) => !known.has(number))) await files.syncDirectory(segmentsDirectory);
  for (const each of found) {
    const row = known.get(each.number);
    if (row !== undefined) await compareLength(options, each, row);
    else if (index.segments().some((other) => other.number === each.number)) {
      log.error('block-store.foreign-segment', { segment: each.name });
    } else await adopt(options, each, true, true);
  }

  for (const row of gone) {
    // Compaction removes a file once nothing that counts is in it; such a file is not missing.
    const left = index.placedIn(row.number, 0, Number.MAX_SAFE_INTEGER);
    if (left.length === 0) {
      index.transaction(() => index.forgetSegment(row.number));
      continue;
    }
    const lostBlocks = left.filter((block) => block.state === 'missing').length;
    log.error('block-store.segment-missing', { segment: row.number, uuid: row.segmentUuid, lostBlocks });
  }
}

/** Takes in what is in a known segment's file after its watermark, or notes what is no longer there. */
async function compareLength(
  options: RecoveryOptions,
  found: FoundSegment,
  row: KnownSegment,
): Promise<void> {
  const { files, index, log } = options;
  const sizeBytes = await fileSize(files, found.path);
  if (row.hasMissing) index.transaction(() => index.setMissing(found.number, 0, false));
  if (sizeBytes < row.durableBytes) {
    index.transaction(() => index.setMissing(found.number, sizeBytes, true));
    log.error('block-store.segment-cut-short', {
      segment: found.name,
      sizeBytes,
      durableBytes: row.durableBytes,
    });
  } else if (sizeBytes > row.durableBytes) await catchUp(options, found, row.durableBytes, true, true);
}

/** Fills an empty index from every segment. Nothing is cut: without watermarks, a torn tail and rot look alike. */
export async function indexAllSegments(options: RecoveryOptions): Promise<number> {
  const segments = await findSegments(options.files, options.segmentsDirectory);
  if (segments.length > 0) await options.files.syncDirectory(options.segmentsDirectory);
  for (const found of segments) {
    // Only the last one can hold writes whose flush failed; older ones were left after a flush that did not.
    await adopt(options, found, false, found === segments[segments.length - 1]);
  }
  return segments.length;
}
