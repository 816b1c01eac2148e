import { join } from 'node:path';
import type { BlockKind, StoredBlock } from '@cairn/content';
import { CairnError } from '@cairn/model';
import type { IndexedBlock } from './index-rows.ts';
import {
  parseRecordHeader,
  payloadChecksum,
  RECORD_HEADER_BYTES,
  recordBytes,
  segmentFileName,
} from './record-format.ts';
import { isMissingError, type SegmentFile, type SegmentFiles } from './segment-files.ts';

export interface SegmentReaderOptions {
  readonly files: SegmentFiles;
  readonly segmentsDirectory: string;
  readonly segmentUuid: (segment: number) => string;
  readonly maxOpenFiles: number;
  readonly maxReads: number;
}

/** What a read found: the block, or why its record is not what was written. */
export type ReadResult =
  | { readonly block: StoredBlock; readonly payloadChecksum: number; readonly problem: null }
  | { readonly block: null; readonly problem: string; readonly cause?: unknown };

export interface SegmentReader {
  /**
   * Reads records of one segment, in order of their offsets, with one read; one result for each.
   * @param memory where the payloads may be put, for callers that are done with them before they use it again
   */
  read(run: readonly IndexedBlock[], memory?: Buffer): Promise<ReadResult[]>;
  /**
   * Resolves when nobody reads the segment's file any more, and it is closed; it is not opened again, so who comes
   * later finds it missing.
   */
  retire(segment: number): Promise<void>;
  /** Resolves when all files are closed; reads that wait for their turn are refused. */
  close(): Promise<void>;
}

interface CachedFile {
  readonly segment: number;
  readonly opened: Promise<SegmentFile>;
  readonly closed: PromiseWithResolvers<void>;
  users: number;
  evicted: boolean;
}

function verify(bytes: Buffer, at: number, block: IndexedBlock, uuid: Buffer): ReadResult {
  const length = recordBytes(block.storedBytes);
  if (at + length > bytes.length) return { block: null, problem: 'cut-short' };
  const header = parseRecordHeader(bytes, at, uuid, block.offset);
  if (header === null) return { block: null, problem: 'header' };
  if (
    header.blockId !== block.blockId ||
    header.generation !== block.generation ||
    header.storedBytes !== block.storedBytes ||
    header.kind === 'tombstone'
  ) {
    return { block: null, problem: 'other-record' };
  }
  const payload = new Uint8Array(
    bytes.buffer,
    bytes.byteOffset + at + RECORD_HEADER_BYTES,
    block.storedBytes,
  );
  if (payloadChecksum(payload) !== header.payloadChecksum)
    return { block: null, problem: 'payload-checksum' };
  const { blockId, codec, plainBytes } = header;
  return {
    block: { blockId, kind: header.kind as BlockKind, codec, plainBytes, payload },
    payloadChecksum: header.payloadChecksum,
    problem: null,
  };
}

/** Positional, verified reads over a bounded number of open files and of reads at a time. */
export function createSegmentReader(options: SegmentReaderOptions): SegmentReader {
  const cache = new Map<number, CachedFile>();
  /** All that are not closed: those of the cache, and evicted ones that are being read. */
  const open = new Set<CachedFile>();
  const retired = new Set<number>();
  const waiting: (() => void)[] = [];
  let reads = 0;
  let closed = false;

  function discard(cached: CachedFile): void {
    cached.evicted = true;
    if (cached.users > 0 || !open.delete(cached)) return;
    cached.opened
      .then((file) => file.close())
      .catch(() => undefined) // a file that is only read loses nothing
      .then(() => cached.closed.resolve());
  }

  function acquire(segment: number): CachedFile {
    let cached = cache.get(segment);
    if (cached === undefined) {
      // A read that waited for its turn would open a file that nobody closes any more.
      if (closed) throw new Error('the reader is closed');
      if (retired.has(segment)) throw Object.assign(new Error('this segment is gone'), { code: 'ENOENT' });
      const path = join(options.segmentsDirectory, segmentFileName(segment, options.segmentUuid(segment)));
      const opened = options.files.open(path, 'read');
      cached = { segment, opened, closed: Promise.withResolvers(), users: 0, evicted: false };
      open.add(cached);
    }
    cache.delete(segment);
    cache.set(segment, cached);
    cached.users++;
    for (const [oldest, candidate] of cache) {
      if (cache.size <= options.maxOpenFiles) break;
      cache.delete(oldest);
      discard(candidate);
    }
    return cached;
  }

  function release(segment: number, cached: CachedFile, failed: boolean): void {
    cached.users--;
    if (failed && cache.get(segment) === cached) {
      cache.delete(segment);
      cached.evicted = true;
    }
    if (cached.evicted) discard(cached);
  }

  async function enter(): Promise<void> {
    if (reads < options.maxReads) reads++;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  }

  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) reads--;
    else next();
  }

  async function readBytes(
    segment: number,
    offset: number,
    lengthBytes: number,
    memory: Buffer | undefined,
  ): Promise<Buffer> {
    const cached = acquire(segment);
    let failed = true;
    try {
      const file = await cached.opened;
      // Unless told otherwise memory of its own: the payload is handed out as a part of it.
      const bytes =
        memory !== undefined && memory.length >= lengthBytes
          ? memory.subarray(0, lengthBytes)
          : Buffer.allocUnsafeSlow(lengthBytes);
      const done = await file.read(bytes, offset);
      failed = false;
      return bytes.subarray(0, done);
    } finally {
      release(segment, cached, failed);
    }
  }

  async function readOnce(run: readonly IndexedBlock[], memory?: Buffer): Promise<ReadResult[]> {
    const first = run[0] as IndexedBlock;
    const last = run[run.length - 1] as IndexedBlock;
    const lengthBytes = last.offset + recordBytes(last.storedBytes) - first.offset;
    const uuid = Buffer.from(options.segmentUuid(first.segment), 'hex');
    try {
      const bytes = await readBytes(first.segment, first.offset, lengthBytes, memory);
      return run.map((block) => verify(bytes, block.offset - first.offset, block, uuid));
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      if (isMissingError(error))
        return run.map(() => ({ block: null, problem: 'segment-missing', cause: error }));
      if (code === 'EIO') return run.map(() => ({ block: null, problem: 'unreadable', cause: error }));
      throw new CairnError(
        'unavailable',
        'a segment of the block store cannot be read now; check the disk and the limits on open files',
        { cause: error },
      );
    }
  }

  return {
    async read(run, memory) {
      await enter();
      try {
        const results = await readOnce(run, memory);
        if (run.length > 1) {
          // One bad sector must not condemn its neighbours: what failed is read again by itself.
          for (const [index, result] of results.entries()) {
            if (result.problem !== null)
              results[index] = (await readOnce([run[index] as IndexedBlock]))[0] as ReadResult;
          }
        }
        return results;
      } finally {
        leave();
      }
    },
    async retire(segment) {
      retired.add(segment);
      cache.delete(segment);
      const files = [...open].filter((cached) => cached.segment === segment);
      for (const cached of files) discard(cached);
      await Promise.all(files.map((cached) => cached.closed.promise));
    },
    async close() {
      closed = true;
      cache.clear();
      const files = [...open];
      for (const cached of files) discard(cached);
      await Promise.all(files.map((cached) => cached.closed.promise));
    },
  };
}
